/**
 * The narrowed attack: one sentence is read off and explained in a few evaluations, a batch descends in fewer
 * dimensions.
 */
#include "attacks/table.h"

#include "base/memory.h"
#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { LENGTH = 12, N_MASKS = 3, VOCABULARY = 500 };

static void share(shared_step *s, size_t n_sentences)
{
    static const size_t positions[N_MASKS] = {2, 5, 9}, lengths[] = {LENGTH, LENGTH};
    dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, 64, 64);
    size_t rows[2 * N_MASKS];
    config.initializer_range = 0.1;
    step_begin(s, step_model(&config, 1), n_sentences, lengths);
    for (uint32_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = 20 + 17 * i;
    for (size_t i = 0; i < n_sentences * N_MASKS; i++) {
        rows[i] = i / N_MASKS * LENGTH + positions[i % N_MASKS];
        s->labels[i] = 100 + 7 * i;
        s->fed[rows[i]] = MASK;
    }
    step_share(s, n_sentences * N_MASKS, rows);
}

/* Attack with what `told` holds, which is released. @return evaluations */
static size_t attack(dlg_attack_end *end, shared_step *s, const char *name, dlg_knowledge *told)
{
    const dlg_attack_class *class;
    dlg_attack_options options = {.max_iterations = 100, .max_starts = 6, .seed = 0};
    dlg_attack_result result = {0};
    assert_int_equal(dlg_attack_find(&class, name, NULL), DLG_OK);
    assert_int_equal(dlg_distance_find(&options.distance, "l2", NULL), DLG_OK);
    assert_int_equal(dlg_minimiser_find(&options.minimiser, "lbfgs", NULL), DLG_OK);
    assert_int_equal(analysed_knowledge(told, &s->gradient, NULL), DLG_OK);
    assert_int_equal(analysed_attack(class, &result, &s->gradient, told, &options, NULL, NULL), DLG_OK);
    *end = result.end;
    const size_t n = result.evaluations;
    if (*end == DLG_EXPLAINED || *end == DLG_SETTLED)
        for (size_t i = 0; i < s->batch.n_rows; i++) assert_int_equal(result.state.fed[i], s->fed[i]);
    dlg_attack_result_release(&result);
    dlg_knowledge_release(told);
    return n;
}

static void reads_a_sentence(void **state)
{
    (void)state;
    shared_step s;
    dlg_attack_end end;
    share(&s, 1);
    assert_true(attack(&end, &s, "restricted", &(dlg_knowledge){0}) <= 8);
    assert_int_equal(end, DLG_EXPLAINED);
    step_release(&s);
}

static void reads_a_pruned_sentence(void **state)
{
    (void)state;
    shared_step s;
    dlg_attack_end end;
    share(&s, 1);
    step_defend(&s, "prune:0.5", 3);
    attack(&end, &s, "restricted", &(dlg_knowledge){0});
    assert_int_equal(end, DLG_SETTLED);
    step_release(&s);
}

static dlg_knowledge everything(const shared_step *s)
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
    memcpy(k.labels, s->labels, k.n_labels * sizeof *k.labels);
    memcpy(k.rows, s->batch.predicted, k.n_rows * sizeof *k.rows);
    return k;
}

static void needs_less_for_a_batch(void **state)
{
    (void)state;
    shared_step s;
    dlg_attack_end end;
    share(&s, 2);
    dlg_knowledge told = everything(&s);
    const size_t narrowed = attack(&end, &s, "restricted", &told);
    assert_int_equal(end, DLG_EXPLAINED);
    told = everything(&s);
    assert_true(narrowed < attack(&end, &s, "dlg", &told));
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_a_sentence), cmocka_unit_test(reads_a_pruned_sentence),
                                       cmocka_unit_test(needs_less_for_a_batch)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
