/**
 * Weights after training and differences become the gradient that would have made them, to the weights' last places;
 * the rows that moved are the bag of tokens, whatever took the steps and however many; and where they stood is read off
 * signs as well as off sizes.
 */
#include "gradient/update.h"

#include "analysed.h"
#include "analytic/tokens/update_text.h"
#include "attacks/table.h"
#include "attacks/update.h"
#include "base/memory.h"
#include "scarce.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static shared_step step;

static int share(void **state)
{
    (void)state;
    step_share_sentence(&step, DLG_SEQUENCE_CLASSIFICATION);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&step);
    return 0;
}

static dlg_training training_of(dlg_shared shared, const char *optimizer, double lr, size_t n_steps)
{
    dlg_training t = {.shared = shared, .lr = lr, .n_steps = n_steps};
    assert_int_equal(dlg_training_parse(&t, optimizer, NULL), DLG_OK);
    return t;
}

/* What was shared, as a file of it is read; its numbers are borrowed from `shared`. */
typedef struct {
    dlg_gradient shared, read;
    dlg_safetensors *file;
} update;

static dlg_status open_shared(update *u, const dlg_training *told, dlg_error *err)
{
    static dlg_array arrays[128];
    assert_true(u->shared.n <= sizeof arrays / sizeof *arrays);
    for (size_t i = 0; i < u->shared.n; i++) {
        const dlg_parameter *p = &step.model->parameters[i];
        arrays[i] = (dlg_array){.name = p->name,
                                .dtype = sizeof(dlg_real) == sizeof(float) ? DLG_F32 : DLG_F64,
                                .n_dims = p->n_dims,
                                .shape = {p->n_dims == 1 ? p->n_cols : p->n_rows, p->n_cols},
                                .values = u->shared.values[i]};
    }
    assert_int_equal(dlg_safetensors_of_arrays(&u->file, "update", u->shared.n, arrays, NULL), DLG_OK);
    return dlg_update_open(&u->read, u->file, step.model, told, err);
}

static void train(update *u, const dlg_training *how, const dlg_training *told)
{
    dlg_error err;
    const dlg_step taken = {.batch = &step.batch, .fed = step.fed, .labels = step.labels};
    *u = (update){0};
    assert_int_equal(dlg_update_train(&u->shared, NULL, step.model, &taken, how, NULL), DLG_OK);
    if (open_shared(u, told, &err)) fail_msg("%s", err.message);
}

static void end(update *u)
{
    dlg_gradient_release(&u->read);
    dlg_safetensors_close(u->file);
    dlg_gradient_release(&u->shared);
}

static void becomes_the_gradient(void **state)
{
    (void)state;
    for (int shared = DLG_SHARED_DIFFERENCE; shared <= DLG_SHARED_WEIGHTS; shared++)
        for (size_t with_decay = 0; with_decay < 2; with_decay++) {
            const char *sgd = with_decay ? "sgd:weight_decay=0.01" : "sgd";
            const dlg_training how = training_of((dlg_shared)shared, sgd, 1e-2, 1);
            update u;
            train(&u, &how, &how);
            double left = 0, expected = 0;
            for (size_t i = 0; i < u.read.n; i++) {
                const dlg_parameter *p = &step.model->parameters[i];
                const size_t n = dlg_parameter_items(p);
                const double off = dlg_gradient_rounding_at(&u.read, p);
                for (size_t k = 0; k < n; k++)
                    left += pow((double)u.read.values[i][k] - (double)step.gradient.values[i][k], 2);
                expected += (double)n * off * off;
            }
            assert_true(expected > 0);
            assert_true(left < 1.2 * expected);
            end(&u);
        }
}

static void check_bag(const update *u)
{
    dlg_update_tokens found;
    assert_int_equal(dlg_update_tokens_find(&found, &u->read, NULL), DLG_OK);
    assert_true(found.sees_tokens && found.is_clear && found.length_is_clear);
    assert_int_equal(found.length, STEP_LENGTH);
    assert_int_equal(found.n_tokens, STEP_LENGTH); /* all are different */
    assert_int_equal(found.n_least, 1);
    for (size_t i = 0; i < found.n_tokens; i++) {
        bool was_fed = false;
        for (size_t t = 0; t < STEP_LENGTH; t++) was_fed |= step.fed[t] == found.tokens[i];
        assert_true(was_fed);
        assert_true(!i || found.tokens[i] > found.tokens[i - 1]);
    }
    dlg_update_tokens_release(&found);
}

