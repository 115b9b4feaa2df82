/**
 * What every attack is given, what it says on the way, and what it ends with. An attack is one file, and one line of
 * the table.
 */
#ifndef DLG_ATTACKS_SESSION_ATTACK_H
#define DLG_ATTACKS_SESSION_ATTACK_H

#include "dlg/attack.h"
#include "attacks/session/budget.h"
#include "io/journal.h"
#include "matching/distance.h"
#include "matching/explanation.h"
#include "analytic/evidence.h"
#include "analytic/inspect.h"
#include "analytic/knowledge.h"
#include "analytic/labels/loss.h"
#include "optimise/minimise.h"

#include <stdint.h>

/** "batch", "sentence". */
const char *dlg_update_name(dlg_update);

/** What changes the course of an attack is also a fact of its journal: attacks/session/checkpoint.c. */
typedef struct {
    const dlg_distance *distance;
    const dlg_minimiser *minimiser;
    size_t max_iterations;  /**< of one start */
    size_t max_starts;      /**< another begins when one stalls */
    size_t max_evaluations; /**< of all starts together; 0: as many as these take */
    double max_seconds;     /**< of the run; 0: the attack's own, if it has one; INFINITY: as long as it takes */
    dlg_update update;
    uint64_t seed;
    /** a language model of the same vocabulary, for attacks that ask one; NULL: the attacked one, if it is one */
    const dlg_model *prior;
    /** where evaluations are recalled from and written to (dlg_checkpoint_open); NULL: nowhere */
    dlg_journal *journal;
} dlg_attack_options;

/** A moment of the attack, or its end. Arrays are borrowed and hold one entry a row of the batch. */
typedef struct {
    size_t start;                /**< which start, from 1 */
    size_t iteration;            /**< of this start, from 1; 0: what was read off before it descends */
    size_t iterations;           /**< of all starts together */
    size_t evaluations;          /**< of all starts together */
    double distance;             /**< at the dummy embeddings */
    double distance_of_tokens;   /**< at the decoded tokens' own embeddings: near zero when they explain the gradient */
    double scale;                /**< the distance of a zero gradient */
    dlg_explanation explanation; /**< where the tokens' distance is rounding: what each tensor says; else no tensor */
    dlg_loss loss;               /**< that the tokens' distance is of */
    double seconds;              /**< since the attack began: reading, decoding and evaluating */
    double evaluating_seconds;   /**< of these, what its evaluations took */
    const dlg_knowledge *knowledge; /**< what this text rests on: an attack may try several batch sizes and lengths */
    const uint32_t *fed;            /**< as the model saw it: the mask token where it was masked */
    const uint32_t *tokens;         /**< with the labels put back */
    const bool *predicted;          /**< whether a label was put there */
    const bool *changed;            /**< whether tokens changed since the last report */
    const dlg_evidence *evidence;   /**< for each fed token */
} dlg_attack_state;

/** "explained", "settled", "partly", "exhausted", "interrupted", "unreadable", "out of time", "likely". */
const char *dlg_attack_end_name(dlg_attack_end);

/** What the attack calls. Each may be NULL. */
typedef struct {
    void (*iteration)(void *payload, const dlg_attack_state *);
    /** A note in words: a start that stalled or diverged and why the next begins. One line. */
    void (*note)(void *payload, const char *line);
    /** What it does from here on, in a few words: "descent: start 3 of 12". */
    void (*doing)(void *payload, const char *what);
    /** Asked between evaluations: true, from then on for good, ends the attack with the best so far. */
    bool (*interrupted)(void *payload);
    void *payload;
} dlg_attack_observer;

/** Tell the observer, which may be NULL, what the attack does from here on. */
void DLG_PRINTF(2, 3) dlg_attack_doing(const dlg_attack_observer *, const char *format, ...);

/** Pass a line on to the observer, if it takes any. @param observer may be NULL, as below */
void dlg_attack_note(const dlg_attack_observer *, const char *line);

/** Whether the observer wants the attack to end. */
bool dlg_attack_is_interrupted(const dlg_attack_observer *);

