/** Truth files, whose fields dlg/truth.h has: what a step really was, beside its gradient and never in it. */
#ifndef DLG_IO_TRUTH_H
#define DLG_IO_TRUTH_H

#include "base/file.h"
#include "dlg/truth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** A position at which nothing was to be predicted. */
#define DLG_NO_LABEL (-100)

/** The step, sentences one after the other without padding. Zero-initialise; freed by dlg_truth_release. */
struct dlg_truth {
    char *name; /**< of the file, for messages; NULL: none */
    bool is_classification;
    size_t n_sentences, n_rows;
    size_t *first;   /**< (n_sentences + 1) first row of each sentence; the last entry is n_rows */
    uint32_t *fed;   /**< (n_rows) what went into the model */
    uint32_t *ids;   /**< (n_rows) what the text is */
    size_t *types;   /**< (n_rows) token types, of pairs 0 and 1 */
    int64_t *labels; /**< (n_rows) tokens or DLG_NO_LABEL; (n_sentences) classes of a classifier */
    char **text;     /**< (n_sentences), or NULL where the file has none */
    char **pair;     /**< (n_sentences) second texts, each NULL where there is none; NULL: no pairs */
    double loss;     /**< 0 where the file has none */
    uint64_t seed;   /**< of the masks and of the defences' noise; at most 2^53 */
    bool dropout;    /**< dropout was on, so the step cannot be repeated */
    double dropped;  /**< share of numbers, of a step that is to be made; not written */
    uint32_t pad;    /**< what padding holds in the file */
};

/**
 * An empty step of sentences of these lengths, all fields to be filled by the caller: no label set, no text.
 * Errors: DLG_ENOMEM. Lengths must not be zero.
 */
DLG_MUST_USE dlg_status dlg_truth_create(dlg_truth *out, bool is_classification, size_t n_sentences,
                                         const size_t *lengths, dlg_error *);

/**
 * Read a file. On failure *out is empty. Errors (DLG_EFORMAT) name the file, the list and the place: a list is missing
 * or not the rectangle that the others are, attention is not 1s and then 0s, a token is not below 2^32, a label is not
 * DLG_NO_LABEL or the token that ids has there, nothing was to be predicted. text, text_pair, token_type_ids, loss,
 * seed and dropout may be absent; other keys are not looked at.
 */
DLG_MUST_USE dlg_status dlg_truth_read(dlg_truth *out, const char *path, dlg_error *);

/**
 * Whether a model of these sizes can have made the step: DLG_ESHAPE names the file and the token, class or length that
 * it cannot.
 * @param n_labels classes; not looked at for a masked LM
 */
DLG_MUST_USE dlg_status dlg_truth_check(const dlg_truth *, const char *path, size_t vocabulary_size, size_t n_types,
                                        size_t n_labels, size_t max_positions, dlg_error *);

/** Append the file's text; the caller commits. Errors: DLG_ENOMEM; DLG_EIO. */
DLG_MUST_USE dlg_status dlg_truth_append(const dlg_truth *, dlg_file_writer *, dlg_error *);

/** Accepts an empty truth. */
void dlg_truth_release(dlg_truth *);

/** Rows with a label, or sentences of a classifier. */
size_t dlg_truth_count_labels(const dlg_truth *);

#endif
