/** Sentences that were found and that no gradient is compared with: the result as they are. */
#ifndef DLG_ATTACKS_SESSION_FOUND_SENTENCES_H
#define DLG_ATTACKS_SESSION_FOUND_SENTENCES_H

#include "attacks/session/attack.h"

/**
 * Make the result of sentences, each of which was in the batch, without a network: no label is put back yet, and no
 * distance is known. @param fed tokens, sentence after sentence. @param end DLG_PARTLY, or DLG_SETTLED where they are
 * all there were Errors: DLG_ENOMEM; the result is then as it was.
 */
DLG_MUST_USE dlg_status dlg_found_sentences_keep(dlg_attack_result *, const dlg_knowledge *, size_t n_sentences,
                                                 const size_t *lengths, const uint32_t *fed, const dlg_part *,
                                                 dlg_attack_end, dlg_error *);

/**
 * Of all the sentences of a masked LM's batch: where the mask token stands as often as there are labels, those rows
 * were predicted, and where all labels are the same they stood there and are put back. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_found_sentences_put_labels(dlg_attack_result *, dlg_error *);

#endif
