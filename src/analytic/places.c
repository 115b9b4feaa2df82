#include "analytic/places.h"

#include "base/memory.h"

void dlg_places_release(dlg_places *places)
{
    dlg_free(places->tokens);
    *places = (dlg_places){0};
}

/* @return whether it is the only one that the check admits there */
static bool find_only(uint32_t *out, const dlg_position_check *check, size_t t)
{
    if (!check || dlg_position_check_count(check, t) != 1) return false;
    *out = dlg_position_check_best(check, t);
    return true;
}

/* What went in with numbers dropped, where all of it is known. */
static dlg_status list_dropped(dlg_places *out, const dlg_dropped_inputs *in, dlg_error *err)
{
    if (!in->n || in->n < in->rank) return DLG_OK;
    out->tokens = dlg_allocate(in->n, sizeof *out->tokens);
    if (!out->tokens) return dlg_fail(err, DLG_ENOMEM, "places: no memory");
    for (size_t i = 0; i < in->n; i++)
        if (!i || in->position[i] != in->position[i - 1] || in->token[i] != in->token[i - 1])
            out->tokens[out->n++] = (dlg_placed_token){in->position[i], in->token[i]};
    return DLG_OK;
}

dlg_status dlg_places_find(dlg_places *out, dlg_analysis *analysis, size_t length, bool is_single, dlg_error *err)
{
    const dlg_candidates *c;
    const dlg_position_check *check = NULL;
    const dlg_dropped_inputs *dropped;
    *out = (dlg_places){0};
    dlg_status status = dlg_analysis_dropped_inputs(&dropped, analysis, length, err);
    if (!status) status = list_dropped(out, dropped, err);
    if (status || out->n) return status;
    status = dlg_analysis_candidates(&c, analysis, length, err);
    if (!status && is_single) status = dlg_analysis_position_check(&check, analysis, length, err);
    if (status) return status;
    const size_t n_seen = c->sees ? c->first[length] : 0;
    out->tokens = dlg_allocate(n_seen + length, sizeof *out->tokens);
    if (!out->tokens) return dlg_fail(err, DLG_ENOMEM, "places: no memory");
    for (size_t t = 0; t < length; t++) {
        uint32_t only;
        const size_t begin = c->sees ? c->first[t] : 0, end = c->sees ? c->first[t + 1] : 0;
        if (end == begin + 1 || (end > begin && c->certain[t]))
            for (size_t i = begin; i < end; i++) out->tokens[out->n++] = (dlg_placed_token){t, c->token[i]};
        else if (find_only(&only, check, t)) out->tokens[out->n++] = (dlg_placed_token){t, only};
    }
    return DLG_OK;
}
