/* The span check (DAGER, Petrov et al. 2024, arXiv:2405.15586): tokens are read off layer 0, and sentences assembled from them. */
#include "base/memory.h"
#include "leak/assembly.h"
#include "leak/classes.h"
#include "leak/infer.h"

/* A masked LM predicts where [MASK] is a choice, and where it is none everywhere. */
static dlg_status choose_rows(dlg_knowledge *k, const dlg_choices *choices, dlg_error *err)
{
    if (k->rows_from == DLG_TOLD) return DLG_OK;
    dlg_free(k->rows);
    k->n_rows = 0;
    k->rows_from = DLG_INFERRED;
    k->rows = dlg_allocate(choices->n_rows, sizeof *k->rows);
    if (!k->rows) return dlg_fail(err, DLG_ENOMEM, "masked positions: no memory");
    for (size_t i = 0; i < choices->n_rows; i++)
        for (size_t j = choices->first[i]; j < choices->first[i + 1]; j++)
            if (choices->token[j] == k->markers.mask) k->rows[k->n_rows++] = i;
    if (k->n_rows >= k->n_labels) return DLG_OK;
    k->n_rows = 0;
    for (size_t b = 0, first = 0; b < k->n_sentences; first += k->lengths[b++])
        for (size_t t = 1; t + 1 < k->lengths[b]; t++) k->rows[k->n_rows++] = first + t;
    return DLG_OK;
}

static dlg_status run(dlg_attack_result *out, const dlg_gradient *gradient, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_candidates candidates = {0};
    dlg_choices choices = {0};
    dlg_recovery r = {0};
    bool possible, explained;
    size_t longest = 0;
    for (size_t b = 0; b < knowledge->n_sentences; b++) longest = knowledge->lengths[b] > longest ? knowledge->lengths[b] : longest;
    dlg_status status = dlg_candidates_find(&candidates, gradient, longest, err);
    if (!status) status = dlg_candidates_look_up(&candidates, gradient, err);
    if (!status) status = dlg_choices_make(&choices, &possible, &candidates, knowledge->n_sentences, knowledge->lengths, knowledge->markers, err);
    dlg_knowledge mine = {0};
    if (!status) status = dlg_knowledge_copy(&mine, knowledge, err);
    if (!status && possible && gradient->model->config.task == DLG_MASKED_LM) status = choose_rows(&mine, &choices, err);
    if (!status && possible) status = dlg_recovery_begin(&r, out, gradient, &mine, options, observer, err);
    if (!status && possible) status = dlg_assemble(&r, &choices, options->max_starts, &explained, err);
    if (!status && possible && explained) out->end = DLG_EXPLAINED;
    dlg_recovery_end(&r);
    dlg_knowledge_release(&mine);
    dlg_choices_release(&choices);
    dlg_candidates_release(&candidates);
    return status;
}

const dlg_attack_class dlg_attack_span = {"span", "the span check of DAGER (Petrov et al. 2024), batches assembled", run};
