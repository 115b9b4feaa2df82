/**
 * Attacks with a journal: cut after any record, or interrupted at any moment, they go on and end as they would have
 * ended.
 */
#include "attacks/session/checkpoint.h"

#include "base/file.h"
#include "attacks/classes.h"
#include "matching/oracle.h"
#include "attacks/table.h"
#include "scratch.h"
#include "analysed.h"
#include "shared_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    const dlg_attack_class *attack;
    shared_step step;
    dlg_knowledge knowledge;
    dlg_attack_options options;
    size_t calls, interrupted_at; /* of the observer's question; 0: never */
} scene;

static void open_scene(scene *s, const dlg_attack_class *attack, const char *distance, const char *minimiser)
{
    dlg_config config = step_config(DLG_MASKED_LM, 11, 8, 9);
    config.n_layers = 1;
    config.intermediate_size = 12;
    config.initializer_range = 0.02;
    memset(s, 0, sizeof *s);
    s->attack = attack;
    step_begin(&s->step, step_model(&config, 1), 1, &(size_t){6});
    memcpy(s->step.fed + 1, (const uint32_t[]){5, MASK, 9, MASK}, 4 * sizeof *s->step.fed);
    memcpy(s->step.labels, (const size_t[]){7, 10}, 2 * sizeof *s->step.labels);
    step_share(&s->step, 2, (const size_t[]){2, 4});
    static size_t lengths[] = {6}, rows[] = {1, 2, 4}, named[] = {10, 7};
    /* One row too many may hold a label: they have to find their places. */
    const dlg_knowledge known = {
        .n_sentences = 1, .lengths = lengths, .n_labels = 2, .labels = named, .n_rows = 3, .rows = rows};
    assert_int_equal(dlg_knowledge_copy(&s->knowledge, &known, NULL), DLG_OK);
    s->options = (dlg_attack_options){.max_iterations = 4, .max_starts = 3, .seed = 1};
    assert_int_equal(dlg_distance_find(&s->options.distance, distance, NULL), DLG_OK);
    assert_int_equal(dlg_minimiser_find(&s->options.minimiser, minimiser, NULL), DLG_OK);
}

static void close_scene(scene *s)
{
    dlg_knowledge_release(&s->knowledge);
    step_release(&s->step);
}

static bool interrupted(void *payload)
{
    scene *s = payload;
    return s->interrupted_at && ++s->calls >= s->interrupted_at;
}

static dlg_status open_journal(dlg_journal **out, const scene *s, const char *path, dlg_error *err)
{
    return dlg_checkpoint_open(out, path, true, (dlg_build){"1", "BLAS"}, s->attack, &s->step.gradient, &s->knowledge,
                               &s->options, err);
}

static dlg_attack_result run(scene *s, const char *path, size_t interrupted_at)
{
    const dlg_attack_observer observer = {.interrupted = interrupted, .payload = s};
    dlg_attack_options options = s->options;
    dlg_attack_result result = {0};
    dlg_error err;
    s->calls = 0;
    s->interrupted_at = interrupted_at;
    if (path && open_journal(&options.journal, s, path, &err)) fail_msg("%s", err.message);
    const size_t left = dlg_oracle_left(options.journal);
    if (analysed_attack(s->attack, &result, &s->step.gradient, &s->knowledge, &options, &observer, &err))
        fail_msg("%s", err.message);
    if (!interrupted_at) assert_int_equal(result.recalled, left);
    dlg_journal_close(options.journal);
    return result;
}

static void assert_same(const dlg_attack_result *a, const dlg_attack_result *b)
{
    assert_int_equal(a->end, b->end);
    assert_int_equal(a->evaluations, b->evaluations);
    assert_int_equal(a->iterations, b->iterations);
    assert_int_equal(a->n_rows, b->n_rows);
    assert_memory_equal(a->state.tokens, b->state.tokens, a->n_rows * sizeof *a->state.tokens);
    assert_memory_equal(&a->state.distance, &b->state.distance, sizeof(double));
    assert_memory_equal(&a->state.distance_of_tokens, &b->state.distance_of_tokens, sizeof(double));
}

static dlg_file map(const char *path)
{
    dlg_file file;
    dlg_error err;
    if (dlg_file_open(&file, path, &err)) fail_msg("%s", err.message);
    return file;
}

/* Resume from what is at `path`: result and file must be those of the undisturbed run. */
static void assert_resumes(scene *s, const char *path, const dlg_attack_result *undisturbed, const dlg_file *journal)
{
    dlg_attack_result result = run(s, path, 0);
    assert_same(&result, undisturbed);
    dlg_attack_result_release(&result);
    dlg_file file = map(path);
    assert_int_equal(file.n_bytes, journal->n_bytes);
    assert_memory_equal(file.bytes, journal->bytes, file.n_bytes);
    dlg_file_close(&file);
}

