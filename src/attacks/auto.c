/*
 * What there is, in the order of its cost: the text is read off where that explains the gradient (dager.h); else dummy
 * embeddings descend among what is left open (restricted.c). Where some sentences of a batch were read off that is all:
 * a descent, which begins anew, would find less. Behind a reading that explains nothing it seldom finds more, and takes
 * long: unless a time was named it has a minute.
 */
#include "attacks/classes.h"
#include "attacks/dager.h"

static const double descent_s = 60;

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_status status = dlg_dager_run(out, analysis, knowledge, options, observer, err);
    if (!status && out->end == DLG_EXHAUSTED) status = dlg_attack_look(out, analysis, err);
    if (status || out->end != DLG_EXHAUSTED) return status;
    if (observer && observer->note)
        observer->note(observer->payload, "what was read off does not explain the gradient: dummy embeddings descend");
    if (!(options->max_seconds > 0)) dlg_budget_shorten(&out->budget, descent_s);
    return dlg_attack_restricted.run(out, analysis, knowledge, options, observer, err);
}

const dlg_attack_class dlg_attack_auto = {"auto", "reads off what it can, then descends", &dlg_l2, &dlg_lbfgs, false,
                                          run};
