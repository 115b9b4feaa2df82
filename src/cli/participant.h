/** What a participant does: from texts, or from a step on record, to the gradient that is shared. */
#ifndef DLG_CLI_PARTICIPANT_H
#define DLG_CLI_PARTICIPANT_H

#include "cli/source.h"
#include "cli/texts.h"
#include "defend/defence.h"
#include "io/truth.h"
#include "gradient/gradient.h"
#include "gradient/masking.h"

#include <stdio.h>

/** How texts become a step. */
typedef struct {
    double mask_rate;
    dlg_mask_style mask_style;
    size_t max_length; /**< cut longer texts to this many tokens, [CLS] and [SEP] included; 0: never */
    uint64_t seed;
    size_t n_labels;
    const uint64_t *labels; /**< (n_labels) classes, one a text; none for a masked LM */
} dlg_participation;

/**
 * Tokenise the texts and, for a masked LM, mask them. On failure *out is empty. What was cut is said on `notes`, unless
 * that is NULL. Errors name the text: it is not UTF-8, has no token, or more than the model's positions (DLG_EFORMAT);
 * DLG_EARG for a number of labels that is not that of the texts; DLG_ESHAPE for a class that the model has not.
 */
DLG_MUST_USE dlg_status dlg_participant_read(dlg_truth *out, const dlg_source *, const dlg_texts *,
                                             const dlg_participation *, FILE *notes, dlg_error *);

/**
 * Compute the gradient of the step, whose loss is filled in, and defend it. The step must fit the model
 * (dlg_truth_check).
 */
DLG_MUST_USE dlg_status dlg_participant_share(dlg_gradient *out, const dlg_model *, dlg_truth *step, size_t n_defences,
                                              const dlg_defence *defences, uint64_t seed, dlg_error *);

/**
 * Write the gradient and, unless its path is NULL, the truth: both files appear whole, or neither, and an interrupt
 * waits until then. Errors: as dlg_safetensors_write.
 */
DLG_MUST_USE dlg_status dlg_participant_save(const dlg_gradient *, const char *path, dlg_dtype, size_t n_metadata,
                                             const dlg_metadata *metadata, const dlg_truth *, const char *truth_path,
                                             dlg_error *);

#endif
