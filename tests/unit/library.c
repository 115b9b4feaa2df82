/** The library as its users have it: there and back, what it is told, who watches it, and what it refuses. */
#include "base/memory.h"
#include "dlg/dlg.h"
#include "gradient/gradient.h"
#include "scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST_PARAMETERS = 64 };

static const char sentence[] = "We invite submissions for the conference.",
                  shown[] = "we invite submissions for the conference.";

/* One model and one plain gradient for all. */
static dlg_model *model;
static dlg_truth *step;
static dlg_gradient *plain;

static dlg_truth *step_of(const char *text)
{
    dlg_texts *texts;
    dlg_truth *made;
    assert_int_equal(dlg_texts_create(&texts, NULL), DLG_OK);
    assert_int_equal(dlg_texts_add(texts, text, NULL), DLG_OK);
    assert_int_equal(dlg_truth_of_texts(&made, model, texts, NULL, NULL), DLG_OK);
    dlg_texts_free(texts);
    return made;
}

static int open_all(void **state)
{
    const dlg_model_choice choice = {.preset = "tiny"};
    (void)state;
    assert_int_equal(dlg_machine_start(0, 1, NULL), DLG_OK);
    assert_int_equal(dlg_model_open(&model, &choice, NULL), DLG_OK);
    step = step_of(sentence);
    assert_int_equal(dlg_gradient_compute(&plain, model, step, 0, NULL, 0, NULL), DLG_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    dlg_gradient_free(plain);
    dlg_truth_free(step);
    dlg_model_free(model);
    return 0;
}

static void assert_recovered(dlg_attack *attack)
{
    assert_int_equal(dlg_attack_end_of(attack), DLG_EXPLAINED);
    assert_true(dlg_attack_is_recovered(attack));
    assert_int_equal(dlg_attack_n_sentences(attack), 1);
    assert_string_equal(dlg_attack_text(attack, 0), shown);
}

/* ---- there and back ---- */

static void names_its_version(void **state)
{
    char text[32];
    (void)state;
    snprintf(text, sizeof text, "%d.%d.%d", DLG_VERSION_MAJOR, DLG_VERSION_MINOR, DLG_VERSION_PATCH);
    assert_string_equal(text, DLG_VERSION);
    assert_string_equal(dlg_version(), DLG_VERSION);
    assert_string_not_equal(dlg_machine_products(), "");
    assert_int_equal(dlg_machine_threads(), 1);
}

static void recovers_a_sentence(void **state)
{
    dlg_attack *attack;
    dlg_scores scores;
    size_t n_labels, n_predicted = 0;
    (void)state;
    assert_int_equal(dlg_attack_create(&attack, plain, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_n_sentences(attack), 0);
    assert_int_equal(dlg_attack_end_of(attack), DLG_INTERRUPTED);
    assert_true(isnan(dlg_attack_numbers_of(attack).distance));
    assert_int_equal(dlg_attack_score(&scores, attack, step, NULL), DLG_EARG);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_OK);
    assert_recovered(attack);
    for (size_t t = 0; t < dlg_attack_n_tokens(attack, 0); t++) {
        const dlg_found_token found = dlg_attack_token(attack, 0, t);
        assert_int_equal(found.confidence, DLG_CERTAIN);
        assert_int_equal(found.predicted, found.token != found.fed);
        assert_int_equal(found.predicted, found.source == DLG_FROM_LABEL);
        n_predicted += found.predicted;
    }
    assert_string_equal(dlg_model_piece(model, dlg_attack_token(attack, 0, 0).token), "[CLS]");
    assert_non_null(dlg_attack_labels(attack, &n_labels));
    assert_int_equal(n_labels, n_predicted);
    assert_string_equal(dlg_attack_origin(attack, DLG_KNOWN_LENGTH), "inferred");
    assert_null(dlg_attack_reason(attack));
    assert_true(dlg_attack_numbers_of(attack).distance_of_tokens < 1e-6);
    assert_int_equal(dlg_attack_score(&scores, attack, step, NULL), DLG_OK);
    assert_int_equal(scores.n_right, scores.n_tokens);
    assert_int_equal(scores.n_exact, 1);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_EARG);
    dlg_attack_free(attack);
}

