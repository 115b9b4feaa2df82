#include "analytic/model_match.h"

#include "math/tolerance.h"

/* A token of a text that was read, or what all sentences begin or end with, whatever they say, or padding. */
static bool is_inside(const dlg_span_check *check, const dlg_inspection *out, uint32_t token, uint32_t pad, size_t t)
{
    const double inside = dlg_tolerance_input_weak() * dlg_tolerance_input_weak();
    if (out->text) return dlg_span_check_outside(check, out->text[t], t) < inside;
    return dlg_span_check_outside(check, token, t) < inside || dlg_span_check_outside(check, pad, t) < inside;
}

/* Does layer 0 know the first and the last token? */
static dlg_status look_in_layer_0(bool *is_there, const dlg_inspection *out, dlg_analysis *analysis, size_t n_inputs,
                                  dlg_error *err)
{
    const dlg_special_tokens special = dlg_analysis_special(analysis);
    dlg_span_check *check = NULL;
    const dlg_status status = dlg_analysis_span_check(&check, analysis, n_inputs, err);
    *is_there = !status && is_inside(check, out, special.begin, special.pad, 0) &&
                is_inside(check, out, special.end, special.pad, out->length - 1);
    dlg_span_check_free(check);
    return status;
}

/* Whether every position has a token that lies inside to rounding. */
static bool all_inside(const dlg_candidates *c)
{
    bool all = c->sees;
    for (size_t t = 0; all && t < c->n_positions; t++) {
        all = false;
        for (size_t i = c->first[t]; i < c->first[t + 1]; i++) all |= c->outside[i] < dlg_tolerance_input_any();
    }
    return all;
}

/* Of texts that were cut out of longer ones no end can be asked for: does it know any tokens at all? */
static dlg_status judge_cut(dlg_inspection *out, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_candidates *candidates;
    const dlg_status status = dlg_analysis_candidates(&candidates, analysis, out->length, err);
    out->fits = !status && !out->is_defended && all_inside(candidates);
    if (out->fits)
        out->fits_ground = (dlg_ground){DLG_LIKELY, "its words lie in layer 0's row space, but no begin or end"};
    return status;
}

/* Begin went into layer 0, whatever of it is missing there. */
static void take_dropped(dlg_inspection *out)
{
    out->fits = dlg_causes_have(&out->causes, "dropout");
    if (out->fits)
        out->fits_ground = (dlg_ground){DLG_LIKELY, "begin fits layer 0's row space, but for what was dropped"};
}

dlg_status dlg_model_match_find(dlg_inspection *out, dlg_analysis *analysis, size_t n_inputs, bool has_ends,
                                dlg_error *err)
{
    /* a single layer's gradient does not: it knows no more than the head looks at */
    const bool shows_all = n_inputs >= out->length;
    bool is_there = true;
    out->fits = has_ends;
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    if (!dlg_gradient_at(gradient, gradient->model->roles.positions) && shows_all) {
        const dlg_status status = look_in_layer_0(&out->fits, out, analysis, n_inputs, err);
        out->fits_ground = (dlg_ground){DLG_CERTAIN, "begin and end fit layer 0's row space"};
        if (status || out->fits) return status;
    }
    if (!out->fits) {
        dlg_status status = dlg_causes_find(&out->causes, analysis, out->length, out->is_defended, err);
        /* The first of several steps had a begin and all words: it is not cut. */
        const bool has_begin = dlg_causes_have(&out->causes, "steps");
        out->fits_ground = out->is_defended ? (dlg_ground){DLG_GUESSED, "begin and end miss its rows for positions, "
                                                                        "which what was done to the gradient blurs"}
                                            : (dlg_ground){DLG_LIKELY, "begin and end miss its rows for positions"};
        if (!status && !has_begin) status = judge_cut(out, analysis, err);
        if (out->fits) out->causes = (dlg_causes){0};
        else take_dropped(out);
        return status;
    }
    if (out->is_defended) {
        out->fits_ground = (dlg_ground){DLG_UNSEEN, "what was done to the gradient blurs the check"};
        return DLG_OK;
    }
    dlg_status status = shows_all ? look_in_layer_0(&is_there, out, analysis, n_inputs, err) : DLG_OK;
    if (!is_there && !status) status = dlg_causes_find(&out->causes, analysis, out->length, false, err);
    const bool was_dropped = dlg_causes_have(&out->causes, "dropout");
    out->fits = is_there || was_dropped;
    out->fits_ground =
        was_dropped ? (dlg_ground){DLG_LIKELY, "begin and end fit its rows for positions"}
        : !is_there ? (dlg_ground){DLG_LIKELY, "begin and end lie outside of layer 0's row space"}
        : shows_all ? (dlg_ground){DLG_CERTAIN, "begin and end fit its rows for positions and layer 0's row space"}
                    : (dlg_ground){DLG_CERTAIN, "begin and end fit its rows for positions"};
    return status;
}
