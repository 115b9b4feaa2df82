/*
 * What there is, in the order of its cost: the text is read off where that explains the gradient (span.h); else dummy embeddings descend
 * (dlg.h) among what is left open (narrow.h).
 */
#include "leak/classes.h"
#include "leak/dlg.h"
#include "leak/narrow.h"
#include "leak/span.h"

static dlg_status run(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_recovery r = {0};
    dlg_status status = dlg_span_attack(out, gradient, knowledge, options, observer, err);
    if (status || out->end != DLG_EXHAUSTED) return status;
    status = dlg_recovery_begin(&r, out, gradient, knowledge, options, observer, err);
    if (!status) dlg_recovery_note(&r, "what was read off does not explain the gradient: dummy embeddings descend");
    if (!status) status = dlg_narrow(&r, err);
    if (!status && dlg_recovery_is_explained(&r)) out->end = DLG_EXPLAINED;
    else if (!status) status = dlg_descend(&r, DLG_KEEP_CERTAIN, err);
    dlg_recovery_end(&r);
    return status;
}

const dlg_attack_class dlg_attack_auto = {"auto", "reads off what it can, then descends", &dlg_l2, &dlg_lbfgs, run};
