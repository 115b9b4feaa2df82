/* Which loss the head's gradient is of, beside a text whose predicted rows are known: see predicted_rows.h. */
#include "analytic/labels/head_gradient.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>

/* Another loss is taken where it leaves so many times less of G. */
static const double clearly = 10;

/* Rows that weigh the same to this part weigh alike. */
static const double alike = 1e-3;

typedef struct {
    const dlg_head_gradient *m;
    size_t n, H;
    const size_t *row;
    const dlg_real *expected; /* (n, H) by dlg_head_expect */
    double *delta;            /* (n, H) J E^T (p - e_y) */
    double *smooth;           /* (n, H) J E^T (p - uniform); NULL: what smoothing would add is not asked for */
    double *gram;             /* (n, n) products of the rows h */
    double *image;            /* (n, H) G h */
} fitting;

static dlg_status no_memory(dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "loss: no memory");
}

static const dlg_real *encoded(const fitting *f, size_t i)
{
    return f->m->network->encoded->x + f->row[i] * f->H;
}

static void release(fitting *f)
{
    dlg_free(f->image);
    dlg_free(f->gram);
    dlg_free(f->smooth);
    dlg_free(f->delta);
}

/* The deltas of these labels. */
static void set_deltas(fitting *f, const size_t *label)
{
    const size_t H = f->H;
    const dlg_real *decoder = f->m->gradient->model->roles.decoder.weight->value;
    for (size_t i = 0; i < f->n; i++) {
        double *delta = f->delta + i * H;
        for (size_t k = 0; k < H; k++) delta[k] = (double)f->expected[i * H + k] - (double)decoder[label[i] * H + k];
        dlg_head_pull_back(f->m->network, i, delta);
    }
}

static dlg_status prepare(fitting *f, const dlg_predicted_rows *rows, dlg_error *err)
{
    const size_t n = f->n, H = f->H;
    f->delta = dlg_allocate(n * H, sizeof *f->delta);
    f->gram = dlg_allocate(n * n, sizeof *f->gram);
    f->image = dlg_allocate(n * H, sizeof *f->image);
    if (!f->delta || !f->gram || !f->image) return no_memory(err);
    set_deltas(f, rows->label);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < H; k++) f->image[i * H + k] = dlg_dot(H, f->m->head + k * H, encoded(f, i));
        for (size_t j = 0; j < n; j++) f->gram[i * n + j] = dlg_dot(H, encoded(f, i), encoded(f, j));
    }
    return DLG_OK;
}

/* <sum a_i h_i^T, sum b_j h_j^T> */
static double across(const fitting *f, const double *a, const double *b)
{
    double sum = 0;
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->n; j++)
            sum += dlg_dot_of_doubles(f->H, a + i * f->H, b + j * f->H) * f->gram[i * f->n + j];
    return sum;
}

/* ---- softmax ---- */

/* G = sum c_i delta_i h_i^T by least squares: what the rows weigh, and the factor. */
static dlg_status fit_weights(dlg_predicted_rows *out, const fitting *f, dlg_error *err)
{
    const size_t n = f->n;
    double *a = dlg_allocate(n * n, sizeof *a), *b = dlg_allocate(n, sizeof *b), factor = 0;
    out->weights = dlg_allocate(n, sizeof *out->weights);
    dlg_status status = a && b && out->weights ? DLG_OK : no_memory(err);
    for (size_t i = 0; !status && i < n; i++) {
        b[i] = dlg_dot_of_doubles(f->H, f->delta + i * f->H, f->image + i * f->H);
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = f->gram[i * n + j] * dlg_dot_of_doubles(f->H, f->delta + i * f->H, f->delta + j * f->H);
    }
    if (!status)
        status = dlg_least_squares(n, n, 1, a, b, dlg_tolerance_direction(DLG_GRAM_ROUNDOFF), out->weights, err);
    for (size_t i = 0; !status && i < n; i++) factor += out->weights[i];
    bool are_alike = true;
    for (size_t i = 0; !status && i < n; i++) {
        out->weights[i] *= (double)n / factor;
        are_alike &= fabs(out->weights[i] - 1) < alike;
    }
    if (!status) out->loss = (dlg_loss){.kind = are_alike ? DLG_LOSS_MEAN : DLG_LOSS_WEIGHTED, .softmax = {factor, 0}};
    dlg_free(a);
    dlg_free(b);
    return status;
}

