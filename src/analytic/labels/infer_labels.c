/*
 * Labels from the last layer's bias. Mean cross-entropy over M rows leaves in it, for the token or class v,
 *
 *   g[v] = (1/M) sum_m p_m[v] - n_v / M,
 *
 * n_v how often v is a label. The model's own prediction q stands for the mean of p: for the text itself where that
 * could be read, else for a blank input. q[v] - g[v] = n_v / M + an error. For the right M the numbers M (q[v] - g[v])
 * that are not small are whole and sum to M. M is also the rank of the gradient of the head's first layer, through
 * which the predicted rows go and no other.
 */
#include "analytic/labels/infer_labels.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "math/rank.h"
#include "math/count.h"
#include "math/sorted.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Rows whose prediction is looked at: a mean of so many blank ones changes little with more. */
enum { BLANK_ROWS = 32 };

/* The rows to be predicted: the masks of the text, or inner positions of a blank input. @return how many */
static size_t choose_rows(size_t *rows, size_t length, const uint32_t *fed, dlg_special_tokens special)
{
    size_t n = 0;
    for (size_t t = 0; fed && t < length; t++)
        if (fed[t] == special.mask) rows[n++] = t;
    for (size_t t = length > 2; !fed && t + (length > 2) < length && n < BLANK_ROWS; t++) rows[n++] = t;
    return n;
}

static bool has_mask(size_t length, const uint32_t *fed, dlg_special_tokens special)
{
    for (size_t t = 0; fed && t < length; t++)
        if (fed[t] == special.mask) return true;
    return false;
}

/* rows and fed (length): the text, or where there is none one sentence of masks between begin and end. @return how many
 * of its rows are predicted */
static size_t choose_text(size_t *rows, uint32_t *fed, size_t length, const uint32_t *text, dlg_special_tokens special)
{
    for (size_t i = 0; i < length; i++)
        fed[i] = text ? text[i] : i == 0 ? special.begin : i == length - 1 ? special.end : special.mask;
    return choose_rows(rows, length, text, special);
}

/* q (n): the mean prediction for the text, or for a blank one */
static dlg_status predict(dlg_forward *forward, size_t length, const uint32_t *text, const size_t *types,
                          dlg_special_tokens special, double *q, dlg_error *err)
{
    size_t *rows = dlg_allocate(length, sizeof *rows);
    uint32_t *fed = dlg_allocate(length, sizeof *fed);
    const dlg_network *network;
    dlg_status status = rows && fed ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    if (status) goto out;
    const size_t n_predicted = choose_text(rows, fed, length, text, special);
    status = dlg_forward_run(&network, forward, &(dlg_forward_text){1, &length, fed, n_predicted, rows, types}, err);
    if (status) goto out;
    const dlg_value *p = network->loss->logits;
    for (size_t i = 0; i < p->n_rows; i++)
        for (size_t v = 0; v < p->n_cols; v++) q[v] += (double)p->x[i * p->n_cols + v] / (double)p->n_rows;
out:
    dlg_free(fed);
    dlg_free(rows);
    return status;
}

/* ---- counts ---- */

/* Two numbers of labels whose misfits differ by less explain the bias equally well: 3 x the same label looks like 1 x
 * that label. */
/* Counts are whole when none is further from it. */
static const double likely_below = 0.3;

static const double as_good = 0.2;

bool dlg_label_scale_is_plain(double scale)
{
    return fabs(scale - 1) <= 0.25;
}

/* How far the counts for M labels are from whole numbers that sum to M. */
static double misfit(size_t n, const double *excess, size_t M)
{
    double off = 0, sum = 0;
    for (size_t v = 0; v < n; v++) {
        const double count = (double)M * excess[v];
        if (count <= 0.5) continue;
        off += fabs(count - round(count));
        sum += round(count);
    }
    return off + fabs(sum - (double)M);
}

/* A token, and by how much its count is to be raised, or lowered, to come to what the bias says. */
typedef struct {
    double wanted;
    size_t token;
} change;

static int compare_changes(const void *a, const void *b)
{
    const change *x = a, *y = b;
    if (x->wanted != y->wanted) return x->wanted > y->wanted ? -1 : 1;
    return (x->token > y->token) - (x->token < y->token);
}

