#include "library/attack.h"
#include "library/fit.h"
#include "report/scores.h"

dlg_status dlg_attack_score(dlg_scores *out, const dlg_attack *attack, const dlg_truth *truth, dlg_error *err)
{
    const dlg_model *model = attack->gradient->model;
    *out = (dlg_scores){.n_right = 0};
    if (!attack->has_run) return dlg_fail(err, DLG_EARG, "attack: want one that ran, found one that did not");
    const dlg_status status = dlg_fit_truth(truth, model, err);
    if (status) return status;
    return dlg_scores_compute(out, &attack->result, dlg_attack_knowledge(attack), truth, model->tokenizer, err);
}