/*
 * G = sum (a delta_i + b smooth_i) h_i^T by least squares: smoothing b/(a + b) of labels that weigh alike. It is taken
 * where it leaves a smaller part of G than no smoothing does by so much that rounding cannot be why. Two rows of two
 * classes are two numbers, which some smoothing makes whatever they are, as weights do.
 */
static bool fit_smoothing(dlg_loss *out, const fitting *f)
{
    const double dd = across(f, f->delta, f->delta), ds = across(f, f->delta, f->smooth),
                 ss = across(f, f->smooth, f->smooth), gd = dlg_dot_of_doubles(f->n * f->H, f->delta, f->image),
                 gs = dlg_dot_of_doubles(f->n * f->H, f->smooth, f->image),
                 gg = dlg_dot(f->H * f->H, f->m->head, f->m->head);
    const double fits = dlg_tolerance_label(), determinant = dd * ss - ds * ds;
    if (!(determinant > dlg_tolerance_direction(DLG_GRAM_ROUNDOFF) * dd * ss)) return false;
    const double a = (gd * ss - gs * ds) / determinant, b = (gs * dd - gd * ds) / determinant;
    const double plain2 = gg - gd * gd / dd, left2 = gg - a * gd - b * gs, smoothing = b / (a + b);
    if (!(left2 < fits * fits * gg && clearly * clearly * left2 < plain2 && smoothing > fits &&
          smoothing < DLG_SMOOTHING_MOST))
        return false;
    const bool is_any = f->n == 2 && f->m->network->loss->logits->n_cols == 2;
    *out = (dlg_loss){
        .kind = DLG_LOSS_SMOOTHED, .softmax = {(double)f->n * (a + b), smoothing}, .is_weighted_too = is_any};
    return true;
}

static void swap_classes(fitting *f, size_t *label)
{
    for (size_t i = 0; i < f->n; i++) label[i] = 1 - label[i];
    set_deltas(f, label);
}

/* Of two classes each row has the other with the other sign. @return whether these are smoothed, and now the labels */
static bool fit_other_sign(dlg_loss *out, size_t *label, fitting *f)
{
    swap_classes(f, label);
    if (fit_smoothing(out, f)) return true;
    swap_classes(f, label);
    return false;
}

static void weigh_alike(dlg_predicted_rows *out)
{
    dlg_free(out->weights);
    out->weights = NULL;
}

/* Whether labels that weigh alike leave no more of G than rounding does: no smoothing need be looked for. */
static bool is_plain(const fitting *f)
{
    const dlg_gradient *gradient = f->m->gradient;
    const double rounding = dlg_tolerance_explained(gradient->roundoff, f->H, gradient->model->config.n_layers);
    const double dd = across(f, f->delta, f->delta), gd = dlg_dot_of_doubles(f->n * f->H, f->delta, f->image),
                 gg = dlg_dot(f->H * f->H, f->m->head, f->m->head);
    return gg - gd * gd / dd < rounding * rounding * gg;
}

static dlg_status try_smoothing(dlg_predicted_rows *out, fitting *f, dlg_error *err)
{
    dlg_loss smoothed;
    f->smooth = dlg_allocate(f->n * f->H, sizeof *f->smooth);
    if (!f->smooth) return no_memory(err);
    const dlg_status status = dlg_head_smooth(f->m, f->n, f->expected, f->smooth, err);
    if (status) return status;
    const bool is_two = f->m->network->loss->logits->n_cols == 2 && out->loss.kind == DLG_LOSS_WEIGHTED;
    if (fit_smoothing(&smoothed, f) || (is_two && fit_other_sign(&smoothed, out->label, f))) {
        out->loss = smoothed;
        weigh_alike(out);
    }
    return DLG_OK;
}