/*
 * count (n) := whole numbers in 0..M next to M excess[v] that sum to M. Where rounding makes too many or too few, those
 * go up or down that are nearest to it: in rounds of one step for each that can still go, the last round for the
 * nearest ones alone. At most 2 M rounds, which noise does not need: a stranger's numbers may. @param[out] changes (n)
 * scratch
 */
static void round_counts(size_t n, const double *excess, size_t M, size_t *count, change *changes)
{
    size_t sum = 0;
    for (size_t v = 0; v < n; v++) sum += count[v] = dlg_round_to_count((double)M * excess[v], M);
    while (sum != M) {
        const bool more = sum < M;
        size_t n_open = 0, left = more ? M - sum : sum - M;
        for (size_t v = 0; v < n; v++) {
            const double short_by = (double)M * excess[v] - (double)count[v];
            if (more ? count[v] < M : count[v] > 0) changes[n_open++] = (change){more ? short_by : -short_by, v};
        }
        if (left < n_open) qsort(changes, n_open, sizeof *changes, compare_changes);
        else left = n_open;
        for (size_t i = 0; i < left; i++) count[changes[i].token] += more ? 1 : SIZE_MAX; /* SIZE_MAX: less one */
        sum += more ? left : SIZE_MAX - left + 1;
    }
}

/* A token whose excess is a smaller part of the largest is no label. */
static const double no_label = 0.1;

/* What is no label has p times the scale: compare the two there, by least squares, which noise does not bend. */
static double find_scale(size_t n, const double *q, const dlg_real *g)
{
    double largest = 0, along = 0, norm2 = 0;
    for (size_t v = 0; v < n; v++) largest = fmax(largest, q[v] - (double)g[v]);
    for (size_t v = 0; v < n; v++)
        if (q[v] - (double)g[v] < no_label * largest) along += q[v] * (double)g[v], norm2 += q[v] * q[v];
    return along > 0 && norm2 > 0 ? along / norm2 : 1;
}

/* M := the number of labels that makes the counts whole at a scale, or the expected one. @return its misfit */
static double choose_count(size_t *M, double scale, size_t n, const double *q, const dlg_real *g, double *excess,
                           const dlg_label_evidence *known)
{
    double least = INFINITY;
    *M = 0;
    for (size_t v = 0; v < n; v++) excess[v] = q[v] - (double)g[v] / scale;
    for (size_t m = 1; m <= known->most && !dlg_is_interrupted(); m++) {
        const double off = misfit(n, excess, m);
        if (off < least) least = off, *M = m;
    }
    if (!known->expected || known->expected > known->most) return least;
    const double expected = misfit(n, excess, known->expected);
    if (!known->is_certain && expected >= least + as_good) return least;
    *M = known->expected;
    return expected;
}

static void fit(dlg_label_fit *out, size_t n, const double *q, const dlg_real *g, const double *excess,
                const size_t *count, size_t M)
{
    double along = 0, norm2 = 0, g2 = 0, left2 = 0;
    out->misfit = 0;
    for (size_t v = 0; v < n; v++) {
        const double residual = q[v] - (double)count[v] / (double)M, exact = (double)M * excess[v];
        along += residual * (double)g[v];
        norm2 += residual * residual;
        g2 += (double)g[v] * (double)g[v];
        if (count[v] || exact > 0) out->misfit = fmax(out->misfit, fabs(exact - (double)count[v]));
    }
    out->scale = norm2 > 0 ? along / norm2 : 0;
    for (size_t v = 0; v < n; v++) { /* not from the sums above, whose difference is rounding */
        const double left = (double)g[v] - out->scale * (q[v] - (double)count[v] / (double)M);
        left2 += left * left;
    }
    out->unexplained = norm2 > 0 && g2 > 0 ? sqrt(left2 / g2) : 1;
}

/* What one fit of the labels works on. */
typedef struct {
    size_t n;
    double *q, *excess; /* (n) */
    dlg_real *g;        /* (n) the bias' gradient, its sign perhaps turned */
    size_t *count;      /* (n) */
    change *changes;    /* (n) */
} bias_fit;