/** How much of a batch some of its sentences are. */
typedef struct {
    size_t n_least; /**< sentences that were in the batch, at least */
    /** directions of the row space that sentences are judged by (sequence_check.h): those of the found ones' rows */
    size_t n_accounted;
    size_t n_directions; /**< all of them */
} dlg_part;

/** The best that was found. Zero-initialise; release with dlg_attack_result_release. */
typedef struct {
    /** its arrays and knowledge are the result's own; `changed` is all false; tokens NULL: no text was found */
    dlg_attack_state state;
    dlg_attack_end end;
    dlg_part part;         /**< DLG_PARTLY: what was found; else zero */
    bool was_dropped;      /**< numbers of layer 0's inputs were: no text explains the gradient */
    const char *reason;    /**< DLG_UNREADABLE: what was not to be seen, borrowed; else NULL */
    size_t n_rows, *first; /**< first (n_sentences + 1): where each sentence begins */
    size_t n_sentences;
    /** weight matrices whose target is not of low rank (a defended gradient), of how many; set before the observer is
     * called; none of DLG_PARTLY, whose rows are too few to tell */
    size_t n_dense, n_targets;
    size_t iterations, evaluations; /**< so far */
    size_t recalled;                /**< of these evaluations, those that the journal answered; set at the end */
    double evaluating_s;            /**< what its evaluations have taken so far */
    double begun_s;                 /**< dlg_clock_now when the attack began */
    dlg_budget budget;              /**< of its time, while it runs */
    dlg_inspection *shown; /**< what the gradient shows all the same, where no text was recovered; NULL: not looked */
    dlg_knowledge *knowledge;
    void *memory;
} dlg_attack_result;

/**
 * See what the gradient shows without any search, for a result that may recover no text, if that was not done before.
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ECANCELLED.
 */
DLG_MUST_USE dlg_status dlg_attack_look(dlg_attack_result *, dlg_analysis *, dlg_error *);

void dlg_attack_result_release(dlg_attack_result *);

/** How the token in a row was got. */
dlg_token_source dlg_attack_source(const dlg_attack_state *, size_t row);

/**
 * How sure the token in a row is. Of a text that explains the gradient all are certain: it would have another gradient
 * were one of them wrong. So are those of sentences that were found without the others, for each was checked by itself,
 * and so was the label of each row where one was put back; what stood behind a mask token that is left is not seen. Of
 * one that settled those are likely whose evidence is clear (where a label stands, that of what was fed there); the
 * others are guesses, and so is all of a text that was not recovered.
 */
dlg_confidence dlg_attack_confidence(const dlg_attack_result *, size_t row);

/** An attack's class. */
typedef struct {
    const char *name, *help;
    const dlg_distance *distance; /**< the published one: what the options hold unless the user names another */
    const dlg_minimiser *minimiser;
    bool asks_prior; /**< a language model how likely a text is */
    /**
     * knowledge is complete (dlg_knowledge_infer); an attack may replace what was not told. The result holds the best
     * text of all starts, by the distance of its tokens. Errors: DLG_ENOMEM, DLG_ESHAPE; a start that diverges is not
     * an error but a note and another start.
     */
    dlg_status (*run)(dlg_attack_result *out, dlg_analysis *, const dlg_knowledge *, const dlg_attack_options *,
                      const dlg_attack_observer *, dlg_error *);
} dlg_attack_class;

/** The language model that an attack asks, if it asks one: the options' or the attacked one. NULL: there is none. */
const dlg_model *dlg_attack_prior(const dlg_attack_options *, const dlg_model *attacked);

/**
 * Bytes that the largest part of an attack will hold, the network of the batch that is known, without taking them.
 * Errors: DLG_ENOMEM, DLG_ESHAPE.
 */
DLG_MUST_USE dlg_status dlg_attack_count_bytes(size_t *out, const dlg_gradient *, const dlg_knowledge *, dlg_error *);

/**
 * Run an attack, from an empty result. Errors: the class's, and the journal's (dlg_journal_check); the result is then
 * empty.
 */
DLG_MUST_USE dlg_status dlg_attack_class_run(const dlg_attack_class *, dlg_attack_result *out, dlg_analysis *,
                                             const dlg_knowledge *, const dlg_attack_options *,
                                             const dlg_attack_observer *, dlg_error *);

#endif
