/*
 * TAG: Gradient Attack on Transformer-based Language Models (Deng et al. 2021, arXiv:2103.06819): dummy embeddings descend by Adam on
 *
 *   D = sum over tensors of ||g - t||^2 + alpha_l ||g - t||_1
 *
 * whose absolute differences weigh more the nearer the tensor is to the input (leak/distance.c has the numbers). Labels are read off the
 * gradient instead of optimised; a start that stalls is followed by one that is drawn anew.
 */
#include "leak/classes.h"
#include "leak/dlg.h"

static dlg_status run(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    return dlg_descent_attack(out, gradient, knowledge, options, observer, DLG_DRAW_ANEW, err);
}

const dlg_attack_class dlg_attack_tag = {"tag", "TAG (Deng et al. 2021)", &dlg_tag_distance, &dlg_adam, false, run};