static dlg_status reserve(bias_fit *f, size_t n, dlg_error *err)
{
    *f = (bias_fit){.n = n,
                    .q = dlg_allocate(n, sizeof *f->q),
                    .excess = dlg_allocate(n, sizeof *f->excess),
                    .g = dlg_allocate(n, sizeof *f->g),
                    .count = dlg_allocate(n, sizeof *f->count),
                    .changes = dlg_allocate(n, sizeof *f->changes)};
    return f->q && f->excess && f->g && f->count && f->changes ? DLG_OK
                                                               : dlg_fail(err, DLG_ENOMEM, "labels: no memory");
}

static void release(bias_fit *f)
{
    dlg_free(f->q);
    dlg_free(f->excess);
    dlg_free(f->g);
    dlg_free(f->count);
    dlg_free(f->changes);
}

/* The labels that explain g best. @return how far from whole their counts are; infinite: nothing is a label */
static double fit_labels(size_t *labels, dlg_label_fit *out, bias_fit *f, const dlg_label_evidence *known)
{
    const size_t n = f->n;
    size_t M = 0;
    /* The mean loss' own scale, unless another fits better. */
    double scale = 1, least = choose_count(&M, 1, n, f->q, f->g, f->excess, known);
    const double other = find_scale(n, f->q, f->g);
    if (least > as_good && !dlg_label_scale_is_plain(other) &&
        choose_count(&M, other, n, f->q, f->g, f->excess, known) < least)
        scale = other;
    least = choose_count(&M, scale, n, f->q, f->g, f->excess, known);
    double largest = 0;
    for (size_t v = 0; v < n; v++) largest = fmax(largest, (double)M * f->excess[v]);
    *out = (dlg_label_fit){0};
    if (!M || largest <= 0.5 || dlg_is_interrupted()) return INFINITY;
    round_counts(n, f->excess, M, f->count, f->changes);
    for (size_t v = 0; v < n; v++)
        for (size_t i = 0; i < f->count[v]; i++) labels[out->n_labels++] = v;
    fit(out, n, f->q, f->g, f->excess, f->count, M);
    return least;
}

/* The same where no scale makes the counts whole: of all that is negative each label has a part by its count. */
static void divide_labels(size_t *labels, dlg_label_fit *out, bias_fit *f, const dlg_label_evidence *known)
{
    double all = 0, least = INFINITY;
    size_t M = known->expected;
    for (size_t v = 0; v < f->n; v++) all += fmax(0, -(double)f->g[v]);
    if (!(all > 0) || M > known->most) return;
    for (size_t v = 0; v < f->n; v++) f->excess[v] = fmax(0, -(double)f->g[v] / all);
    for (size_t m = 1; !known->expected && m <= known->most && !dlg_is_interrupted(); m++) {
        const double off = misfit(f->n, f->excess, m);
        if (off < least) least = off, M = m;
    }
    if (!M) return;
    round_counts(f->n, f->excess, M, f->count, f->changes);
    for (size_t v = 0; v < f->n; v++)
        for (size_t i = 0; i < f->count[v]; i++) labels[out->n_labels++] = v;
    fit(out, f->n, f->q, f->g, f->excess, f->count, M);
}

/* Whether what goes up is more than what goes down, by squares: one label is more than what its probability is spread
 * over. */
static bool is_turned_bias(const bias_fit *f)
{
    double up = 0, down = 0;
    for (size_t v = 0; v < f->n; v++) *(f->g[v] > 0 ? &up : &down) += (double)f->g[v] * (double)f->g[v];
    return up > down;
}

static void turn_sign(bias_fit *f)
{
    for (size_t v = 0; v < f->n; v++) f->g[v] = -f->g[v];
}

