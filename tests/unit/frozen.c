/**
 * Parameters that were frozen have no gradient. Whatever is missing, what remains is read, and what is told takes the
 * place of what cannot be; nothing is claimed that is not so.
 */
#include "analysed.h"
#include "attacks/table.h"
#include "base/memory.h"
#include "math/blas.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void freeze(shared_step *s, const dlg_parameter *p)
{
    const size_t i = (size_t)(p - s->model->parameters);
    dlg_free(s->gradient.owned[i]);
    s->gradient.owned[i] = NULL;
    s->gradient.values[i] = NULL;
}

static dlg_attack_end attack(const shared_step *s, const dlg_attack_class *class, const dlg_knowledge *told)
{
    const dlg_attack_options options = {
        .distance = class->distance, .minimiser = class->minimiser, .max_iterations = 6, .max_starts = 1};
    dlg_knowledge knowledge;
    dlg_attack_result result = {.end = DLG_UNREADABLE};
    assert_int_equal(dlg_knowledge_copy(&knowledge, told, NULL), DLG_OK);
    const dlg_status status = analysed_knowledge(&knowledge, &s->gradient, NULL);
    assert_true(status == DLG_OK || status == DLG_EFORMAT);
    if (!status)
        assert_int_equal(analysed_attack(class, &result, &s->gradient, &knowledge, &options, NULL, NULL), DLG_OK);
    const dlg_attack_end end = result.end;
    if (end == DLG_EXPLAINED) assert_memory_equal(result.state.fed, s->fed, STEP_LENGTH * sizeof *s->fed);
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
    return end;
}

static void inspect(const shared_step *s)
{
    dlg_inspection found;
    assert_int_equal(analysed_inspection(&found, &s->gradient, NULL), DLG_OK);
    if (found.text && found.text_ground.sure == DLG_CERTAIN)
        assert_memory_equal(found.text, s->fed, STEP_LENGTH * sizeof *s->fed);
    dlg_inspection_release(&found);
}

/* Any one parameter, and any group of neighbours; the larger ones by every attack. */
static void whatever_is_frozen(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++)
        for (size_t width = 1, n = 2; width < n; width *= 3)
            for (size_t first = 0; first < n; first += width) {
                shared_step s;
                step_share_sentence(&s, tasks[k]);
                n = s.gradient.n;
                for (size_t i = first; i < n && i < first + width; i++) freeze(&s, &s.model->parameters[i]);
                inspect(&s);
                for (size_t a = 0; dlg_attacks[a] && (!a || width > 3); a++)
                    (void)attack(&s, dlg_attacks[a], &(dlg_knowledge){0});
                step_release(&s);
            }
}

/* Without the decoder's bias no attack begins; told the labels it reads the text all the same. */
static void labels_are_told(void **state)
{
    (void)state;
    static size_t label = STEP_LABEL;
    const dlg_knowledge of_labels = {.n_labels = 1, .labels = &label, .labels_from = DLG_TOLD};
    shared_step s;
    step_share_sentence(&s, DLG_MASKED_LM);
    freeze(&s, s.model->roles.decoder.bias);
    assert_int_equal(attack(&s, dlg_attacks[0], &(dlg_knowledge){0}), DLG_UNREADABLE);
    assert_int_equal(attack(&s, dlg_attacks[0], &of_labels), DLG_EXPLAINED);
    step_release(&s);
}

/* Without the embeddings layer 0 shows how long a sentence is, and without layer 0 too nothing does. */
static void all_embeddings(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t k = 0; k < 2; k++) {
        shared_step s;
        step_share_sentence(&s, tasks[k]);
        const dlg_roles *roles = &s.model->roles;
        const dlg_block_roles *first = &roles->blocks[0];
        freeze(&s, roles->positions);
        freeze(&s, roles->words);
        if (roles->types) freeze(&s, roles->types);
        assert_int_equal(attack(&s, dlg_attacks[0], &(dlg_knowledge){0}), DLG_EXPLAINED);
        freeze(&s, first->query.weight);
        freeze(&s, first->key.weight);
        freeze(&s, first->value.weight);
        assert_int_equal(attack(&s, dlg_attacks[0], &(dlg_knowledge){0}), DLG_UNREADABLE);
        step_release(&s);
    }
}

/* Nothing but the head is trained: the text has left no trace in it that is read, and none is claimed. */
static void all_but_the_head(void **state)
{
    (void)state;
    static size_t length = STEP_LENGTH;
    shared_step s;
    step_share_sentence(&s, DLG_MASKED_LM);
    const dlg_roles *roles = &s.model->roles;
    for (size_t i = 0; i < s.gradient.n; i++) {
        const dlg_parameter *p = &s.model->parameters[i];
        if (p != roles->head.weight && p != roles->head.bias && p != roles->decoder.bias) freeze(&s, p);
    }
    const dlg_knowledge told = {.n_sentences = 1, .lengths = &length, .lengths_from = DLG_TOLD};
    for (size_t a = 0; dlg_attacks[a]; a++) assert_int_not_equal(attack(&s, dlg_attacks[a], &told), DLG_EXPLAINED);
    inspect(&s);
    step_release(&s);
}

/* Without the word embedding's rows nothing tells a word from another of the same embedding: it is in doubt. */
static void twins(void **state)
{
    (void)state;
    enum { AT = 6, TWIN = 5, WIDTH = 64 };
    const dlg_attack_options options = {.distance = dlg_attacks[0]->distance,
                                        .minimiser = dlg_attacks[0]->minimiser,
                                        .max_iterations = 2,
                                        .max_starts = 1};
    for (int frozen = 0; frozen < 2; frozen++) {
        shared_step s;
        dlg_knowledge knowledge = {0};
        dlg_attack_result result;
        step_share_sentence(&s, DLG_SEQUENCE_CLASSIFICATION);
        dlg_real *words = (dlg_real *)(uintptr_t)dlg_model_word_embeddings(s.model);
        memcpy(words + WIDTH * TWIN, words + WIDTH * s.fed[AT], WIDTH * sizeof *words);
        if (frozen) freeze(&s, s.model->roles.words);
        assert_int_equal(analysed_knowledge(&knowledge, &s.gradient, NULL), DLG_OK);
        assert_int_equal(analysed_attack(dlg_attacks[0], &result, &s.gradient, &knowledge, &options, NULL, NULL),
                         DLG_OK);
        if (frozen) assert_int_equal(result.end, DLG_EXPLAINED);
        if (!frozen && result.end == DLG_EXPLAINED) assert_int_equal(result.state.fed[AT], s.fed[AT]);
        for (size_t i = 0; frozen && i < STEP_LENGTH; i++)
            assert_int_equal(dlg_attack_confidence(&result, i), i == AT ? DLG_GUESSED : DLG_CERTAIN);
        dlg_attack_result_release(&result);
        dlg_knowledge_release(&knowledge);
        step_release(&s);
    }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_frozen), cmocka_unit_test(labels_are_told), cmocka_unit_test(all_embeddings),
        cmocka_unit_test(all_but_the_head),   cmocka_unit_test(twins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
