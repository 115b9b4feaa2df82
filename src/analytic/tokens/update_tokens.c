#include "analytic/tokens/update_tokens.h"

#include "base/memory.h"
#include "gradient/update.h"
#include "math/blas.h"
#include "math/sorted.h"

#include <math.h>
#include <string.h>

/*
 * What rounding moves a row by, as a part of its last places, is much the same for all rows that nobody looked up. A
 * row that moved more than the middle one of these by the first was looked up; where the least of those in moved more
 * than the most of those out by the second there is no doubt.
 */
static const double outstanding = 8, clear_gap = 4;

/* Rows of an embedding, and by how much each moved beside decay, as a part of its last places. */
typedef struct {
    size_t n, H;
    const dlg_real *moved, *before;
    dlg_dtype dtype; /* of the weights as they were stored */
    double divisor;
    double *beyond; /* (n) */
    double *sorted; /* (n) scratch */
} rows;

static dlg_status lay_out(rows *r, const dlg_gradient *gradient, const dlg_parameter *p, dlg_error *err)
{
    *r = (rows){.n = p->n_rows,
                .H = p->n_cols,
                .moved = dlg_gradient_at(gradient, p),
                .before = p->value,
                .dtype = DLG_F32,
                .divisor = dlg_training_divisor(&gradient->training)};
    if (!r->moved) return DLG_OK;
    if (gradient->training.shared == DLG_SHARED_WEIGHTS) r->dtype = gradient->dtype;
    r->beyond = dlg_allocate(r->n, sizeof *r->beyond);
    r->sorted = dlg_allocate(r->n, sizeof *r->sorted);
    return r->beyond && r->sorted ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "rows of the update: no memory");
}

static void release(rows *r)
{
    dlg_free(r->beyond);
    dlg_free(r->sorted);
}

/* By which part of itself the middle row of first .. n-1 moved. */
static double find_decay(rows *r, size_t first)
{
    size_t n = 0;
    for (size_t i = first; i < r->n; i++) {
        const dlg_real *w = r->before + i * r->H, *g = r->moved + i * r->H;
        const double square = dlg_dot(r->H, w, w);
        if (square > 0) r->sorted[n++] = dlg_dot(r->H, g, w) / square;
    }
    return dlg_sort_median(n, r->sorted);
}

static void measure(rows *r, double decay)
{
    for (size_t i = 0; i < r->n; i++) {
        double moved2 = 0, place2 = 0;
        for (size_t k = 0; k < r->H; k++) {
            const double w = (double)r->before[i * r->H + k], place = dlg_last_place(w, r->dtype) / r->divisor;
            const double moved = (double)r->moved[i * r->H + k] - decay * w;
            moved2 += moved * moved;
            place2 += place * place;
        }
        r->beyond[i] = moved2 > 0 ? sqrt(moved2 / fmax(place2, 1e-300)) : 0;
    }
}

/* Above it a row was looked up; rows first .. n-1 were not, but for a minority. */
static double limit_of(rows *r, size_t first)
{
    memcpy(r->sorted, r->beyond + first, (r->n - first) * sizeof *r->sorted);
    return outstanding * dlg_sort_median(r->n - first, r->sorted);
}

static bool is_clear(const rows *r, double limit)
{
    double least_in = INFINITY, most_out = 0;
    for (size_t i = 0; i < r->n; i++) {
        if (r->beyond[i] > limit) least_in = fmin(least_in, r->beyond[i]);
        else most_out = fmax(most_out, r->beyond[i]);
    }
    return isfinite(least_in) && least_in > clear_gap * most_out;
}

static dlg_status find_tokens(dlg_update_tokens *out, rows *words, dlg_error *err)
{
    const double limit = limit_of(words, 0);
    out->tokens = dlg_allocate(words->n, sizeof *out->tokens);
    if (!out->tokens) return dlg_fail(err, DLG_ENOMEM, "rows of the update: no memory");
    for (size_t v = 0; v < words->n; v++)
        if (words->beyond[v] > limit) out->tokens[out->n_tokens++] = (uint32_t)v;
    out->is_clear = is_clear(words, limit);
    out->sees_tokens = out->n_tokens > 0;
    if (!out->sees_tokens) out->why = "no row of the word embedding moved by itself";
    return DLG_OK;
}

/* The last tenth of the positions, as nobody's text fills them: of a tied model these show what decay does. */
static size_t behind(size_t n)
{
    return n - n / 10 - 1;
}

static void find_length(dlg_update_tokens *out, rows *positions)
{
    const double limit = limit_of(positions, behind(positions->n));
    for (size_t t = 0; t < positions->n; t++)
        if (positions->beyond[t] > limit) out->length = t + 1;
    out->length_is_clear = is_clear(positions, limit);
}

dlg_status dlg_update_tokens_find(dlg_update_tokens *out, const dlg_gradient *gradient, dlg_error *err)
{
    const dlg_roles *roles = &gradient->model->roles;
    const bool is_tied = roles->decoder.weight == roles->words;
    rows words = {0}, positions = {0};
    *out = (dlg_update_tokens){.why = "it is a gradient"};
    if (!gradient->training.shared) return DLG_OK;
    dlg_status status = lay_out(&words, gradient, roles->words, err);
    if (!status) status = lay_out(&positions, gradient, roles->positions, err);
    if (status) goto out;
    if (!is_tied && words.moved) out->decay = find_decay(&words, 0);
    else if (positions.moved) out->decay = find_decay(&positions, behind(positions.n));
    out->why = is_tied ? "the tied decoder moves every word's row" : "the file has nothing of the word embedding";
    if (!is_tied && words.moved) {
        measure(&words, out->decay);
        status = find_tokens(out, &words, err);
    }
    if (!status && positions.moved) {
        measure(&positions, out->decay);
        find_length(out, &positions);
    }
    if (out->sees_tokens && out->length) out->n_least = (out->n_tokens + out->length - 1) / out->length;
out:
    release(&words);
    release(&positions);
    if (status) dlg_update_tokens_release(out);
    return status;
}

void dlg_update_tokens_release(dlg_update_tokens *found)
{
    dlg_free(found->tokens);
    *found = (dlg_update_tokens){0};
}