static void recovers_it_from_a_file(void **state)
{
    const char *path = scratch_path("a.g"), *truth_path = scratch_path("a.truth.json");
    dlg_model *its_model;
    dlg_gradient *read;
    dlg_attack *attack;
    dlg_truth *truth;
    (void)state;
    assert_int_equal(dlg_gradient_write(plain, path, DLG_F32, step, truth_path, NULL), DLG_OK);
    assert_int_equal(dlg_model_open_for(&its_model, path, NULL, NULL), DLG_OK);
    assert_string_equal(dlg_model_name(its_model), "tiny");
    assert_string_equal(dlg_model_task(its_model), "mlm");
    assert_int_equal(dlg_gradient_read(&read, its_model, path, NULL), DLG_OK);
    assert_string_equal(dlg_gradient_name(read), path);
    assert_int_equal(dlg_gradient_write(read, path, DLG_F32, step, NULL, NULL), DLG_EARG);
    assert_int_equal(dlg_truth_open(&truth, truth_path, NULL), DLG_OK);
    assert_int_equal(dlg_attack_create(&attack, read, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_truth(attack, DLG_KNOWN_LENGTH, truth, NULL), DLG_OK);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_OK);
    assert_recovered(attack);
    assert_string_equal(dlg_attack_origin(attack, DLG_KNOWN_LENGTH), "told");
    dlg_attack_free(attack);
    dlg_truth_free(truth);
    dlg_gradient_free(read);
    dlg_model_free(its_model);
}

/* ---- arrays ---- */

static size_t fill_arrays(dlg_array *out)
{
    for (size_t i = 0; i < plain->n; i++) {
        const dlg_parameter *p = &model->parameters[i];
        const size_t n = dlg_gradient_values(plain, p->name, NULL), shape[] = {p->n_rows, p->n_cols};
        double *values = dlg_allocate(n, sizeof *values);
        assert_true(i < MOST_PARAMETERS && values);
        assert_int_equal(dlg_gradient_values(plain, p->name, values), n);
        out[i] = (dlg_array){.name = p->name, .dtype = DLG_F64, .n_dims = p->n_dims, .values = values};
        memcpy(out[i].shape, shape + (2 - p->n_dims), p->n_dims * sizeof *shape);
    }
    return plain->n;
}

static void refuse(size_t n, const dlg_array *arrays, dlg_status wanted, const char *object)
{
    dlg_gradient *made;
    dlg_error err;
    assert_refused(dlg_gradient_of_arrays(&made, model, n, arrays, &err), wanted, &err, "gradient", object);
    assert_null(made);
}

