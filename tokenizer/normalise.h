/** A whole text as BERT's normaliser leaves it, for what is searched in that; words need none (split.h). */
#ifndef DLG_TOKENIZER_NORMALISE_H
#define DLG_TOKENIZER_NORMALISE_H

#include "tokenizer/tokenizer.h"

/**
 * Clean, put Chinese characters apart, decompose and remove accents, lower case: as far as `how` says.
 * @param[out] out the text, to be freed with dlg_free, and its length
 * @param[out] at the byte of `text` that is no UTF-8
 * @return DLG_ENOMEM, or DLG_EFORMAT for what is not UTF-8; without a message
 */
DLG_MUST_USE dlg_status dlg_normalise(char **out, size_t *n_out, dlg_normalisation how, const char *text,
                                      size_t n_bytes, size_t *at);

#endif
