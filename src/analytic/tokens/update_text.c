#include "analytic/tokens/update_text.h"

#include "base/memory.h"
#include "math/svd.h"
#include "math/tolerance.h"

#include <math.h>

/* An entry has a sign when it is so many times what rounding moves it by. */
static const double signs_from = 4;

/* ---- how well rows go together ---- */

/* 1 where every entry that has a sign in both rows has the same, 0 where half of them do, as by chance. */
static double agreement(size_t n, const dlg_real *a, const dlg_real *b, double rounding_a, double rounding_b)
{
    size_t n_same = 0, n_both = 0;
    for (size_t i = 0; i < n; i++) {
        if (fabs((double)a[i]) <= signs_from * rounding_a || fabs((double)b[i]) <= signs_from * rounding_b) continue;
        n_same += (a[i] > 0) == (b[i] > 0);
        n_both++;
    }
    return n_both ? 2 * (double)n_same / (double)n_both - 1 : 0;
}

static void match_signs(dlg_update_text *out, const dlg_gradient *gradient, const dlg_real *words,
                        const dlg_real *positions)
{
    const dlg_roles *roles = &gradient->model->roles;
    const size_t H = roles->words->n_cols;
    const double of_word = dlg_gradient_rounding_at(gradient, roles->words),
                 of_position = dlg_gradient_rounding_at(gradient, roles->positions);
    for (size_t t = 0; t < out->length; t++)
        for (size_t i = 0; i < out->n_tokens; i++)
            out->score[t * out->n_tokens + i] =
                agreement(H, words + out->tokens[i] * H, positions + t * H, of_word, of_position);
}

/* score (length, n_tokens) := the factors with which the positions' rows make the tokens' */
static dlg_status fit(dlg_update_text *out, const dlg_gradient *gradient, const dlg_real *words,
                      const dlg_real *positions, dlg_error *err)
{
    const size_t T = out->length, n = out->n_tokens, H = gradient->model->roles.words->n_cols;
    const double smallest = dlg_tolerance_embedding_direction(gradient->roundoff);
    double *a = dlg_allocate(H * T, sizeof *a), *b = dlg_allocate(H * n, sizeof *b);
    dlg_status status = a && b ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "rows of the update: no memory");
    for (size_t k = 0; k < H && !status; k++) {
        for (size_t t = 0; t < T; t++) a[k * T + t] = (double)positions[t * H + k];
        for (size_t i = 0; i < n; i++) b[k * n + i] = (double)words[out->tokens[i] * H + k];
    }
    if (!status) status = dlg_least_squares(H, T, n, a, b, smallest, out->score, err);
    dlg_free(a);
    dlg_free(b);
    return status;
}

dlg_status dlg_update_text_match(dlg_update_text *out, const dlg_gradient *gradient, const dlg_update_tokens *bag,
                                 dlg_error *err)
{
    const dlg_roles *roles = &gradient->model->roles;
    const size_t H = roles->words->n_cols;
    const dlg_real *words = dlg_gradient_at(gradient, roles->words),
                   *positions = dlg_gradient_at(gradient, roles->positions);
    *out = (dlg_update_text){0};
    if (!bag->sees_tokens || !bag->length || bag->n_tokens > bag->length) return DLG_OK;
    *out = (dlg_update_text){.length = bag->length, .n_tokens = bag->n_tokens, .tokens = bag->tokens};
    out->score = dlg_allocate(out->length * out->n_tokens, sizeof *out->score);
    if (!out->score) {
        *out = (dlg_update_text){0};
        return dlg_fail(err, DLG_ENOMEM, "rows of the update: no memory");
    }
    dlg_status status = DLG_OK;
    if (dlg_training_hides_sizes(&gradient->training) || out->length >= H) match_signs(out, gradient, words, positions);
    else status = fit(out, gradient, words, positions, err);
    if (status) dlg_update_text_release(out);
    return status;
}

/* ---- the text ---- */

static size_t count(const size_t *choice, size_t n, size_t token)
{
    size_t times = 0;
    for (size_t t = 0; t < n; t++) times += choice[t] == token;
    return times;
}

/* Give a token that stands nowhere the position where it costs least; those of tokens that stand once are not to be
 * had. */
static bool place(const dlg_update_text *m, size_t token, size_t *choice)
{
    double least = INFINITY;
    size_t at = m->length;
    for (size_t t = 1; t + 1 < m->length; t++) {
        const double cost = m->score[t * m->n_tokens + choice[t]] - m->score[t * m->n_tokens + token];
        if (cost < least && count(choice, m->length, choice[t]) > 1) least = cost, at = t;
    }
    if (at < m->length) choice[at] = token;
    return at < m->length;
}

static size_t index_of(const dlg_update_text *m, uint32_t token)
{
    for (size_t i = 0; i < m->n_tokens; i++)
        if (m->tokens[i] == token) return i;
    return m->n_tokens;
}

/* Of all tokens but the one that begins. */
static size_t best_at(const dlg_update_text *m, size_t t, size_t begin)
{
    const double *score = m->score + t * m->n_tokens;
    size_t best = m->n_tokens;
    for (size_t i = 0; i < m->n_tokens; i++)
        if (i != begin && (best == m->n_tokens || score[i] > score[best])) best = i;
    return best;
}

bool dlg_update_text_read(const dlg_update_text *m, dlg_special_tokens special, size_t *choice)
{
    const size_t begin = index_of(m, special.begin), end = index_of(m, special.end);
    if (m->length < 3 || begin == m->n_tokens || end == m->n_tokens) return false;
    for (size_t t = 0; t < m->length; t++) choice[t] = best_at(m, t, begin);
    choice[0] = begin;
    choice[m->length - 1] = end;
    for (size_t i = 0; i < m->n_tokens; i++)
        if (!count(choice, m->length, i) && !place(m, i, choice)) return false;
    return true;
}

void dlg_update_text_release(dlg_update_text *m)
{
    dlg_free(m->score);
    *m = (dlg_update_text){0};
}
