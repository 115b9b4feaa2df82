#include "analytic/inspect_update.h"

#include "base/memory.h"

dlg_status dlg_inspect_update(dlg_inspection *out, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_update_tokens *found;
    const dlg_status status = dlg_analysis_update_tokens(&found, analysis, err);
    if (status || !dlg_analysis_gradient(analysis)->training.shared) return status;
    if (found->length) {
        out->length = found->length;
        out->length_ground = (dlg_ground){found->length_is_clear ? DLG_CERTAIN : DLG_LIKELY,
                                          "rows of the position embedding that training moved"};
    }
    if (!found->sees_tokens) return DLG_OK;
    if (found->is_clear) out->fits = true;
    if (found->is_clear)
        out->fits_ground = (dlg_ground){DLG_CERTAIN, "rows of words that nobody looked up are as they were"};
    out->tokens_ground =
        (dlg_ground){found->is_clear ? DLG_CERTAIN : DLG_LIKELY, "rows of the word embedding that training moved"};
    dlg_free(out->tokens.tokens);
    return dlg_token_set_of_text(&out->tokens, found->n_tokens, found->tokens, err);
}
