/** Weight decay that is in a gradient is found and taken out, of vectors where they have it, and of nothing else. */
#include "gradient/decay.h"
#include "math/blas.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const double decay = 2e-3;

/* As a file of single precision's numbers has it. */
static void add_decay(shared_step *s, bool of_vectors)
{
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        for (size_t k = 0; k < dlg_parameter_items(p) && (of_vectors || p->n_dims > 1); k++)
            s->gradient.owned[i][k] = (dlg_real)(float)((double)s->gradient.owned[i][k] + decay * (double)p->value[k]);
    }
    s->gradient.dtype = DLG_F32;
}

static void assert_like(const dlg_gradient *a, const dlg_gradient *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const dlg_parameter *p = &a->model->parameters[i];
        for (size_t k = 0; k < dlg_parameter_items(p); k++) {
            const double size = fabs((double)b->values[i][k]) + decay * fabs((double)p->value[k]);
            assert_true(fabs((double)a->values[i][k] - (double)b->values[i][k]) <= 1e-6 * size);
        }
    }
}

static void taken_out(void **state)
{
    (void)state;
    const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (int of_vectors = 0; of_vectors < 2; of_vectors++)
        for (size_t k = 0; k < 2; k++) {
            shared_step s, plain;
            step_share_sentence(&s, tasks[k]);
            step_share_sentence(&plain, tasks[k]);
            add_decay(&s, of_vectors);
            assert_int_equal(dlg_decay_take_out(&s.gradient, NULL), DLG_OK);
            assert_true(fabs(s.gradient.decay / decay - 1) < 1e-5);
            assert_like(&s.gradient, &plain.gradient);
            const dlg_parameter *p = s.model->roles.positions;
            const dlg_real *behind = dlg_gradient_at(&s.gradient, p) + STEP_LENGTH * p->n_cols;
            assert_true(dlg_largest_absolute((p->n_rows - STEP_LENGTH) * p->n_cols, behind) == 0);
            step_release(&s);
            step_release(&plain);
        }
}

/* A gradient without it, one with noise behind the text, and one without the position embedding's, stay as they are. */
static void not_there(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        shared_step s;
        step_share_sentence(&s, DLG_MASKED_LM);
        s.gradient.dtype = DLG_F32;
        if (kind == 1) step_defend(&s, "gaussian:0.001", 1);
        const size_t positions = (size_t)(s.model->roles.positions - s.model->parameters);
        if (kind == 2) s.gradient.values[positions] = NULL;
        const dlg_real first = s.gradient.values[0][0];
        assert_int_equal(dlg_decay_take_out(&s.gradient, NULL), DLG_OK);
        assert_true(s.gradient.decay == 0 && !s.gradient.rounding);
        assert_true(s.gradient.values[0][0] == first);
        step_release(&s);
    }
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(taken_out), cmocka_unit_test(not_there)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