/* The simplest that fits: a factor, smoothing, weights. */
static dlg_status fit_softmax(dlg_predicted_rows *out, fitting *f, dlg_error *err)
{
    dlg_status status = fit_weights(out, f, err);
    if (!status && !is_plain(f)) status = try_smoothing(out, f, err);
    if (status) return status;
    if (out->loss.kind == DLG_LOSS_MEAN) weigh_alike(out);
    const dlg_value *p = f->m->network->loss->logits;
    const bool is_one = fabs(out->loss.softmax.factor - 1) < alike;
    const double of_label = (double)p->x[out->label[0]];
    if (f->n == 1 && p->n_cols == 2 && !is_one && of_label > 0)
        out->loss.other_factor = -out->loss.softmax.factor * (1 - of_label) / of_label;
    return DLG_OK;
}

/* ---- any other ---- */

/* delta (n, H) of G^T = sum h_i delta_i^T, whatever the loss is. */
static dlg_status find_outputs(dlg_predicted_rows *out, const fitting *f, dlg_error *err)
{
    const size_t n = f->n, H = f->H;
    double *h = dlg_allocate(H * n, sizeof *h), *g = dlg_allocate(H * H, sizeof *g),
           *x = dlg_allocate(n * H, sizeof *x);
    out->outputs = dlg_allocate(n * H, sizeof *out->outputs);
    dlg_status status = h && g && x && out->outputs ? DLG_OK : no_memory(err);
    for (size_t k = 0; !status && k < H; k++) {
        for (size_t i = 0; i < n; i++) h[k * n + i] = (double)encoded(f, i)[k];
        for (size_t j = 0; j < H; j++) g[k * H + j] = (double)f->m->head[j * H + k];
    }
    if (!status) status = dlg_least_squares(H, n, H, h, g, dlg_tolerance_direction(f->m->gradient->roundoff), x, err);
    for (size_t i = 0; !status && i < n * H; i++) out->outputs[i] = (dlg_real)x[i];
    dlg_free(x);
    dlg_free(g);
    dlg_free(h);
    return status;
}

/* slope (C, n): the loss' derivative with respect to the logits; the decoder's gradient is slope times inputs. */
static dlg_status find_slopes(double *slope, const fitting *f, const dlg_real *decoder, size_t C, dlg_error *err)
{
    const dlg_value *inputs = f->m->network->decoder->x;
    const size_t n = f->n, H = inputs->n_cols;
    double *a = dlg_allocate(H * n, sizeof *a), *b = dlg_allocate(H * C, sizeof *b),
           *x = dlg_allocate(n * C, sizeof *x);
    dlg_status status = a && b && x ? DLG_OK : no_memory(err);
    for (size_t k = 0; !status && k < H; k++) {
        for (size_t i = 0; i < n; i++) a[k * n + i] = (double)inputs->x[i * H + k];
        for (size_t c = 0; c < C; c++) b[k * C + c] = (double)decoder[c * H + k];
    }
    if (!status) status = dlg_least_squares(H, n, C, a, b, dlg_tolerance_direction(f->m->gradient->roundoff), x, err);
    for (size_t i = 0; !status && i < n; i++)
        for (size_t c = 0; c < C; c++) slope[c * n + i] = x[i * C + c];
    dlg_free(x);
    dlg_free(b);
    dlg_free(a);
    return status;
}

/* What the class' own probability is, of all others apart. */
static double chance(const fitting *f, size_t i, size_t c)
{
    const dlg_linear_role *decoder = &f->m->gradient->model->roles.decoder;
    const dlg_value *inputs = f->m->network->decoder->x;
    const size_t H = inputs->n_cols;
    const double logit = dlg_dot(H, inputs->x + i * H, decoder->weight->value + c * H) +
                         (decoder->bias ? (double)decoder->bias->value[c] : 0);
    return 1 / (1 + exp(-logit));
}

/*
 * What slope[c, i] = k (chance - y), y 0 or 1, with k of that sign, leaves of the slopes, as a part of their squares:
 * binary cross-entropy, of which k is the factor by rows and classes.
 */