dlg_status dlg_infer_labels(size_t *labels, dlg_label_fit *out, const dlg_gradient *gradient, dlg_forward *forward,
                            size_t length, const dlg_label_evidence *known, dlg_special_tokens special, dlg_error *err)
{
    const dlg_parameter *bias = gradient->model->roles.decoder.bias;
    const dlg_real *g = dlg_gradient_at(gradient, bias);
    const uint32_t *fed = has_mask(length, known->fed, special) ? known->fed : NULL;
    bias_fit f;
    *out = (dlg_label_fit){0};
    dlg_status status = reserve(&f, bias->n_cols, err);
    if (!status && !g) goto out; /* a frozen bias shows no label */
    if (!status) status = predict(forward, length, fed, known->types, special, f.q, err);
    if (status) goto out;
    memcpy(f.g, g, f.n * sizeof *g);
    const double least = fit_labels(labels, out, &f, known);
    if (least > as_good) { /* perhaps of a difference of weights, which goes the other way */
        turn_sign(&f);
        if (fit_labels(labels, out, &f, known) < least) out->scale = -out->scale;
        else {
            turn_sign(&f);
            fit_labels(labels, out, &f, known);
        }
    }
    if (!out->n_labels) {
        const bool turned = is_turned_bias(&f);
        if (turned) turn_sign(&f);
        divide_labels(labels, out, &f, known);
        if (turned) out->scale = -out->scale;
    }
    status = dlg_check_interrupt(err);
out:
    release(&f);
    return status;
}

bool dlg_label_fit_is_likely(const dlg_label_fit *fit)
{
    return fit->misfit < likely_below;
}

/* ---- classes ---- */

bool dlg_single_class_is_clear(const dlg_gradient *gradient)
{
    const size_t n = gradient->model->config.n_labels;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.decoder.bias);
    size_t n_below = 0, n_above = 0;
    for (size_t c = 0; g && c < n; c++) n_below += g[c]<0, n_above += g[c]> 0;
    return n > 2 && n_below + n_above == n && (n_below == 1 || n_above == 1);
}

/* Whether one of three classes or more goes up, and all others down. */
static bool is_turned(size_t n, const dlg_real *g)
{
    size_t n_up = 0;
    for (size_t c = 0; c < n; c++) n_up += g[c] > 0;
    return n > 2 && n_up == 1;
}

/* From the bias alone: the blank prediction instead of each sentence's own. */
static dlg_status guess_classes(size_t *labels, size_t n_sentences, const dlg_gradient *gradient, dlg_forward *forward,
                                size_t length, dlg_special_tokens special, dlg_error *err)
{
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.decoder.bias);
    const size_t n = gradient->model->config.n_labels;
    assert(g);
    double *excess = dlg_allocate(n, sizeof *excess);
    if (!excess) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    /* One sentence: p - 1 is the only negative entry, whatever p is, or the only positive one of a difference. */
    const dlg_status status = n_sentences == 1 ? DLG_OK : predict(forward, length, NULL, NULL, special, excess, err);
    const double sign = n_sentences == 1 && is_turned(n, g) ? -1 : 1;
    for (size_t c = 0; c < n; c++) excess[c] -= sign * (double)g[c];
    for (size_t i = 0; i < n_sentences && !status; i++) {
        size_t top = 0;
        for (size_t c = 1; c < n; c++)
            if (excess[c] > excess[top]) top = c;
        excess[top] -= 1 / (double)n_sentences;
        labels[i] = top;
    }
    dlg_free(excess);
    return status;
}

dlg_status dlg_infer_classes(size_t *labels, size_t n_sentences, const dlg_gradient *gradient, dlg_forward *forward,
                             const dlg_label_restoration *restored, size_t length, dlg_special_tokens special,
                             dlg_error *err)
{
    dlg_status status = DLG_OK;
    if (n_sentences > 1 && restored->is_solved && restored->n_sentences == n_sentences)
        memcpy(labels, restored->label, n_sentences * sizeof *labels);
    else status = guess_classes(labels, n_sentences, gradient, forward, length, special, err);
    if (!status) dlg_sort_sizes(n_sentences, labels);
    return status;
}

size_t dlg_infer_head_rows(const dlg_gradient *gradient, const dlg_spectrum *head)
{
    const size_t H = gradient->model->config.hidden_size;
    const dlg_real *g = dlg_gradient_at(gradient, gradient->model->roles.head.weight);
    if (!g) return 0;
    const dlg_rank rank =
        dlg_rank_judge(head->n, head->values, H < DLG_HEAD_ROWS_MOST ? H : DLG_HEAD_ROWS_MOST, head->roundoff);
    size_t n_zeros = 0;
    for (size_t i = 0; i < H * H; i++) n_zeros += g[i] == 0;
    if (n_zeros > H * H / 20) return 0; /* pruned: where whole rows are gone their number is the rank */
    return rank.is_clear && rank.rank <= H / 2 ? rank.rank : 0; /* a defended one may be nearly whole */
}
