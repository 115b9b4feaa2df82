/**
 * The attacker's side: a gradient goes in, the texts that it gives away come out, each token with what speaks for it.
 *
 *     dlg_attack_create(&attack, gradient, NULL, &err);   perhaps dlg_attack_tell_batch(attack, 2, &err), and others
 *     dlg_attack_run(attack, NULL, &err);
 *     dlg_attack_text(attack, 0);
 *
 * Neither creating nor running reads a truth; dlg_attack_score (dlg/scores.h) compares with one afterwards. One attack
 * belongs to one thread; several may run at once on one model and one gradient.
 */
#ifndef DLG_ATTACK_H
#define DLG_ATTACK_H

#include "dlg/gradient.h"
#include "dlg/model.h"
#include "dlg/status.h"
#include "dlg/truth.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct dlg_attack dlg_attack;

/* ---- how ---- */

/** Which embeddings of a batch descend at a time. */
typedef enum {
    DLG_UPDATE_BATCH,   /**< those of all sentences */
    DLG_UPDATE_SENTENCE /**< those of one, another after each iteration (Zhu et al. 2019) */
} dlg_update;

/** Strings are borrowed while the attack is there. Start from {0}: attack auto, as it is published. */
typedef struct {
    const char *attack;     /**< by name, as all here (dlg/catalogue.h); NULL: auto */
    const char *distance;   /**< between gradients; NULL: the attack's */
    const char *optimizer;  /**< NULL: the attack's */
    size_t max_iterations;  /**< of one start; 0: 150 */
    size_t max_starts;      /**< another begins when one stalls; 0: 12 */
    size_t max_evaluations; /**< of all starts together; 0: as many as these take */
    /** of the run, reading included; 0: of auto's descent a minute, else as long as it takes; INFINITY: likewise */
    double max_seconds;
    dlg_update update;
    uint64_t seed; /**< of the embeddings that a start begins with; at most 2^53 where JSON is printed */
    /** a language model of the same vocabulary, for attacks that ask one; NULL: the attacked one; borrowed */
    const dlg_model *prior;
    /** a journal, with which a run that was killed goes on; NULL: none. It stays when the run has ended */
    const char *checkpoint;
    bool resume; /**< go on from the journal, if there is one yet; else one that is there is refused */
} dlg_attack_choice;

/** Whether there are attack, distance and optimizer of these names: DLG_EARG, with what there is, if not. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_choice_check(const dlg_attack_choice *, dlg_error *);

/**
 * An attack on a gradient, which is told what the gradient's metadata say: the batch size, if any. Nothing is inferred
 * or computed yet.
 * @param[out] out owned by the caller, dlg_attack_free; NULL on failure. Gradient and its model must outlive it.
 * @param how NULL: as {0}
 * Errors: DLG_EARG for a name that there is not; DLG_ESHAPE for a prior of another vocabulary; DLG_EFORMAT for metadata
 * that are no batch size; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_create(dlg_attack **out, const dlg_gradient *,
                                                     const dlg_attack_choice *how, dlg_error *);

/** Accepts NULL. */
DLG_PUBLIC void dlg_attack_free(dlg_attack *);

/* ---- what is known: told in this order, before the attack is prepared or run (DLG_EARG then) ---- */

typedef enum {
    DLG_KNOWN_BATCH,  /**< how many sentences there are */
    DLG_KNOWN_LENGTH, /**< the length of each */
    DLG_KNOWN_MASKED, /**< which rows of the batch were masked */
    DLG_KNOWN_LABELS, /**< tokens behind the masks, or classes */
    DLG_N_KNOWN
} dlg_known;

/** "batch", "length", "masked", "labels". Static. */
DLG_PUBLIC const char *dlg_known_name(dlg_known);