/* The text, or none where none was found. */
static dlg_attack_end attack(const update *u)
{
    const dlg_attack_options options = {.distance = &dlg_l2, .minimiser = &dlg_lbfgs};
    dlg_attack_result result = {.end = DLG_EXHAUSTED};
    dlg_analysis *analysis;
    dlg_knowledge nothing = {0};
    assert_int_equal(dlg_analysis_create(&analysis, &u->read, special, NULL), DLG_OK);
    assert_int_equal(dlg_update_run(&result, analysis, &nothing, &options, NULL, NULL), DLG_OK);
    const dlg_attack_end ended = result.end;
    if (result.state.tokens) {
        assert_memory_equal(result.state.fed, step.fed, STEP_LENGTH * sizeof *step.fed);
        assert_int_equal(result.knowledge->labels[0], step.labels[0]);
    }
    dlg_attack_result_release(&result);
    dlg_analysis_free(analysis);
    return ended;
}

static void shows_its_tokens_and_its_text(void **state)
{
    (void)state;
    static const char *const optimizers[] = {"sgd", "sgd:weight_decay=0.1", "adamw", "adamw:weight_decay=0,beta1=0.5"};
    static const size_t steps[] = {1, 4};
    for (size_t o = 0; o < sizeof optimizers / sizeof *optimizers; o++)
        for (size_t k = 0; k < 2; k++) {
            const dlg_training how = training_of(k ? DLG_SHARED_DIFFERENCE : DLG_SHARED_WEIGHTS, optimizers[o],
                                                 o < 2 ? 1e-3 : 5e-5, steps[k]);
            update u;
            train(&u, &how, &how);
            check_bag(&u);
            assert_int_equal(attack(&u), dlg_training_hides_sizes(&how) ? DLG_EXPLAINED : DLG_SETTLED);
            end(&u);
        }
}

/* Nobody says what took the steps: the bag is the same, and one step of AdamW shows its learning rate. */
static void needs_not_be_told(void **state)
{
    (void)state;
    const dlg_training told = {.shared = DLG_SHARED_WEIGHTS};
    const dlg_training adamw = training_of(DLG_SHARED_WEIGHTS, "adamw", 5e-5, 1),
                       sgd = training_of(DLG_SHARED_WEIGHTS, "sgd", 1e-2, 1);
    update u;
    train(&u, &adamw, &told);
    assert_true(u.read.training.is_inferred);
    assert_int_equal(u.read.training.trainer, DLG_TRAINER_ADAMW);
    assert_true(fabs(u.read.training.lr / 5e-5 - 1) < 0.01);
    check_bag(&u);
    assert_int_equal(attack(&u), DLG_EXPLAINED);
    end(&u);
    train(&u, &sgd, &told);
    assert_int_equal(u.read.training.trainer, DLG_TRAINER_UNKNOWN);
    check_bag(&u);
    assert_int_equal(attack(&u), DLG_SETTLED);
    end(&u);
}

/* before - after, as some tools share it; of three classes the sign shows. */
static void takes_either_sign(void **state)
{
    (void)state;
    const dlg_training how = training_of(DLG_SHARED_DIFFERENCE, "adamw", 5e-5, 1);
    const dlg_step taken = {.batch = &step.batch, .fed = step.fed, .labels = step.labels};
    update u = {0};
    assert_int_equal(dlg_update_train(&u.shared, NULL, step.model, &taken, &how, NULL), DLG_OK);
    for (size_t i = 0; i < u.shared.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&step.model->parameters[i]); k++) u.shared.owned[i][k] *= -1;
    assert_int_equal(open_shared(&u, &how, NULL), DLG_OK);
    assert_int_equal(attack(&u), DLG_EXPLAINED);
    end(&u);
}

/* A sentence holds no more different tokens than it is long. */
static void counts_sentences(void **state)
{
    (void)state;
    const dlg_training how = training_of(DLG_SHARED_WEIGHTS, "adamw", 5e-5, 1);
    const size_t lengths[] = {STEP_LENGTH, STEP_LENGTH, STEP_LENGTH};
    const dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, STEP_WORDS, 64, 20);
    shared_step one = step, three;
    step_begin(&three, step_model(&config, 2), 3, lengths);
    for (size_t b = 0; b < 3; b++) {
        three.labels[b] = b;
        for (size_t t = 1; t + 1 < STEP_LENGTH; t++) three.fed[b * STEP_LENGTH + t] = (uint32_t)(10 + 20 * b + t);
    }
    step_share(&three, 0, NULL);
    step = three;
    update u;
    dlg_update_tokens found;
    train(&u, &how, &how);
    assert_int_equal(dlg_update_tokens_find(&found, &u.read, NULL), DLG_OK);
    assert_int_equal(found.n_tokens, 3 * (STEP_LENGTH - 2) + 2);
    assert_int_equal(found.n_least, 3);
    dlg_update_tokens_release(&found);
    end(&u);
    step = one;
    step_release(&three);
}

