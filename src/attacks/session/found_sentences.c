#include "attacks/session/found_sentences.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static dlg_status know(dlg_knowledge **out, const dlg_knowledge *from, size_t n_sentences, const size_t *lengths,
                       bool are_all, dlg_error *err)
{
    const dlg_knowledge sentences = {.n_sentences = n_sentences,
                                     .lengths = (size_t *)(size_t)lengths, /* copied */
                                     .special = from->special,
                                     .sentences_from = DLG_INFERRED,
                                     .lengths_from = DLG_INFERRED,
                                     .masks_are_seen = from->masks_are_seen,
                                     .n_labels = are_all ? from->n_labels : 0,
                                     .labels = are_all ? from->labels : NULL,
                                     .labels_from = from->labels_from,
                                     .labels_are_unsure = from->labels_are_unsure};
    *out = dlg_allocate(1, sizeof **out);
    if (!*out) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    const dlg_status status = dlg_knowledge_copy(*out, &sentences, err);
    if (!status) return status;
    dlg_free(*out);
    *out = NULL;
    return status;
}

dlg_status dlg_found_sentences_keep(dlg_attack_result *result, const dlg_knowledge *from, size_t n_sentences,
                                    const size_t *lengths, const uint32_t *fed, const dlg_part *part,
                                    dlg_attack_end end, dlg_error *err)
{
    dlg_knowledge *knowledge = NULL;
    size_t n = 0, *first = dlg_allocate(n_sentences + 1, sizeof *first);
    for (size_t b = 0; first && b < n_sentences; b++) first[b + 1] = n += lengths[b];
    dlg_evidence *evidence = dlg_allocate(n, sizeof *evidence + 2 * sizeof *fed + 2 * sizeof(bool));
    dlg_status status = first && evidence ? know(&knowledge, from, n_sentences, lengths, end == DLG_SETTLED, err)
                                          : dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    if (status) {
        dlg_free(first);
        dlg_free(evidence);
        return status;
    }
    uint32_t *own = (uint32_t *)(evidence + n), *tokens = own + n;
    bool *predicted = (bool *)(tokens + n), *changed = predicted + n; /* none */
    memcpy(own, fed, n * sizeof *own);
    memcpy(tokens, fed, n * sizeof *tokens);
    for (size_t i = 0; i < n; i++) evidence[i] = (dlg_evidence){DLG_FROM_READING, 1, NAN, NAN, 0, NAN};
    dlg_free(result->first);
    dlg_free(result->memory);
    if (result->knowledge) dlg_knowledge_release(result->knowledge);
    dlg_free(result->knowledge);
    result->state = (dlg_attack_state){.start = 1,
                                       .distance = INFINITY,
                                       .distance_of_tokens = INFINITY,
                                       .knowledge = knowledge,
                                       .fed = own,
                                       .tokens = tokens,
                                       .predicted = predicted,
                                       .changed = changed,
                                       .evidence = evidence};
    result->end = end;
    result->part = *part;
    result->n_rows = n;
    result->n_sentences = n_sentences;
    result->first = first;
    result->knowledge = knowledge;
    result->memory = evidence;
    return DLG_OK;
}

dlg_status dlg_found_sentences_put_labels(dlg_attack_result *result, dlg_error *err)
{
    dlg_knowledge *k = result->knowledge;
    const uint32_t *fed = result->state.fed;
    uint32_t *tokens = (uint32_t *)((dlg_evidence *)result->memory + result->n_rows) + result->n_rows;
    bool *predicted = (bool *)(tokens + result->n_rows), are_same = true;
    size_t n = 0;
    for (size_t i = 0; i < result->n_rows; i++) n += fed[i] == k->special.mask;
    for (size_t i = 1; i < k->n_labels; i++) are_same &= k->labels[i] == k->labels[0];
    if (!n || n != k->n_labels) return DLG_OK;
    k->rows = dlg_allocate(n, sizeof *k->rows);
    if (!k->rows) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    k->rows_from = DLG_INFERRED;
    k->placed = are_same;
    for (size_t i = 0; i < result->n_rows; i++) {
        if (fed[i] != k->special.mask) continue;
        k->rows[k->n_rows++] = i;
        if (are_same) tokens[i] = (uint32_t)k->labels[0];
        predicted[i] = are_same;
    }
    return DLG_OK;
}
