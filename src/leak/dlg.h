/**
 * Deep Leakage from Gradients (Zhu, Liu & Han 2019, arXiv:1906.08935): optimise dummy embeddings until their gradient is the shared one,
 * and read the text off them.
 */
#ifndef DLG_LEAK_DLG_H
#define DLG_LEAK_DLG_H

#include "leak/distance.h"
#include "leak/knowledge.h"
#include "leak/minimise.h"

#include <stdint.h>

typedef struct {
    const dlg_distance *distance;
    const dlg_minimiser *minimiser;
    size_t max_iterations;   /**< of one start */
    size_t max_starts;       /**< another begins when one stalls */
    uint64_t seed;
} dlg_attack_options;

/** A moment of the attack, or its end. Arrays are borrowed and hold one entry a row of the batch. */
typedef struct {
    size_t start;               /**< which start, from 1 */
    size_t iteration;           /**< of this start, from 1 */
    size_t iterations;          /**< of all starts together */
    size_t evaluations;         /**< of all starts together */
    double distance;            /**< at the dummy embeddings */
    double distance_of_tokens;  /**< at the decoded tokens' own embeddings: near zero when they explain the gradient */
    double scale;               /**< the distance of a zero gradient */
    double seconds;
    const uint32_t *fed;        /**< as the model saw it: [MASK] where it was masked */
    const uint32_t *tokens;     /**< with the labels put back */
    const bool *predicted;      /**< whether a label was put there */
    const bool *changed;        /**< whether tokens changed since the last report */
} dlg_attack_state;

/** Why the attack ended. */
typedef enum {
    DLG_EXPLAINED,   /**< the decoded tokens' own gradient is the shared one, to rounding */
    DLG_SETTLED,     /**< the text is stable and the distance has collapsed to what the gradient's noise leaves */
    DLG_EXHAUSTED,   /**< iterations and starts are used up */
    DLG_INTERRUPTED
} dlg_attack_end;

/** "explained", "settled", "exhausted", "interrupted". */
const char *dlg_attack_end_name(dlg_attack_end);

/** What the attack calls. Both may be NULL. */
typedef struct {
    void (*iteration)(void *payload, const dlg_attack_state *);
    /** A note in words: a start that stalled or diverged and why the next begins. One line. */
    void (*note)(void *payload, const char *line);
    /** Asked between evaluations: true ends the attack with the best so far. */
    bool (*interrupted)(void *payload);
    void *payload;
} dlg_attack_observer;

/** The best that was found. Zero-initialise; release with dlg_attack_result_release. */
typedef struct {
    dlg_attack_state state;  /**< its arrays are the result's own; `changed` is all false */
    dlg_attack_end end;
    size_t n_rows, *first;   /**< first (n_sentences + 1): where each sentence begins */
    size_t n_sentences;
    size_t n_dense, n_targets; /**< weight matrices whose target is not of low rank (a defended gradient), of how many; set before the
                                    observer is called */
    void *memory;
} dlg_attack_result;

/**
 * Attack. knowledge must be complete (dlg_knowledge_infer). The result holds the best text of all starts, by the distance of its tokens.
 * Errors: DLG_ENOMEM, DLG_ESHAPE; a start that diverges is not an error but a note and another start.
 */
DLG_MUST_USE dlg_status dlg_attack(dlg_attack_result *out, const dlg_gradient *, const dlg_knowledge *,
                                   const dlg_attack_options *, const dlg_attack_observer *, dlg_error *);

void dlg_attack_result_release(dlg_attack_result *);

#endif