static double left_by_binary(double *factor, const fitting *f, size_t C, const double *slope, double sign)
{
    double along = 0, norm2 = 0, all2 = 0;
    for (size_t c = 0; c < C; c++)
        for (size_t i = 0; i < f->n; i++) {
            const double s = slope[c * f->n + i], off = chance(f, i, c) - (sign * s < 0 ? 1 : 0);
            along += s * off;
            norm2 += off * off;
            all2 += s * s;
        }
    if (!(norm2 > 0 && all2 > 0)) return 1;
    *factor = along / norm2 * (double)(f->n * C);
    return 1 - along * along / norm2 / all2;
}

/* The same of a softmax loss: a multiple of p - e_y in each row. */
static double left_by_softmax(const fitting *f, const size_t *label, size_t C, const double *slope)
{
    const dlg_real *p = f->m->network->loss->logits->x;
    double left2 = 0, all2 = 0;
    for (size_t i = 0; i < f->n; i++) {
        double along = 0, norm2 = 0;
        for (size_t c = 0; c < C; c++) {
            const double s = slope[c * f->n + i], off = (double)p[i * C + c] - (c == label[i] ? 1 : 0);
            along += s * off;
            norm2 += off * off;
            left2 += s * s;
            all2 += s * s;
        }
        left2 -= norm2 > 0 ? along * along / norm2 : 0;
    }
    return all2 > 0 ? left2 / all2 : 0;
}

/*
 * Binary cross-entropy, if that fits, and better than softmax where that does: of two classes of which one is there and
 * one is not they are nearly the same.
 */
static bool fit_binary(dlg_predicted_rows *out, const fitting *f, size_t C, const double *slope)
{
    double factor = 1, most = dlg_tolerance_label() * dlg_tolerance_label();
    bool is_binary = false;
    if (out->is_clear) most = fmin(most, left_by_softmax(f, out->label, C, slope) / (clearly * clearly));
    for (double sign = 1; !is_binary && sign >= -1; sign -= 2)
        is_binary = left_by_binary(&factor, f, C, slope, sign) < most;
    if (!is_binary) return false;
    out->loss = (dlg_loss){.kind = DLG_LOSS_BINARY, .softmax = {factor, 0}};
    out->is_clear = false;
    weigh_alike(out);
    return true;
}

/* Whether a mean loss of labels of their own is not all there is to the rows. */
static bool is_odd(const dlg_predicted_rows *rows)
{
    return !rows->is_clear || rows->loss.kind == DLG_LOSS_WEIGHTED || rows->loss.other_factor != 0 ||
           rows->loss.is_weighted_too;
}

/* Of a classifier, off what its logits are given: several labels a text, or the same text with several. */
static dlg_status fit_slopes(dlg_predicted_rows *out, const fitting *f, dlg_error *err)
{
    const dlg_parameter *decoder = f->m->gradient->model->roles.decoder.weight;
    const dlg_real *shared = dlg_gradient_at(f->m->gradient, decoder);
    const bool is_classifier = f->m->gradient->model->config.task == DLG_SEQUENCE_CLASSIFICATION;
    const size_t C = decoder->n_rows;
    if (!is_classifier || C == 1 || !shared) return DLG_OK;
    double *slope = dlg_allocate(C * f->n, sizeof *slope);
    if (!slope) return no_memory(err);
    dlg_status status = find_slopes(slope, f, shared, C, err);
    if (!status && !fit_binary(out, f, C, slope) && is_odd(out)) status = dlg_twin_labels_find(out, f->m, slope, err);
    if (!status && out->n_twins) weigh_alike(out);
    dlg_free(slope);
    return status;
}

dlg_status dlg_loss_fit(dlg_predicted_rows *out, const dlg_head_gradient *m, const dlg_real *expected, dlg_error *err)
{
    fitting f = {.m = m, .n = out->n, .H = m->H, .row = out->row, .expected = expected};
    const bool is_one_number = m->network->loss->logits->n_cols == 1;
    dlg_status status = prepare(&f, out, err);
    if (!out->is_clear)
        out->loss = (dlg_loss){.kind = is_one_number ? DLG_LOSS_SQUARED : DLG_LOSS_OTHER, .softmax = {1, 0}};
    else if (!status) status = fit_softmax(out, &f, err);
    if (!status) status = fit_slopes(out, &f, err);
    if (!status && !out->is_clear) status = find_outputs(out, &f, err);
    release(&f);
    return status;
}
