#include "gradient/update.h"

#include "base/memory.h"
#include "gradient/arrived.h"
#include "math/blas.h"
#include "math/sorted.h"

#include <math.h>

double dlg_last_place(double weight, dlg_dtype dtype)
{
    static const int bits[] = {[DLG_F64] = 53, [DLG_F32] = 24, [DLG_F16] = 11, [DLG_BF16] = 8, [DLG_I64] = 53};
    static const int least[] = {
        [DLG_F64] = -1074, [DLG_F32] = -149, [DLG_F16] = -24, [DLG_BF16] = -133, [DLG_I64] = -1074};
    int exponent;
    if (weight == 0) return 0;
    (void)frexp(weight, &exponent);
    return ldexp(1, exponent - bits[dtype] > least[dtype] ? exponent - bits[dtype] : least[dtype]);
}

double dlg_training_divisor(const dlg_training *t)
{
    return (t->lr > 0 ? t->lr : 1) * (double)(t->n_steps ? t->n_steps : 1);
}

double dlg_update_place(const dlg_training *t, dlg_dtype shared, double weight)
{
    /* The participant's weights are single precision where the difference is all there is, or finer. */
    return dlg_last_place(weight, t->shared == DLG_SHARED_WEIGHTS ? shared : DLG_F32) / dlg_training_divisor(t);
}

/* What one parameter moved by, divided by what it is known to have been multiplied with; and its rounding. */
static dlg_status convert_parameter(dlg_gradient *gradient, size_t i, const dlg_training *t, dlg_error *err)
{
    const dlg_parameter *p = &gradient->model->parameters[i];
    const size_t n = dlg_parameter_items(p);
    const double divisor = dlg_training_divisor(t), decay = t->lr > 0 ? t->weight_decay : 0;
    dlg_real *out = gradient->owned[i] ? gradient->owned[i] : dlg_allocate(n, sizeof *out);
    if (!out) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", dlg_safetensors_path(gradient->file), p->name);
    double squares = 0;
    for (size_t k = 0; k < n; k++) {
        const double shared = (double)gradient->values[i][k], before = (double)p->value[k];
        const double moved = t->shared == DLG_SHARED_WEIGHTS ? before - shared : -shared;
        const double place = dlg_update_place(t, gradient->dtype, before);
        out[k] = (dlg_real)(moved / divisor - decay * before);
        squares += place * place;
    }
    gradient->owned[i] = out;
    gradient->values[i] = out;
    /* Each step rounds the weights again. */
    gradient->rounding[i] = n ? sqrt(squares / 12 * (double)(t->n_steps ? t->n_steps : 1) / (double)n) : 0;
    return DLG_OK;
}

/* ---- what took the steps, where it is not told ---- */

/*
 * AdamW moves every entry by lr or less at each step, and most by nearly as much: the largest entry of a matrix is
 * hardly larger than their root mean square, the same at one step and three times it after many. A gradient's entries
 * are of all sizes, in a matrix of one text's at least ten times that.
 */
static const double of_adamw = 3.5, of_one_step = 1.3;

/* Of each matrix that moved, the root mean square of what did, and the largest entry as a part of it. @return how
 * many */
static size_t find_sizes(const dlg_gradient *gradient, double *sizes, double *largest)
{
    size_t n = 0;
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        const size_t n_items = dlg_parameter_items(p);
        const dlg_real *g = gradient->values[i];
        size_t n_moved = 0;
        if (!g || p->n_dims != 2 || p == gradient->model->roles.words) continue;
        for (size_t k = 0; k < n_items; k++) n_moved += fabs((double)g[k]) > 8 * gradient->rounding[i];
        if (2 * n_moved < n_items) continue;
        sizes[n] = sqrt(dlg_dot(n_items, g, g) / (double)n_moved);
        largest[n] = (double)dlg_largest_absolute(n_items, g) / sizes[n];
        n++;
    }
    return n;
}

/* In units of the one step, which had that learning rate. */
static void divide(dlg_gradient *gradient, double lr)
{
    gradient->training.lr = lr;
    gradient->training.n_steps = 1;
    for (size_t i = 0; i < gradient->n; i++) {
        gradient->rounding[i] /= lr;
        for (size_t k = 0; gradient->values[i] && k < dlg_parameter_items(&gradient->model->parameters[i]); k++)
            gradient->owned[i][k] = (dlg_real)((double)gradient->values[i][k] / lr);
    }
}

static dlg_status infer_trainer(dlg_gradient *gradient, dlg_error *err)
{
    dlg_training *t = &gradient->training;
    double *sizes = dlg_allocate(2 * gradient->n, sizeof *sizes);
    if (!sizes) return dlg_fail(err, DLG_ENOMEM, "update: no memory");
    double *largest = sizes + gradient->n;
    const size_t n = find_sizes(gradient, sizes, largest);
    const double ratio = dlg_sort_median(n, largest);
    if (n && ratio < of_adamw) {
        const dlg_training found = {.shared = t->shared, .lr = t->lr, .n_steps = t->n_steps, .is_inferred = true};
        *t = found;
        if (!dlg_training_parse(t, "adamw", err) && ratio < of_one_step && !(t->lr > 0))
            divide(gradient, dlg_sort_median(n, sizes));
    }
    dlg_free(sizes);
    return DLG_OK;
}

static dlg_status convert(dlg_gradient *gradient, const void *how, dlg_error *err)
{
    const dlg_training *t = how;
    dlg_status status = DLG_OK;
    gradient->training = *t;
    if (t->shared == DLG_SHARED_WEIGHTS && !dlg_refuse_weights(gradient, NULL))
        return dlg_fail(err, DLG_EFORMAT, "%s: want weights of %s after training, found other numbers",
                        dlg_safetensors_path(gradient->file), gradient->model->name);
    gradient->rounding = dlg_allocate(gradient->n, sizeof *gradient->rounding);
    if (!gradient->rounding) return dlg_fail(err, DLG_ENOMEM, "update: no memory");
    for (size_t i = 0; i < gradient->n && !status; i++)
        if (gradient->values[i]) status = convert_parameter(gradient, i, t, err);
    return status || t->trainer ? status : infer_trainer(gradient, err);
}

dlg_status dlg_update_open(dlg_gradient *out, dlg_safetensors *file, const dlg_model *before, const dlg_training *t,
                           dlg_error *err)
{
    if (!t->shared) return dlg_gradient_open(out, file, before, err);
    return dlg_gradient_open_as(out, file, before, convert, t, err);
}
