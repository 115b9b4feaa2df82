/*
 * Improved Deep Leakage from Gradients (Zhao, Mopuri & Bilen 2020, arXiv:2001.02610) as it was published: the labels
 * are read off the last layer's gradient, then dummy inputs, N(0, std^2) of the embeddings' scale, descend on the
 * squared distance by L-BFGS without a line search (step 1, history 100, twenty evaluations an iteration), and the
 * tokens nearest to them are the text.
 *
 * The paper reads the class of one image; knowledge.c does that for a class, and for the labels of a masked LM from the
 * decoder's bias. Where several labels must be put in their places that is done as everywhere here.
 *
 * Against `dlg`: that attack reads labels off in the same way, because optimising them jointly as soft labels, as the
 * DLG paper has it, recovers no text at all. What `dlg` has beyond the papers is what is left out here: a line search,
 * and further starts that keep the tokens that are certain. Here a start that stalls is followed by one that is drawn
 * anew, as somebody who runs the published code would.
 */
#include "attacks/classes.h"
#include "attacks/dlg.h"

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    return dlg_descent_attack(out, analysis, knowledge, options, observer, DLG_DRAW_ANEW, err);
}

const dlg_attack_class dlg_attack_idlg = {
    "idlg", "iDLG as published (Zhao et al. 2020)", &dlg_l2, &dlg_plain_lbfgs, false, run};
