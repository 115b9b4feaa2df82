/** Everything that can be read off a gradient without any search, and how sure each piece is. */
#ifndef DLG_ANALYTIC_INSPECT_H
#define DLG_ANALYTIC_INSPECT_H

#include "analytic/causes.h"
#include "analytic/evidence.h"
#include "analytic/knowledge.h"
#include "analytic/matrix_ranks.h"
#include "analytic/places.h"
#include "analytic/tokens/token_set.h"
#include "analytic/noise/defence_traces.h"

typedef struct {
    dlg_confidence sure;
    const char *from; /**< what it is read off, in words; static */
} dlg_ground;

/** Zero-initialise; release with dlg_inspection_release. */
typedef struct {
    dlg_defence_traces traces;
    /** rounded, pruned or noisy: what needs an exact gradient is then less sure or not seen */
    bool is_defended;

    /** embeddings and first layer are this model's; where they are not nothing is more than a guess */
    bool fits;
    dlg_ground fits_ground;

    size_t length; /**< of the longest sentence, begin and end included; 0: not seen */
    dlg_ground length_ground;

    /** by dlg_infer_layout, as for the attacks, or more; where not certain the fewest that fit */
    size_t n_sentences;
    size_t n_sentences_most; /**< 0: no bound is seen */
    dlg_ground sentences_ground;

    size_t *lengths; /**< (n_sentences) the longest first; NULL where the length is not seen */
    dlg_ground lengths_ground;

    /** (n_labels) sorted: tokens behind the masks, each as often as it is one; or classes */
    size_t n_labels, *labels;
    dlg_ground labels_ground;

    /** that went in, anywhere; next to a tied decoder labels may be missing, or too many */
    dlg_token_set tokens;
    dlg_ground tokens_ground;

    /** (n_masked) positions at which a sentence has the mask token, or can have; a masked LM's only */
    size_t n_masked, *masked;
    dlg_ground masked_ground;

    uint32_t *text;        /**< (length) the one sentence as it went in, or NULL */
    size_t n_text_certain; /**< positions at which no other token is possible */
    dlg_ground text_ground;

    double scale; /**< by what the gradient is multiplied, next to that of the mean loss */
    dlg_ground scale_ground;

    dlg_causes causes; /**< why it is not this model's gradient of one step, or not of its size */

    dlg_places places; /**< tokens where they stand, in a text that was not read as a whole */
    dlg_ground places_ground;

    size_t most_rank; /**< ranks up to this are told apart */
    size_t n_ranks;
    dlg_matrix_rank *ranks; /**< (n_ranks) in the model's order */
} dlg_inspection;

/** All but the ranks. Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ECANCELLED. What cannot be seen is no error. */
DLG_MUST_USE dlg_status dlg_inspect_facts(dlg_inspection *out, dlg_analysis *, dlg_error *);

/** With the ranks, which take the longest. Errors: as above. */
DLG_MUST_USE dlg_status dlg_inspect(dlg_inspection *out, dlg_analysis *, dlg_error *);

/** Accepts a zeroed one. */
void dlg_inspection_release(dlg_inspection *);

#endif