/* Another text's rows are no match: nothing is claimed. */
static void claims_nothing_of_two_texts(void **state)
{
    (void)state;
    const dlg_training how = training_of(DLG_SHARED_WEIGHTS, "adamw", 5e-5, 1);
    shared_step one = step, two;
    const dlg_config config = step_config(DLG_SEQUENCE_CLASSIFICATION, STEP_WORDS, 64, 20);
    step_begin(&two, step_model(&config, 2), 2, (const size_t[]){STEP_LENGTH, STEP_LENGTH});
    for (size_t t = 1; t + 1 < STEP_LENGTH; t++) {
        two.fed[t] = one.fed[t];
        two.fed[STEP_LENGTH + t] = one.fed[STEP_LENGTH - 1 - t];
    }
    two.labels[0] = 1;
    step_share(&two, 0, NULL);
    step = two;
    update u;
    train(&u, &how, &how);
    step = one;
    assert_int_equal(attack(&u), DLG_EXHAUSTED);
    end(&u);
    step_release(&two);
}

static void refuses_what_did_not_change(void **state)
{
    (void)state;
    const dlg_training how = training_of(DLG_SHARED_WEIGHTS, "sgd", 1e-3, 1);
    dlg_error err;
    update u = {0};
    assert_int_equal(dlg_gradient_create(&u.shared, step.model, NULL), DLG_OK);
    for (size_t i = 0; i < u.shared.n; i++)
        memcpy(u.shared.owned[i], step.model->parameters[i].value,
               dlg_parameter_items(&step.model->parameters[i]) * sizeof(dlg_real));
    assert_int_equal(open_shared(&u, &how, &err), DLG_EFORMAT);
    assert_string_equal(err.message, "update: every weight is as it was before, there is nothing to recover");
    end(&u);
}

static dlg_status open_and_read(void *payload, dlg_error *err)
{
    update *u = payload;
    dlg_update_tokens found = {0};
    dlg_update_text match = {0};
    dlg_gradient read = {0};
    const dlg_training told = {.shared = DLG_SHARED_WEIGHTS};
    dlg_status status = dlg_update_open(&read, u->file, step.model, &told, err);
    if (!status) status = dlg_update_tokens_find(&found, &read, err);
    if (!status) status = dlg_update_text_match(&match, &read, &found, err);
    dlg_update_text_release(&match);
    dlg_update_tokens_release(&found);
    dlg_gradient_release(&read);
    return status;
}

static void runs_out_of_memory_in_peace(void **state)
{
    (void)state;
    const dlg_training how = training_of(DLG_SHARED_WEIGHTS, "adamw", 5e-5, 1);
    update u;
    train(&u, &how, &how);
    assert_true(fail_every_allocation(open_and_read, &u) > 0);
    end(&u);
}

static void spells_trainings(void **state)
{
    (void)state;
    dlg_training t = {.shared = DLG_SHARED_GRADIENT}, again = {.shared = DLG_SHARED_GRADIENT};
    char text[DLG_TRAINING_TEXT];
    dlg_error err;
    assert_int_equal(dlg_training_parse(&t, "adamw:eps=1e-6,beta2=0.99", NULL), DLG_OK);
    assert_string_equal(dlg_training_spell(&t, text), "adamw:weight_decay=0.01,eps=1e-06,beta1=0.9,beta2=0.99");
    assert_int_equal(dlg_training_parse(&again, text, NULL), DLG_OK);
    assert_memory_equal(&t, &again, sizeof t);
    static const char *const wrong[] = {"",           "adam",        "sgd:",          "sgd:eps=1",  "adamw:eps",
                                        "adamw:eps=", "adamw:eps=x", "adamw:beta1=1", "adamw,eps=1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(dlg_training_parse(&t, wrong[i], &err), DLG_EARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_the_gradient),
        cmocka_unit_test(shows_its_tokens_and_its_text),
        cmocka_unit_test(needs_not_be_told),
        cmocka_unit_test(takes_either_sign),
        cmocka_unit_test(counts_sentences),
        cmocka_unit_test(claims_nothing_of_two_texts),
        cmocka_unit_test(refuses_what_did_not_change),
        cmocka_unit_test(runs_out_of_memory_in_peace),
        cmocka_unit_test(spells_trainings),
    };
    return cmocka_run_group_tests(tests, share, release);
}