static void takes_arrays(void **state)
{
    dlg_array arrays[MOST_PARAMETERS], right;
    dlg_gradient *made;
    dlg_attack *attack;
    (void)state;
    const size_t n = fill_arrays(arrays), last = n - 1;
    assert_int_equal(dlg_gradient_of_arrays(&made, model, n, arrays, NULL), DLG_OK);
    assert_int_equal(dlg_attack_create(&attack, made, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_OK);
    assert_recovered(attack);
    assert_int_equal(dlg_gradient_n_frozen(made), 0);
    dlg_attack_free(attack);
    dlg_gradient_free(made);
    assert_int_equal(dlg_gradient_of_arrays(&made, model, last, arrays, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_n_frozen(made), 1);
    dlg_gradient_free(made);

    right = arrays[last];
    arrays[last].name = "nothing";
    refuse(n, arrays, DLG_EFORMAT, "nothing");
    arrays[last].name = arrays[0].name;
    refuse(n, arrays, DLG_EARG, arrays[0].name);
    arrays[last] = right;
    arrays[last].shape[0]++;
    refuse(n, arrays, DLG_ESHAPE, right.name);
    arrays[last].shape[0] = SIZE_MAX;
    refuse(n, arrays, DLG_ESHAPE, right.name);
    arrays[last] = right;
    arrays[last].n_dims = DLG_ARRAY_MAX_DIMS + 1;
    refuse(n, arrays, DLG_EARG, right.name);
    arrays[last] = right;
    arrays[last].dtype = DLG_I64;
    refuse(n, arrays, DLG_EFORMAT, right.name);
    arrays[last] = right;
    arrays[last].values = NULL;
    refuse(n, arrays, DLG_EARG, right.name);
    arrays[last] = right;
    for (size_t i = 0; i < n; i++) dlg_free((void *)(uintptr_t)arrays[i].values);
}

/* ---- what it is told ---- */

static void is_told_in_order(void **state)
{
    static const size_t lengths[] = {9, 2}, rows[] = {3, 3}, beyond[] = {400, 511}, label = 100000;
    dlg_attack *attack;
    (void)state;
    assert_int_equal(dlg_attack_create(&attack, plain, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_batch(attack, 0, NULL), DLG_EARG);
    assert_int_equal(dlg_attack_tell_batch(attack, 2, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_masked(attack, 1, rows, NULL), DLG_EARG);
    assert_int_equal(dlg_attack_tell_lengths(attack, 1, lengths, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_lengths(attack, 2, lengths, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_batch(attack, 1, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_lengths(attack, 1, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_batch(attack, 2, NULL), DLG_EARG);
    assert_int_equal(dlg_attack_tell_lengths(attack, 1, lengths, NULL), DLG_EARG);
    assert_int_equal(dlg_attack_tell_masked(attack, 2, rows, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_masked(attack, 2, beyond, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_masked(attack, 1, rows, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_labels(attack, 2, beyond, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_labels(attack, 1, &label, NULL), DLG_ESHAPE);
    assert_int_equal(dlg_attack_tell_labels(attack, 1, beyond, NULL), DLG_OK);
    assert_string_equal(dlg_attack_origin(attack, DLG_KNOWN_LABELS), "told");
    assert_int_equal(dlg_attack_prepare(attack, NULL), DLG_OK);
    assert_int_equal(dlg_attack_tell_batch(attack, 1, NULL), DLG_EARG);
    dlg_attack_free(attack);
}

static void refuses_what_there_is_not(void **state)
{
    static const char *const defence = "hope";
    const dlg_attack_choice choices[] = {{.attack = "x"}, {.distance = "x"}, {.optimizer = "x"}};
    dlg_participation how = DLG_PARTICIPATION_INIT;
    dlg_attack *attack;
    dlg_entry entry;
    dlg_texts *texts;
    dlg_truth *truth;
    dlg_gradient *gradient;
    dlg_error err;
    (void)state;
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        assert_refused(dlg_attack_create(&attack, plain, &choices[i], &err), DLG_EARG, &err, "want", "x");
        assert_null(attack);
    }
    assert_true(dlg_catalogue_at(DLG_ATTACKS, 0, &entry));
    assert_string_equal(entry.name, "auto");
    for (int of = DLG_ATTACKS; of <= DLG_PRESETS; of++) {
        assert_true(dlg_catalogue_at((dlg_catalogue)of, 2, &entry));
        assert_string_not_equal(entry.help, "");
        assert_false(dlg_catalogue_at((dlg_catalogue)of, 1000, &entry));
    }
    assert_refused(dlg_gradient_compute(&gradient, model, step, 1, &defence, 0, &err), DLG_EARG, &err, "defence",
                   "hope");
    assert_int_equal(dlg_texts_create(&texts, NULL), DLG_OK);
    assert_refused(dlg_truth_of_texts(&truth, model, texts, NULL, &err), DLG_EARG, &err, "texts", "none");
    assert_int_equal(dlg_texts_add(texts, "red fish", NULL), DLG_OK);
    how.mask_rate = NAN;
    assert_refused(dlg_truth_of_texts(&truth, model, texts, &how, &err), DLG_EARG, &err, "mask rate", "nan");
    dlg_texts_free(texts);
}

/* ---- who watches ---- */

typedef struct {
    size_t n_iterations, stops_after;
} watcher;

static void count_iteration(void *payload, dlg_attack *attack)
{
    watcher *w = payload;
    w->n_iterations++;
    assert_int_equal(dlg_attack_n_sentences(attack), 1);
    assert_non_null(dlg_attack_text(attack, 0));
    assert_int_equal(dlg_attack_token(attack, 0, 0).confidence, DLG_GUESSED);
    for (int format = DLG_WORDS; format <= DLG_JSON; format++) {
        FILE *stream = tmpfile();
        assert_non_null(stream);
        assert_int_equal(dlg_attack_print_iteration(attack, stream, (dlg_format)format, NULL), DLG_OK);
        assert_true(ftell(stream) > 0);
        fclose(stream);
    }
}

static bool is_enough(void *payload)
{
    const watcher *w = payload;
    return w->n_iterations >= w->stops_after;
}

static void is_watched_and_stopped(void **state)
{
    const dlg_attack_choice choice = {.attack = "dlg", .max_iterations = 20, .max_starts = 1};
    (void)state;
    for (size_t stops_after = 0; stops_after < 3; stops_after += 2) {
        watcher w = {.stops_after = stops_after};
        const dlg_observer observer = {.iteration = count_iteration, .interrupted = is_enough, .payload = &w};
        dlg_attack *attack;
        assert_int_equal(dlg_attack_create(&attack, plain, &choice, NULL), DLG_OK);
        if (stops_after) assert_int_equal(dlg_attack_run(attack, &observer, NULL), DLG_OK);
        else assert_int_equal(dlg_attack_run(attack, &observer, NULL), DLG_ECANCELLED); /* before it had begun */
        assert_int_equal(dlg_attack_end_of(attack), DLG_INTERRUPTED);
        assert_int_equal(w.n_iterations, stops_after);
        dlg_attack_free(attack);
    }
    assert_false(dlg_is_interrupted());
}

static bool at_once(void *payload)
{
    return payload != NULL;
}

static void stops_one_threads_work(void **state)
{
    dlg_attack *attack;
    dlg_gradient *gradient;
    (void)state;
    assert_int_equal(dlg_attack_create(&attack, plain, NULL, NULL), DLG_OK);
    dlg_interrupt_when(at_once, &attack);
    assert_true(dlg_is_interrupted());
    assert_int_equal(dlg_gradient_compute(&gradient, model, step, 0, NULL, 0, NULL), DLG_ECANCELLED);
    assert_null(gradient);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_ECANCELLED);
    dlg_interrupt_when(NULL, NULL);
    assert_false(dlg_is_interrupted());
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_OK);
    assert_recovered(attack);
    dlg_attack_free(attack);
}

/* ---- what is read, and what cannot be ---- */

static void reads_off_facts(void **state)
{
    dlg_leakage *leakage;
    const char *from;
    double one, text[64];
    (void)state;
    assert_int_equal(dlg_gradient_inspect(&leakage, plain, NULL), DLG_OK);
    assert_int_equal(dlg_leakage_ground(leakage, DLG_FACT_MODEL, &from), DLG_CERTAIN);
    assert_non_null(from);
    assert_int_equal(dlg_leakage_values(leakage, DLG_FACT_MODEL, &one), 1);
    assert_true(one > 0);
    assert_int_equal(dlg_leakage_values(leakage, DLG_FACT_LENGTH, &one), 1);
    assert_int_equal(dlg_leakage_values(leakage, DLG_FACT_TEXT, NULL), (size_t)one);
    assert_int_equal(dlg_leakage_values(leakage, DLG_FACT_TEXT, text), (size_t)one);
    assert_string_equal(dlg_model_piece(model, (uint32_t)text[(size_t)one - 1]), "[SEP]");
    for (int fact = 0; fact < DLG_N_FACTS; fact++) assert_true(dlg_leakage_values(leakage, (dlg_fact)fact, NULL) > 0);
    assert_string_equal(dlg_fact_name(DLG_FACT_SCALE), "scale");
    dlg_leakage_free(leakage);
}

static void ends_where_nothing_is_to_be_seen(void **state)
{
    static const char *const noise = "gaussian:10";
    dlg_gradient *noisy;
    dlg_attack *attack;
    FILE *stream = tmpfile();
    (void)state;
    assert_non_null(stream);
    assert_int_equal(dlg_gradient_compute(&noisy, model, step, 1, &noise, 0, NULL), DLG_OK);
    assert_int_equal(dlg_attack_create(&attack, noisy, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_run(attack, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_attack_end_of(attack), DLG_UNREADABLE);
    assert_non_null(dlg_attack_reason(attack));
    assert_int_equal(dlg_attack_n_sentences(attack), 0);
    for (int format = DLG_WORDS; format <= DLG_JSON; format++) {
        assert_int_equal(dlg_attack_print_start(attack, stream, (dlg_format)format, NULL), DLG_OK);
        assert_int_equal(dlg_attack_print_result(attack, NULL, stream, (dlg_format)format, NULL), DLG_OK);
    }
    fclose(stream);
    dlg_attack_free(attack);
    dlg_gradient_free(noisy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_its_version),       cmocka_unit_test(recovers_a_sentence),
        cmocka_unit_test(recovers_it_from_a_file), cmocka_unit_test(takes_arrays),
        cmocka_unit_test(is_told_in_order),        cmocka_unit_test(refuses_what_there_is_not),
        cmocka_unit_test(is_watched_and_stopped),  cmocka_unit_test(stops_one_threads_work),
        cmocka_unit_test(reads_off_facts),         cmocka_unit_test(ends_where_nothing_is_to_be_seen)};
    return cmocka_run_group_tests(tests, open_all, close_all);
}
