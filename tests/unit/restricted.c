/**
 * The narrowed attack: one sentence is read off and explained in a few evaluations, a batch descends in fewer
 * dimensions.
 */
#include "attacks/table.h"

#include "base/memory.h"
#include "defend/defence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CLS = 2, SEP = 3, MASK = 4, LENGTH = 12, N_MASKS = 3, MOST_ROWS = 2 * LENGTH, VOCABULARY = 500 };

static const dlg_special_tokens special = {.cls = CLS, .sep = SEP, .mask = MASK};

typedef struct {
    dlg_model *model;
    dlg_gradient gradient;
    uint32_t fed[MOST_ROWS];
    size_t n_rows, labels[2 * N_MASKS], rows[2 * N_MASKS];
} shared;

static void share(shared *s, size_t n_sentences, const char *defence)
{
    static const size_t positions[N_MASKS] = {2, 5, 9}, lengths[] = {LENGTH, LENGTH};
    const dlg_config config = {.task = DLG_MASKED_LM,
                               .vocabulary_size = VOCABULARY,
                               .hidden_size = 64,
                               .n_layers = 2,
                               .n_heads = 2,
                               .intermediate_size = 128,
                               .max_positions = 64,
                               .n_token_types = 2,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.1,
                               .tied_decoder = true};
    dlg_batch batch = {0};
    *s = (shared){.n_rows = n_sentences * LENGTH};
    assert_int_equal(dlg_model_preset(&s->model, "small", &config, 1, NULL), DLG_OK);
    for (uint32_t i = 0; i < s->n_rows; i++)
        s->fed[i] = i % LENGTH == 0 ? CLS : i % LENGTH == LENGTH - 1 ? SEP : 20 + 17 * i;
    for (size_t i = 0; i < n_sentences * N_MASKS; i++) {
        s->rows[i] = i / N_MASKS * LENGTH + positions[i % N_MASKS];
        s->labels[i] = 100 + 7 * i;
        s->fed[s->rows[i]] = MASK;
    }
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, n_sentences * N_MASKS, s->rows, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &(dlg_step){&batch, s->fed, s->labels}, NULL),
                     DLG_OK);
    dlg_batch_release(&batch);
    dlg_defence parsed;
    if (!defence) return;
    assert_int_equal(dlg_defence_parse(&parsed, defence, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(dlg_defence_apply(&parsed, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), 3, NULL),
                         DLG_OK);
    }
}

static void release(shared *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_model_free(s->model);
}

/* Attack with what `told` holds, which is released. @return evaluations */
static size_t attack(dlg_attack_end *end, shared *s, const char *name, dlg_knowledge *told)
{
    const dlg_attack_class *class;
    dlg_attack_options options = {.max_iterations = 100, .max_starts = 6, .seed = 0};
    dlg_attack_result result = {0};
    assert_int_equal(dlg_attack_find(&class, name, NULL), DLG_OK);
    assert_int_equal(dlg_distance_find(&options.distance, "l2", NULL), DLG_OK);
    assert_int_equal(dlg_minimiser_find(&options.minimiser, "lbfgs", NULL), DLG_OK);
    assert_int_equal(dlg_knowledge_infer(told, &s->gradient, special, NULL), DLG_OK);
    assert_int_equal(dlg_attack_class_run(class, &result, &s->gradient, told, &options, NULL, NULL), DLG_OK);
    *end = result.end;
    const size_t n = result.evaluations;
    if (*end == DLG_EXPLAINED || *end == DLG_SETTLED)
        for (size_t i = 0; i < s->n_rows; i++) assert_int_equal(result.state.fed[i], s->fed[i]);
    dlg_attack_result_release(&result);
    dlg_knowledge_release(told);
    return n;
}

static void reads_a_sentence(void **state)
{
    (void)state;
    shared s;
    dlg_attack_end end;
    share(&s, 1, NULL);
    assert_true(attack(&end, &s, "restricted", &(dlg_knowledge){0}) <= 8);
    assert_int_equal(end, DLG_EXPLAINED);
    release(&s);
}

static void reads_a_pruned_sentence(void **state)
{
    (void)state;
    shared s;
    dlg_attack_end end;
    share(&s, 1, "prune:0.5");
    attack(&end, &s, "restricted", &(dlg_knowledge){0});
    assert_int_equal(end, DLG_SETTLED);
    release(&s);
}

static dlg_knowledge everything(const shared *s)
{
    dlg_knowledge k = {.n_sentences = 2,
                       .n_labels = 2 * N_MASKS,
                       .n_rows = 2 * N_MASKS,
                       .placed = true,
                       .lengths_from = DLG_TOLD,
                       .labels_from = DLG_TOLD,
                       .rows_from = DLG_TOLD};
    k.lengths = dlg_allocate(2, sizeof *k.lengths);
    k.labels = dlg_allocate(2 * N_MASKS, sizeof *k.labels);
    k.rows = dlg_allocate(2 * N_MASKS, sizeof *k.rows);
    assert_true(k.lengths && k.labels && k.rows);
    k.lengths[0] = k.lengths[1] = LENGTH;
    memcpy(k.labels, s->labels, sizeof s->labels);
    memcpy(k.rows, s->rows, sizeof s->rows);
    return k;
}

static void needs_less_for_a_batch(void **state)
{
    (void)state;
    shared s;
    dlg_attack_end end;
    share(&s, 2, NULL);
    dlg_knowledge told = everything(&s);
    const size_t narrowed = attack(&end, &s, "restricted", &told);
    assert_int_equal(end, DLG_EXPLAINED);
    told = everything(&s);
    assert_true(narrowed < attack(&end, &s, "dlg", &told));
    release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_a_sentence), cmocka_unit_test(reads_a_pruned_sentence),
                                       cmocka_unit_test(needs_less_for_a_batch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
