/*
 * TAG: Gradient Attack on Transformer-based Language Models (Deng et al. 2021, arXiv:2103.06819): dummy embeddings
 * descend by Adam on
 *
 *   D = sum over tensors of ||g - t||^2 + alpha_l ||g - t||_1
 *
 * whose absolute differences weigh more the nearer the tensor is to the input. The paper does not say by how much;
 * matching/distance.c has numbers that others have used. What differs from their runs of it: labels are read off the
 * gradient, not told (LAMP's) or optimised along (breaching's); the start is N(0, std^2) of the embeddings' scale and
 * not N(0, 1), Adam's first step a part of that scale, falling (optimise/adam.c); and a start that stalls is followed
 * by one that is drawn anew, where theirs make 2,500 steps from one start.
 */
#include "attacks/classes.h"
#include "attacks/dlg.h"

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    return dlg_descent_attack(out, analysis, knowledge, options, observer, DLG_DRAW_ANEW, err);
}

const dlg_attack_class dlg_attack_tag = {"tag", "TAG (Deng et al. 2021)", &dlg_tag_distance, &dlg_adam, false, run};