/** There are n_sentences. Errors: DLG_EARG for none. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_tell_batch(dlg_attack *, size_t n_sentences, dlg_error *);

/**
 * So many tokens has each, begin and end included; tells the batch too. @param lengths (n_sentences), copied
 * Errors: DLG_ESHAPE where another batch was told, or for a length below 3 or beyond the model's positions; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_tell_lengths(dlg_attack *, size_t n_sentences, const size_t *lengths,
                                                           dlg_error *);

/**
 * These rows were masked, sentences end to end. @param rows (n_rows) ascending, copied
 * Errors: DLG_EARG for a batch of several sentences whose lengths were not told, and for a classifier; DLG_ESHAPE for
 * rows that do not ascend, or one beyond the lengths that were told; DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_tell_masked(dlg_attack *, size_t n_rows, const size_t *rows, dlg_error *);

/**
 * These were to be predicted: the tokens behind the masks, in the order of the masked rows where these were told and in
 * any else; or the class of each sentence. @param labels (n_labels), copied
 * Errors: DLG_ESHAPE for another number than that of masked rows, or sentences, and for one that the model has not;
 * DLG_ENOMEM.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_tell_labels(dlg_attack *, size_t n_labels, const size_t *labels,
                                                          dlg_error *);

/**
 * One of these pieces of a truth, and nothing else of it. Errors: as above, naming the truth's file; DLG_EFORMAT for a
 * truth of another task.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_tell_truth(dlg_attack *, dlg_known, const dlg_truth *, dlg_error *);

/* ---- the run ---- */

/** What the attack calls. Each may be NULL; `payload` is handed to each. */
typedef struct {
    /** After each iteration, and at 0 with what was read off before any descent: the getters say where it stands. */
    void (*iteration)(void *payload, dlg_attack *);
    /** A note in words, one line: a start that stalled and why the next begins. */
    void (*note)(void *payload, const char *line);
    /** What it does from here on, in a few words: "descent: start 3 of 12". */
    void (*doing)(void *payload, const char *what);
    /** Asked often, in the thread that runs: true, from then on for good, ends the attack with the best so far. */
    bool (*interrupted)(void *payload);
    void *payload;
} dlg_observer;

/**
 * Infer what was not told, open the journal, and count the memory that the run will take: what dlg_attack_run does
 * first, where it was not done. A gradient that does not show what every attack needs is no error: the attack ends as
 * DLG_UNREADABLE.
 * Errors: DLG_ESHAPE where what was told does not fit the gradient; DLG_ENOMEM, also where the run would take more than
 * the limit leaves; those of the journal: DLG_EIO, DLG_EFORMAT, DLG_ESHAPE; DLG_ECANCELLED.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_prepare(dlg_attack *, dlg_error *);

/**
 * Run it, once. A text that was not recovered is no error, and neither is an interrupt: dlg_attack_end_of says which.
 * @param observer borrowed during the call; may be NULL
 * Errors: those of dlg_attack_prepare; DLG_ENOMEM; those of the journal; DLG_EARG when it ran already.
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_run(dlg_attack *, const dlg_observer *observer, dlg_error *);

/* ---- the result; within an observer's call: where it stands ---- */

/** Why the attack ended. */
typedef enum {
    DLG_EXPLAINED, /**< the decoded tokens' own gradient is the shared one, to rounding */
    /** the text is stable, the distance has collapsed to what the gradient's noise leaves, and every token is likely */
    DLG_SETTLED,
    /** each sentence of the text was in the batch, checked by itself; others were too, and were not found */
    DLG_PARTLY,
    DLG_EXHAUSTED,   /**< iterations and starts are used up */
    DLG_INTERRUPTED, /**< and before it has ended */
    DLG_UNREADABLE,  /**< no attack could begin: the gradient does not show what every attack needs */
    DLG_OUT_OF_TIME, /**< the time was up before it has ended (max_seconds) */
    DLG_LIKELY_TEXT  /**< as DLG_SETTLED, but for some tokens, or its length, that are guesses */
} dlg_attack_end;

DLG_PUBLIC dlg_attack_end dlg_attack_end_of(const dlg_attack *);

/** Whether the text is to be taken for the participant's: explained or settled. Others have guesses in them. */
DLG_PUBLIC bool dlg_attack_is_recovered(const dlg_attack *);

