/**
 * The participant's side: texts become a step of training, which is the truth that an attack is after. In a file,
 * beside its gradient and never in it, it is JSON:
 *
 *     {"task": "mlm" or "cls", "text": [...], "text_pair": [...], "fed_ids": [[...]], "ids": [[...]],
 *      "token_type_ids": [[...]], "attention": [[...]], "labels": [...], "loss": ..., "seed": ..., "dropout": false}
 *
 * fed_ids, ids, attention and the labels of a masked LM are rectangles, one row a sentence, padded on the right;
 * attention is 1 for tokens and 0 for padding; a label is -100 where nothing was to be predicted. A classifier's labels
 * are one class a sentence. text_pair and token_type_ids are there where two texts are one input: text_pair is null
 * beside one that is alone.
 */
#ifndef DLG_TRUTH_H
#define DLG_TRUTH_H

#include "dlg/model.h"
#include "dlg/status.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Texts of one batch, in order. */
typedef struct dlg_texts dlg_texts;

/** @param[out] out owned by the caller, dlg_texts_free; NULL on failure. Errors: DLG_ENOMEM. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_texts_create(dlg_texts **out, dlg_error *);

/** Add one text, of which a copy is kept. Errors: DLG_EFORMAT when it is empty; DLG_ENOMEM. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_texts_add(dlg_texts *, const char *text, dlg_error *);

/**
 * Make this the second text of the one that was added last: both are one input, with token types of their own. A copy
 * is kept. Errors: DLG_EARG where there is none, or it has one; DLG_EFORMAT when it is empty; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_texts_add_pair(dlg_texts *, const char *text, dlg_error *);

/**
 * Add every line (LF or CRLF) of a file, or of standard input for "-". Errors: DLG_EFORMAT for an empty file, an empty
 * line, and a NUL, naming the line; DLG_EIO; DLG_ENOMEM; DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_texts_add_file(dlg_texts *, const char *path, dlg_error *);

/** Accepts NULL. */
DLG_PUBLIC void dlg_texts_free(dlg_texts *);

/** A participant's step as it really was: what went in, what the text is, what was to be predicted. */
typedef struct dlg_truth dlg_truth;

typedef enum {
    DLG_MASK_ALL, /**< every chosen token becomes the mask token */
    DLG_MASK_BERT /**< 80 % the mask token, 10 % a random token, 10 % kept */
} dlg_mask_style;

/** How texts become a step. Start from DLG_PARTICIPATION_INIT. */
typedef struct {
    double mask_rate; /**< share of the tokens that a masked LM predicts, at least one of each text */
    dlg_mask_style mask_style;
    /** cut longer texts to this many tokens, at least 3, of a pair 5, begin and end included; 0: never */
    size_t max_length;
    uint64_t seed; /**< of the masks; at most 2^53, for JSON's sake */
    size_t n_labels;
    const uint64_t *labels; /**< (n_labels) classes, one a text; none for a masked LM; borrowed during the call */
    /** called with a line about each text that was cut; may be NULL */
    void (*note)(void *payload, const char *line);
    void *payload; /**< handed to note */
    /** share of the numbers that dropout drops behind embeddings and layers, below 1; 0: it is off */
    double dropout;
} dlg_participation;

#define DLG_PARTICIPATION_INIT                                                                                         \
    {                                                                                                                  \
        0.15, DLG_MASK_ALL, 0, 0, 0, NULL, NULL, NULL, 0                                                               \
    }

/**
 * Tokenise the texts and, for a masked LM, mask them.
 * @param[out] out owned by the caller, dlg_truth_free; NULL on failure @param how NULL: DLG_PARTICIPATION_INIT
 * Errors name the text: it is not UTF-8, has no token, or more than the model's positions (DLG_EFORMAT); DLG_EARG for
 * a number of labels that is not that of the texts; DLG_ESHAPE for a class that the model has not; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_truth_of_texts(dlg_truth **out, const dlg_model *, const dlg_texts *,
                                                      const dlg_participation *how, dlg_error *);

/**
 * Read a truth file. @param[out] out owned by the caller, dlg_truth_free; NULL on failure. Errors: DLG_EIO,
 * DLG_ENOMEM; DLG_EFORMAT names the file, the list and the place.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_truth_open(dlg_truth **out, const char *path, dlg_error *);

/** Accepts NULL. */
DLG_PUBLIC void dlg_truth_free(dlg_truth *);

/** The task it was for: "mlm" or "cls". Static. */
DLG_PUBLIC const char *dlg_truth_task(const dlg_truth *);

#ifdef __cplusplus
}
#endif

#endif
