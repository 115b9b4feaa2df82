#include "attacks/session/token_substitution.h"

#include "attacks/session/token_alternatives.h"

#include <math.h>
#include <string.h>

enum {
    PASSES = 8, /* over all rows, each with a derivative of its own */
    SWAPS = 16  /* of labels, in a pass */
};

typedef struct {
    dlg_session *r;
    size_t H;
    const dlg_real *table;
    dlg_token_alternatives *choices; /* (n_rows) */
    size_t *order;                   /* (n_rows) rows, the most promising first */
} replacing;

static double promise(const dlg_token_alternatives *c)
{
    return c->n ? c->score[0] : 0;
}

/* Where one row is wrong others can be made to answer for it, at less of a gain: it has to come before them. */
static void sort_rows(replacing *p)
{
    for (size_t i = 0; i < p->r->n_rows; i++) {
        size_t at = i;
        for (; at && promise(&p->choices[p->order[at - 1]]) < promise(&p->choices[i]); at--)
            p->order[at] = p->order[at - 1];
        p->order[at] = i;
    }
}

/* @return whether that token in that row lowers D; then it stands there */
static bool replace(replacing *p, size_t row, uint32_t token)
{
    dlg_session *r = p->r;
    dlg_real *x = r->point + row * p->H;
    memcpy(x, p->table + token * p->H, p->H * sizeof *x);
    const double d = dlg_session_distance_at_point(r, r->placement.share);
    if (d < r->d_tokens) {
        r->d_tokens = d;
        r->fed[row] = token;
        r->evidence[row] =
            (dlg_evidence){DLG_FROM_DESCENT, r->check ? dlg_position_check_count(r->check, row) : 0, NAN, NAN, 0, NAN};
        return true;
    }
    memcpy(x, p->table + r->fed[row] * p->H, p->H * sizeof *x);
    return false;
}

/* In the rows whose token is in doubt, or in the others. */
static bool replace_in_rows(replacing *p, bool in_doubt)
{
    dlg_session *r = p->r;
    bool any = false;
    for (size_t k = 0; k < r->n_rows; k++) {
        const size_t i = p->order[k];
        if (r->is_known[i] || dlg_evidence_is_good(&r->evidence[i]) == in_doubt) continue;
        for (size_t j = 0; j < p->choices[i].n && !dlg_session_is_interrupted(r); j++)
            any |= replace(p, i, p->choices[i].token[j]);
        if (!in_doubt || r->gradient->model->config.task != DLG_MASKED_LM) continue;
        for (size_t j = 0; j < r->placement.n_labels && !dlg_session_is_interrupted(r); j++)
            if (r->placement.label[j] != r->fed[i]) any |= replace(p, i, (uint32_t)r->placement.label[j]);
    }
    return any;
}

/* The label that stands in a row; n_labels: none */
static size_t label_in(const dlg_label_assignment *p, size_t row)
{
    for (size_t j = 0; j < p->n_labels; j++)
        if (p->row_of[j] == row) return j;
    return p->n_labels;
}

/* By how much D falls, to first order, when the labels of two rows change places. */
static double gain_of_swap(const dlg_session *r, size_t a, size_t b)
{
    const dlg_label_assignment *p = &r->placement;
    const size_t M = p->n_labels, of[] = {label_in(p, a), label_in(p, b)};
    if (of[0] == of[1] || (of[0] < M && of[1] < M && p->label[of[0]] == p->label[of[1]])) return -INFINITY;
    double gain = 0;
    if (of[0] < M) gain += (double)r->label_derivative[a * M + of[0]] - (double)r->label_derivative[b * M + of[0]];
    if (of[1] < M) gain += (double)r->label_derivative[b * M + of[1]] - (double)r->label_derivative[a * M + of[1]];
    return gain;
}

/* The swap that promises most, of those that promise less than `below`. @return what it promises */
static double next_swap(const dlg_session *r, double below, size_t *a, size_t *b)
{
    double most = -INFINITY;
    for (size_t i = 0; i < r->placement.n_rows; i++)
        for (size_t j = i + 1; j < r->placement.n_rows; j++) {
            const double gain = gain_of_swap(r, i, j);
            if (gain > most && gain < below) most = gain, *a = i, *b = j;
        }
    return most;
}

static bool swap_labels(dlg_session *r)
{
    bool any = false;
    double gain = INFINITY;
    for (size_t i = 0; i < SWAPS && !r->knowledge->placed && !dlg_session_is_interrupted(r); i++) {
        size_t a = 0, b = 0;
        gain = next_swap(r, gain, &a, &b);
        if (!(gain > -INFINITY)) break;
        dlg_label_assignment_propose_swap(&r->placement, a, b);
        const double d = dlg_session_distance_at_point(r, r->placement.proposed_share);
        if (!(d < r->d_tokens)) continue;
        dlg_label_assignment_accept(&r->placement);
        r->d_tokens = d;
        any = true;
    }
    return any;
}

dlg_status dlg_token_substitution_try(dlg_session *r, dlg_rows_tried rows, dlg_error *err)
{
    const dlg_model *model = r->gradient->model;
    replacing p = {.r = r, .H = model->config.hidden_size, .table = dlg_model_word_embeddings(model)};
    p.choices = dlg_allocate(r->n_rows, sizeof *p.choices);
    p.order = dlg_allocate(r->n_rows, sizeof *p.order);
    dlg_status status = p.choices && p.order ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "replacements: no memory");
    for (size_t pass = 0; pass < PASSES && !status && !dlg_session_is_interrupted(r); pass++) {
        dlg_session_set_tokens(r);
        r->d_tokens = dlg_session_evaluate_point(r);
        if (!isfinite(r->d_tokens)) break;
        dlg_session_find_label_derivative(r);
        status = dlg_token_alternatives_find(p.choices, r, DLG_PROMISING_WORDS, err);
        if (status) break;
        sort_rows(&p);
        bool any = swap_labels(r);
        any |= replace_in_rows(&p, true);
        /* while others are wrong it seems that right ones are */
        if (!any && rows == DLG_ALL_ROWS) any = replace_in_rows(&p, false);
        if (!any) break;
    }
    dlg_session_put_labels_back(r);
    dlg_free(p.order);
    dlg_free(p.choices);
    return status;
}
