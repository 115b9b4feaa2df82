#include "gradient/decay.h"

#include "base/memory.h"
#include "gradient/update.h"
#include "math/blas.h"

#include <math.h>

/* Both terms, and their sum, are rounded. */
static const double last_places = 3;

/* How far one entry is off. */
static double place_of(const dlg_gradient *gradient, double shared, double weight)
{
    const dlg_training *t = &gradient->training;
    return t->shared ? dlg_update_place(t, gradient->dtype, weight) : dlg_last_place(shared, gradient->dtype);
}

static double multiple(size_t n, const dlg_real *g, const dlg_real *w)
{
    const double squares = dlg_dot(n, w, w);
    return squares > 0 ? dlg_dot(n, g, w) / squares : 0;
}

/* Whether these are the weights d times, to their last places. */
static bool is_decay(const dlg_gradient *gradient, size_t n, const dlg_real *g, const dlg_real *w, double d)
{
    for (size_t i = 0; i < n; i++)
        if (fabs((double)g[i] - d * (double)w[i]) > last_places * place_of(gradient, (double)g[i], (double)w[i]))
            return false;
    return true;
}

/* The multiple that the last two positions' rows show; 0: none. */
static double find(const dlg_gradient *gradient)
{
    const dlg_parameter *p = gradient->model->roles.positions;
    const dlg_real *g = dlg_gradient_at(gradient, p);
    if (!g || p->n_rows < 2) return 0;
    const size_t n = 2 * p->n_cols, first = (p->n_rows - 2) * p->n_cols;
    const double d = multiple(n, g + first, p->value + first);
    return d != 0 && is_decay(gradient, n, g + first, p->value + first, d) ? d : 0;
}

/*
 * With y = gamma x + beta, and y W^T all that follows, as behind the last block: the sum over rows of <y, dy> is
 *
 *   <gamma, dgamma> + <beta, dbeta> = <W, dW>.
 *
 * What is left of that where dW is without decay is the vectors' own. Where it cannot be asked all decay, as PyTorch's
 * optimizers do it unless told otherwise.
 */
static bool includes_vectors(const dlg_gradient *gradient, double d)
{
    const dlg_roles *roles = &gradient->model->roles;
    const dlg_norm_role norm = roles->blocks[gradient->model->config.n_layers - 1].output_norm;
    const dlg_parameter *scale = norm.scale, *shift = norm.shift, *head = roles->head.weight;
    if (!roles->is_post_norm || !scale || !shift || !head) return true;
    const dlg_real *of_scale = dlg_gradient_at(gradient, scale), *of_shift = dlg_gradient_at(gradient, shift),
                   *of_head = dlg_gradient_at(gradient, head);
    if (!of_scale || !of_shift || !of_head) return true;
    const size_t n = scale->n_cols, n_head = dlg_parameter_items(head);
    const double squares = dlg_dot(n, scale->value, scale->value) + dlg_dot(n, shift->value, shift->value),
                 squares_of_head = dlg_dot(n_head, head->value, head->value);
    const double left = dlg_dot(n, of_scale, scale->value) + dlg_dot(n, of_shift, shift->value) -
                        (dlg_dot(n_head, of_head, head->value) - d * squares_of_head);
    return left / (d * squares) > 0.5;
}

static dlg_status take_out(dlg_gradient *gradient, size_t i, double d, dlg_error *err)
{
    const dlg_parameter *p = &gradient->model->parameters[i];
    const size_t n = dlg_parameter_items(p);
    dlg_real *out = gradient->owned[i] ? gradient->owned[i] : dlg_allocate(n, sizeof *out);
    if (!out) return dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", dlg_safetensors_path(gradient->file), p->name);
    double squares = 0;
    for (size_t k = 0; k < n; k++) {
        const double shared = (double)gradient->values[i][k], weight = (double)p->value[k], left = shared - d * weight,
                     place = place_of(gradient, shared, weight);
        out[k] = (dlg_real)(fabs(left) > last_places * place ? left : 0);
        squares += place * place;
    }
    gradient->owned[i] = out;
    gradient->values[i] = out;
    gradient->rounding[i] = fmax(gradient->rounding[i], n ? sqrt(squares / 12 / (double)n) : 0);
    return DLG_OK;
}

dlg_status dlg_decay_take_out(dlg_gradient *gradient, dlg_error *err)
{
    const double d = find(gradient);
    dlg_status status = DLG_OK;
    if (d == 0) return DLG_OK;
    const bool is_of_all = includes_vectors(gradient, d);
    if (!gradient->rounding) gradient->rounding = dlg_allocate(gradient->n, sizeof *gradient->rounding);
    if (!gradient->rounding) return dlg_fail(err, DLG_ENOMEM, "weight decay: no memory");
    for (size_t i = 0; i < gradient->n && !status; i++)
        if (gradient->values[i] && (is_of_all || gradient->model->parameters[i].n_dims != 1))
            status = take_out(gradient, i, d, err);
    gradient->decay = d;
    return status;
}
