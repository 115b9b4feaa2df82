/* Why a gradient is not that of one step on this model: what is named, and that nothing is named without a cause. */
#include "analytic/causes.h"
#include "inspected.h"
#include "math/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { LENGTH = 12, HIDDEN = 64 };

static const size_t lengths[] = {LENGTH, 7};

static void share(shared_step *s, size_t n_sentences)
{
    inspected_share(s, inspected_preset(DLG_MASKED_LM, true), n_sentences, lengths, 2, 4, 2);
}

static void assert_named(const shared_step *s, const char *name)
{
    dlg_inspection found = inspected_read(s);
    assert_int_equal(found.causes.n, name != NULL);
    if (name) assert_true(dlg_causes_have(&found.causes, name));
    dlg_inspection_release(&found);
}

static void nothing(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        shared_step s;
        share(&s, n);
        assert_named(&s, NULL);
        step_release(&s);
    }
}

/* What a participant's optimizer does to the weights after the step: a little to all of them. */
static void move_weights(dlg_model *model, double part)
{
    for (size_t i = 0; i < model->n_parameters; i++) {
        dlg_real *value = (dlg_real *)(size_t)model->parameters[i].value; /* drawn: the model's own memory */
        for (size_t k = 0; k < dlg_parameter_items(&model->parameters[i]); k++)
            value[k] += (dlg_real)(part * 0.05 * dlg_random_normal_at(3, (uint32_t)i, k));
    }
}

static void another_steps_weights(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        shared_step s;
        share(&s, n);
        move_weights(s.model, 1e-3);
        assert_named(&s, "weights");
        step_release(&s);
    }
}

/* One step at the model and one after it. */
static void several_steps(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 2; n++) {
        shared_step s;
        dlg_gradient second;
        share(&s, n);
        const dlg_step again = {.batch = &s.batch, .fed = s.fed, .labels = s.labels};
        move_weights(s.model, 1e-2);
        assert_int_equal(dlg_gradient_share(&second, NULL, s.model, &again, NULL), DLG_OK);
        move_weights(s.model, -1e-2);
        for (size_t i = 0; i < second.n; i++)
            for (size_t k = 0; k < dlg_parameter_items(&s.model->parameters[i]); k++)
                s.gradient.owned[i][k] += second.values[i][k];
        assert_named(&s, "steps");
        dlg_gradient_release(&second);
        step_release(&s);
    }
}

static void foreign(void **state)
{
    (void)state;
    shared_step s;
    share(&s, 1);
    move_weights(s.model, 3);
    assert_named(&s, NULL);
    step_release(&s);
}

/* Some of the numbers of layer 0's inputs did not go in. */
static void dropout(void **state)
{
    (void)state;
    shared_step s;
    share(&s, 1);
    const dlg_block_roles *block = &s.model->roles.blocks[0];
    const dlg_linear_role roles[] = {block->query, block->key, block->value};
    for (size_t i = 0; i < 3; i++) {
        dlg_real *g = (dlg_real *)(size_t)dlg_gradient_at(&s.gradient, roles[i].weight);
        for (size_t k = 0; k < (size_t)HIDDEN * HIDDEN; k++) g[k] *= k % HIDDEN % 9 == 4 ? 0 : (dlg_real)(1 / 0.9);
    }
    assert_named(&s, "dropout");
    dlg_inspection found = inspected_read(&s);
    assert_true(found.fits && found.fits_ground.sure == DLG_LIKELY);
    inspected_assert_text(&found, &s); /* the rows for positions are as they were */
    dlg_inspection_release(&found);
    step_release(&s);
}

static void clipped(void **state)
{
    (void)state;
    shared_step s;
    share(&s, 1);
    dlg_inspection found = inspected_read(&s);
    inspected_scale(&s, 0.5 / found.traces.norm);
    dlg_inspection_release(&found);
    assert_named(&s, "clipped");
    step_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing),       cmocka_unit_test(another_steps_weights),
                                       cmocka_unit_test(several_steps), cmocka_unit_test(foreign),
                                       cmocka_unit_test(dropout),       cmocka_unit_test(clipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
