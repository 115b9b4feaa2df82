#include "attacks/session/token_doubts.h"

#include "attacks/session/token_alternatives.h"

#include <math.h>
#include <string.h>

typedef struct {
    dlg_session *r;
    double misfit;                        /* of the text itself */
    dlg_token_alternatives *alternatives; /* (n_rows) */
} doubts;

static void judge_row(const doubts *d, size_t row)
{
    dlg_session *r = d->r;
    const size_t H = r->gradient->model->config.hidden_size;
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model);
    dlg_real *x = r->point + row * H;
    double lead = r->evidence[row].lead;
    const dlg_token_alternatives *a = &d->alternatives[row];
    for (size_t j = 0; j < a->n && !dlg_session_is_interrupted(r); j++) {
        memcpy(x, table + (size_t)a->token[j] * H, H * sizeof *x);
        const double here = dlg_session_misfit(r, r->placement.share) - d->misfit;
        lead = here > lead ? lead : here;
    }
    memcpy(x, table + (size_t)r->fed[row] * H, H * sizeof *x);
    r->evidence[row].lead = dlg_session_is_interrupted(r) ? NAN : lead;
}

static dlg_status judge_words(const doubts *d, const bool *is_judged, dlg_error *err)
{
    for (size_t order = DLG_PROMISING_WORDS; order <= DLG_NEAREST_WORDS; order++) {
        const dlg_status status = dlg_token_alternatives_find(d->alternatives, d->r, (dlg_order_of_words)order, err);
        if (status) return status;
        for (size_t i = 0; i < d->r->n_rows; i++)
            if (is_judged[i]) judge_row(d, i);
    }
    return DLG_OK;
}

/* Two labels in each other's places. */
static void judge_labels(const doubts *d)
{
    dlg_session *r = d->r;
    dlg_label_assignment *p = &r->placement;
    for (size_t i = 0; i < p->n_labels; i++)
        for (size_t j = i + 1; j < p->n_labels && !dlg_session_is_interrupted(r); j++) {
            if (p->label[i] == p->label[j]) continue;
            dlg_label_assignment_propose_swap(p, p->row_of[i], p->row_of[j]);
            const double lead = dlg_session_misfit(r, p->proposed_share) - d->misfit;
            dlg_evidence *of[] = {&r->evidence[r->knowledge->rows[p->row_of[i]]],
                                  &r->evidence[r->knowledge->rows[p->row_of[j]]]};
            for (size_t k = 0; k < 2; k++) of[k]->lead = of[k]->lead < lead ? of[k]->lead : lead;
        }
}

dlg_status dlg_token_doubts_find(dlg_session *r, dlg_error *err)
{
    doubts d = {.r = r};
    if (!r->is_defended || r->options->distance != &dlg_l2 || !r->placement.placed) return DLG_OK;
    bool *is_judged = dlg_allocate(r->n_rows, sizeof *is_judged);
    d.alternatives = dlg_allocate(r->n_rows, sizeof *d.alternatives);
    dlg_status status = is_judged && d.alternatives ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "doubts: no memory");
    if (!status) {
        dlg_session_set_tokens(r);
        (void)dlg_session_evaluate_point(r); /* for its derivative */
        d.misfit = dlg_session_misfit(r, r->placement.share);
        for (size_t i = 0; i < r->n_rows; i++) {
            is_judged[i] = !r->is_known[i] && !dlg_evidence_is_clear(&r->evidence[i]);
            if (is_judged[i]) r->evidence[i].lead = INFINITY;
        }
        status = judge_words(&d, is_judged, err);
    }
    if (!status && r->gradient->model->config.task == DLG_MASKED_LM && !r->knowledge->placed) judge_labels(&d);
    if (!status) dlg_session_renew_evidence(r);
    dlg_free(d.alternatives);
    dlg_free(is_judged);
    return status;
}
