/** What a gradient leaks without any search, how sure each fact is, and what it is read off. */
#ifndef DLG_INSPECT_H
#define DLG_INSPECT_H

#include "dlg/attack.h"
#include "dlg/gradient.h"
#include "dlg/status.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dlg_leakage dlg_leakage;

typedef enum {
    DLG_FACT_MODEL,     /**< 1: the model's embeddings are the gradient's; 0: all else is a guess */
    DLG_FACT_LENGTH,    /**< of the longest sentence, begin and end included */
    DLG_FACT_SENTENCES, /**< how many; where not certain the fewest that fit */
    DLG_FACT_LENGTHS,   /**< of each of these, the longest first */
    DLG_FACT_LABELS,    /**< sorted: tokens behind the masks, each as often as it is one; or classes */
    DLG_FACT_MASKED,    /**< positions at which a sentence has the mask token, or can have; a masked LM's only */
    DLG_FACT_TOKENS,    /**< ids that went in, anywhere */
    DLG_FACT_TEXT,      /**< ids of the one sentence as it went in */
    DLG_FACT_SCALE,     /**< by what the gradient is multiplied, next to that of the mean loss */
    DLG_N_FACTS
} dlg_fact;

/** "model", "length", "sentences", "lengths", "labels", "masked", "tokens", "text", "scale". */
DLG_PUBLIC const char *dlg_fact_name(dlg_fact);

/**
 * Look at a gradient. What cannot be seen is no error.
 * @param[out] out owned by the caller, dlg_leakage_free; NULL on failure. The gradient must outlive it.
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_inspect(dlg_leakage **out, const dlg_gradient *, dlg_error *);

/** Accepts NULL. */
DLG_PUBLIC void dlg_leakage_free(dlg_leakage *);

/**
 * How sure a fact is, and what it is read off or why it is not seen. @param[out] from in words, static; may be NULL
 */
DLG_PUBLIC dlg_confidence dlg_leakage_ground(const dlg_leakage *, dlg_fact, const char **from);

/**
 * The values of a fact, of which there is one of the model, the length, the sentences and the scale.
 * @param[out] values (n), or NULL to ask for n alone
 * @return n; 0: not seen
 */
DLG_PUBLIC size_t dlg_leakage_values(const dlg_leakage *, dlg_fact, double *values);

#ifdef __cplusplus
}
#endif

#endif