/** What is not to be seen in the gradient (DLG_UNREADABLE), in words; else NULL. Borrowed. */
DLG_PUBLIC const char *dlg_attack_reason(const dlg_attack *);

/** Sentences of the text that was found; 0: no text was. */
DLG_PUBLIC size_t dlg_attack_n_sentences(const dlg_attack *);

/** Tokens of a sentence, begin and end included. @param sentence below dlg_attack_n_sentences */
DLG_PUBLIC size_t dlg_attack_n_tokens(const dlg_attack *, size_t sentence);

/**
 * A sentence in words, as UTF-8, with the labels put back, and without the [CLS] and [SEP] around it. Bytes are a
 * stranger's.
 * @return borrowed until it is asked for again or the attack goes on; NULL when memory ran out
 */
DLG_PUBLIC const char *dlg_attack_text(dlg_attack *, size_t sentence);

/** How sure a piece of what a gradient gives away is. */
typedef enum {
    DLG_UNSEEN,  /**< the gradient does not show it */
    DLG_GUESSED, /**< the best there is */
    DLG_LIKELY,  /**< would need a coincidence, or a strange model, to be wrong */
    DLG_CERTAIN  /**< follows from the gradient's mathematics, checked to rounding */
} dlg_confidence;

/** "not seen", "guess", "likely", "certain". Static. */
DLG_PUBLIC const char *dlg_confidence_name(dlg_confidence);

typedef enum {
    /** nearest to an embedding that was searched for, or chosen by a search among what may stand there */
    DLG_FROM_DESCENT,
    DLG_FROM_READING, /**< read off: what the checks of the first layers name at its position */
    DLG_FROM_LABEL    /**< put back from the labels, where the gradient's slope points */
} dlg_token_source;

/** A token of the text, and what speaks for it. */
typedef struct {
    uint32_t token; /**< id, the label put back */
    uint32_t fed;   /**< id that went into the model */
    bool predicted; /**< a label was put there */
    size_t segment; /**< of a pair 0, or 1 in its second text */
    dlg_token_source source;
    dlg_confidence confidence;
    size_t n_choices; /**< tokens that the checks admit there; 0: they say nothing about it */
    double cosine;    /**< of the angle between the embedding that was found and the token's; NaN: none was sought */
    double margin;    /**< by how much that is more than the next token's; NaN: there is none */
} dlg_found_token;

/** @param sentence below dlg_attack_n_sentences @param position below dlg_attack_n_tokens */
DLG_PUBLIC dlg_found_token dlg_attack_token(const dlg_attack *, size_t sentence, size_t position);

/** The labels that the text rests on: tokens behind the masks, or classes. @return (*n), borrowed; NULL: none */
DLG_PUBLIC const size_t *dlg_attack_labels(const dlg_attack *, size_t *n);

/** Where a piece of what is known comes from: "told", "metadata", "inferred" or "assumed"; NULL: not known. Static. */
DLG_PUBLIC const char *dlg_attack_origin(const dlg_attack *, dlg_known);

typedef struct {
    size_t start, iteration;        /**< of what is shown: from 1; iteration 0 is before any descent */
    size_t iterations, evaluations; /**< of all starts together */
    double distance;           /**< at the dummy embeddings, as a part of a zero gradient's; NaN: there is no text */
    double distance_of_tokens; /**< at the tokens' own embeddings: near 0 where they explain the gradient */
    double seconds;            /**< since the attack began */
    double evaluating_seconds; /**< of these, what its evaluations took */
    double seconds_left;       /**< while it runs: of its time; NaN: it has no end */
} dlg_attack_numbers;

DLG_PUBLIC dlg_attack_numbers dlg_attack_numbers_of(const dlg_attack *);

/** Whether what happens now was there before the run was killed, and comes from the journal. */
DLG_PUBLIC bool dlg_attack_is_recalling(const dlg_attack *);

#ifdef __cplusplus
}
#endif

#endif