/* @return how many of the records are no evaluations but say where the labels belong */
static size_t ends_as_it_would_have_ended(scene *s)
{
    const char *path = scratch_path("whole"), *cut = scratch_path("cut");
    scratch_file("whole", "", 0);
    dlg_attack_result plain = run(s, NULL, 0), journalled = run(s, path, 0);
    assert_same(&plain, &journalled);
    assert_int_equal(plain.recalled, 0);
    dlg_file journal = map(path);

    size_t n_records = 0;
    size_t at = (size_t)(strstr((const char *)journal.bytes, "\n\n") + 2 - (const char *)journal.bytes);
    for (uint64_t head[4]; at < journal.n_bytes; at += sizeof head + (size_t)head[2], n_records++) {
        memcpy(head, journal.bytes + at, sizeof head);
        if (n_records % 4 > 1) continue; /* two in a row, of different kinds or the same */
        scratch_file("cut", journal.bytes, at);
        assert_resumes(s, cut, &plain, &journal);
    }
    assert_true(n_records >= plain.evaluations);
    const size_t n_of_labels = n_records - plain.evaluations;
    assert_resumes(s, path, &plain, &journal);

    /* Interrupted at the k-th time it asks (a prime step: at every place in an iteration): what it does from there on
     * leaves no trace. */
    for (size_t k = 1;; k += 29) {
        scratch_file("cut", "", 0);
        dlg_attack_result result = run(s, cut, k);
        const bool was_interrupted = result.end == DLG_INTERRUPTED;
        dlg_attack_result_release(&result);
        assert_resumes(s, cut, &plain, &journal);
        /* And once more while it is being recalled. */
        result = run(s, cut, k);
        assert_int_equal(result.end == DLG_INTERRUPTED, was_interrupted);
        dlg_attack_result_release(&result);
        assert_resumes(s, cut, &plain, &journal);
        if (!was_interrupted) break;
    }
    dlg_file_close(&journal);
    dlg_attack_result_release(&plain);
    dlg_attack_result_release(&journalled);
    close_scene(s);
    return n_of_labels;
}

static void with_lbfgs(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, &dlg_attack_dlg, "l2", "lbfgs");
    assert_true(ends_as_it_would_have_ended(&s) > 2);
}

static void with_adam(void **state)
{
    (void)state;
    scene s;
    open_scene(&s, &dlg_attack_dlg, "cosine", "adam");
    assert_true(ends_as_it_would_have_ended(&s) > 2);
}

/* Over noise, so that none has it all read off before it begins. */
static void every_attack(void **state)
{
    (void)state;
    for (size_t k = 0; dlg_attacks[k]; k++) {
        scene s;
        open_scene(&s, dlg_attacks[k], dlg_attacks[k]->distance->name, dlg_attacks[k]->minimiser->name);
        s.options.max_starts = 2;
        for (size_t i = 0; i < s.step.gradient.n; i++)
            for (size_t j = 0; j < dlg_parameter_items(&s.step.model->parameters[i]); j++)
                s.step.gradient.owned[i][j] += (dlg_real)1e-3 * ((dlg_real)((i + 7 * j) % 11) - 5);
        (void)ends_as_it_would_have_ended(&s);
    }
}

static void refuse(const scene *s, const char *path, const char *words)
{
    dlg_journal *j;
    dlg_error err;
    assert_refused(open_journal(&j, s, path, &err), DLG_ESHAPE, &err, path, words);
}

/* Whatever the run is made of is compared. */
static void of_another_run(void **state)
{
    (void)state;
    scene s;
    dlg_journal *j;
    open_scene(&s, &dlg_attack_dlg, "l2", "lbfgs");
    const char *path = scratch_path("journal");
    assert_int_equal(open_journal(&j, &s, path, NULL), DLG_OK);
    dlg_journal_close(j);
    const dlg_attack_options options = s.options;
    s.options.seed = 2;
    refuse(&s, path, "(seed: 2), found another's (seed: 1)");
    s.options = options;
    s.options.max_iterations = 5;
    refuse(&s, path, "(iterations: 5), found another's (iterations: 4)");
    s.options = options;
    s.options.max_starts = 1;
    refuse(&s, path, "(starts: 1), found another's (starts: 3)");
    s.options = options;
    s.options.minimiser = &dlg_adam;
    refuse(&s, path, "(optimizer: adam)");
    s.options = options;
    assert_int_equal(dlg_distance_find(&s.options.distance, "cosine", NULL), DLG_OK);
    refuse(&s, path, "(distance: cosine)");
    s.options = options;
    s.knowledge.lengths_from = DLG_TOLD;
    refuse(&s, path, "(told: length), found another's (told: nothing)");
    s.knowledge.lengths_from = DLG_INFERRED;
    refuse(&s, path, "(known from: ");
    s.knowledge.lengths_from = DLG_ASSUMED;
    s.knowledge.labels[0] = 9;
    refuse(&s, path, "(known: ");
    s.knowledge.labels[0] = 10;
    s.step.gradient.owned[3][1] += 1;
    refuse(&s, path, "(gradient: ");
    s.step.gradient.owned[3][1] -= 1;
    s.step.model->config.activation = DLG_GELU_TANH;
    refuse(&s, path, "(model: ");
    close_scene(&s);
}

/* An answer that another program gave is not taken: the attack ends, and says why. */
static void of_other_questions(void **state)
{
    (void)state;
    scene s;
    dlg_error err;
    open_scene(&s, &dlg_attack_dlg, "l2", "lbfgs");
    const char *path = scratch_path("questions");
    dlg_attack_options options = s.options;
    dlg_attack_result result;
    assert_int_equal(open_journal(&options.journal, &s, path, NULL), DLG_OK);
    double nothing = 0;
    dlg_journal_add(options.journal, 2, 12345, 1, &(dlg_journal_piece){&nothing, sizeof nothing});
    dlg_journal_close(options.journal);
    assert_int_equal(open_journal(&options.journal, &s, path, NULL), DLG_OK);
    const dlg_status status = analysed_attack(s.attack, &result, &s.step.gradient, &s.knowledge, &options, NULL, &err);
    assert_refused(status, DLG_ESHAPE, &err, path, "this run's question 1 ");
    assert_null(result.state.tokens);
    dlg_journal_close(options.journal);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_lbfgs),     cmocka_unit_test(with_adam),          cmocka_unit_test(every_attack),
        cmocka_unit_test(of_another_run), cmocka_unit_test(of_other_questions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
