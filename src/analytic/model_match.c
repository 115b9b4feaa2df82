#include "analytic/model_match.h"

/* Less than this part of an input (squared) outside of the row space is rounding; of another model's gradient most of
 * it is outside. */
static const double inside = 1e-6;

/* All sentences begin alike, and the longest end so, whatever they say: does layer 0 know these two tokens? */
static dlg_status look_in_layer_0(bool *is_there, const dlg_inspection *out, dlg_analysis *analysis, size_t n_inputs,
                                  dlg_error *err)
{
    const dlg_special_tokens special = dlg_analysis_special(analysis);
    dlg_span_check *check = NULL;
    const dlg_status status = dlg_analysis_span_check(&check, analysis, n_inputs, err);
    *is_there = !status && dlg_span_check_outside(check, special.begin, 0) < inside &&
                dlg_span_check_outside(check, special.end, out->length - 1) < inside;
    dlg_span_check_free(check);
    return status;
}

dlg_status dlg_model_match_find(dlg_inspection *out, dlg_analysis *analysis, size_t n_inputs, bool has_ends,
                                dlg_error *err)
{
    /* a single layer's gradient does not: it knows no more than the head looks at */
    const bool shows_all = n_inputs >= out->length;
    bool is_there = true;
    out->fits = has_ends;
    if (!out->fits) {
        out->fits_ground = (dlg_ground){DLG_LIKELY, "begin and end miss its rows for positions"};
        return dlg_causes_find(&out->causes, analysis, out->length, out->is_defended, err);
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
