/**
 * What the programs say, for a person or as JSON, on a stream of the caller's. On a terminal lines are wrapped and
 * tokens marked.
 *
 * JSON has one object a line, whose "event" says which. Numbers that are not finite are null.
 *
 *   start      what it is about, how it is attacked, knowledge, origins, inferred, memory_wanted, checkpoint,
 *              resumed_after
 *   iteration  start, iteration, distance, seconds, tokens, text
 *   result     what it is about, how it was attacked, end, recovered, reason, part, start, iterations, evaluations,
 *              seconds, seconds_per_evaluation, recalled, distance, distance_of_tokens, scale, explanation, n_dense,
 *              n_targets, knowledge, origins, fed_tokens, tokens, text, evidence, labels, shown, metrics
 *
 * So that a result can be read alone it says again what it is about: version (of the program), gradient (the file),
 * model (a preset's name or a directory), model_seed (presets), n_parameters, model_type ("bert", as config.json has
 * it), task, defence (as the file's metadata have it), frozen (parameters that the gradient lacks),
 * weight_decay_found (the multiple of the weights that was in what was shared, and was taken out; 0: none), update,
 * blas, threads; and how it was attacked: attack, distance_name, optimizer, seed, prior, prior_task.
 *
 * update is null of a gradient, else it says what was shared of a training: shared ("difference" or "weights"),
 * optimizer, optimizer_is_inferred, lr, steps, weight_decay, eps, betas (null where not known), rounding_least and
 * rounding_most (how far entries of one parameter are off, by the weights' last places), and where it is attacked what
 * the rows that moved show: tokens and length, each {sure, value}.
 *
 * distance and distance_of_tokens mean what they do on the screen: a part of the distance of a zero gradient, 0 for
 * the same gradient, 1 for none. scale is what they were divided by. explanation is there where distance_of_tokens is
 * rounding, else null: whole, the norm of what the text leaves of all tensors, as a part of theirs; worst, the largest
 * such part of one tensor, and its name; text, the part of the whole that depends on the text at all.
 *
 * knowledge lists what was told ("batch", "length", "labels", "masked"); origins says for each of the four whether it
 * was told, in the metadata, inferred or assumed (null: the gradient does not show it); inferred holds what was not
 * told (null what was, what the gradient does not show, and masked where any position may be), and in unsure which of
 * "length" and "labels" is a guess: others fit as well. tokens have the labels put back, fed_tokens have not.
 *
 * end and recovered are dlg_attack_end and dlg_attack_is_recovered. Where end is "partly" tokens, all that has their
 * shape, labels, and origins but for the batch's are of the sentences that were found alone, while knowledge is what
 * was told of the whole. part then says how many they are (sentences), of how many at least (sentences_at_least), and
 * for how many directions (directions) of the row space by which sentences are told (directions_of_all) they account;
 * else it is null. reason says why no attack could begin (end is then "unreadable"), and is null else.
 *
 * prior is the language model that the attack asks, as model names it, and prior_task "mlm" or "clm"; both are null
 * where it asks none.
 *
 * evidence holds lists of the shape of tokens, whose entries say of each what dlg_found_token does. from: "read",
 * "descent" or "label"; sure: "certain", "likely" or "guess", or "not seen" of a mask token whose label was not found
 * in sentences that are a part of the batch; choices: how many tokens layer 0 admits there (null: it says nothing);
 * cosine and margin: how near the embedding that was found is to the token's own, and how much nearer than to the next
 * (null where none was searched for); lead: the logarithm of how much more likely the gradient is with it than with the
 * best of the others that were tried there (null: none was). Where a label stands these are of what was fed there.
 *
 * checkpoint is the journal's file, or null, and resumed_after how many evaluations it held; recalled of the
 * evaluations came from there, the seconds are this run's, reading included, and seconds_per_evaluation are those of
 * the evaluations that it made itself, without.
 *
 * shown is what the gradient shows all the same where no text was recovered, else null: the facts of inspect below.
 *
 * metrics is there only when scores are, and dlg/scores.h says how each is counted: token_accuracy, exact_match,
 * exact_sentences, bag_similarity, label_accuracy, and rouge and rouge_special (without and with special tokens), each
 * with rouge1, rouge2 and rougeL, each of these with precision, recall and f1. All are parts of 1, but for exact_match
 * (true or false) and exact_sentences (how many).
 *
 * What a gradient leaks is an object too, and a gradient that was written:
 *
 *   gradient   version, output, truth (null: not written), model, model_seed (presets), n_parameters, task, batch_size,
 *              length (of each text), n_predicted, loss, defence, dtype, seed (of the noise), blas, threads
 *   inspect    what it is about, seconds, and
 *
 *   fits, length, lengths, labels, tokens, masked, text, scale, places   each {value, sure, from}; value null where not
 *              seen
 *   causes   a list of {name, from, then}
 *   batch_size   {least, most, sure, from}; most null where no bound is seen; lengths are those of the least
 *   traces   norm, norm_is_round, tensors_at_bound, rounding, levels, zeros, pruned, noise, kurtosis
 *   ranks    a list of {name, rows, columns, frozen, rank, clear, gap}
 *
 * sure is "certain", "likely", "guess" or "not seen"; from says in words what the fact is read off, or why it is not
 * seen. text has fed_tokens and certain_positions beside its value. places are pairs of a position and a token that
 * stands there in some sentence; causes say why it may not be one step's gradient on this model ("dropout", "weights",
 * "clipped"), by what that is told, and what to do then.
 * fits says whether the model's embeddings are the gradient's: where they are not all else is a guess.
 */
#ifndef DLG_PRINT_H
#define DLG_PRINT_H

#include "dlg/attack.h"
#include "dlg/gradient.h"
#include "dlg/inspect.h"
#include "dlg/scores.h"
#include "dlg/status.h"

#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    DLG_WORDS,          /**< lines for a person; bold and underlined on a terminal, unless NO_COLOR is set */
    DLG_WORDS_MARKED,   /**< always so */
    DLG_WORDS_UNMARKED, /**< never so */
    DLG_JSON            /**< one object a line; seeds beyond 2^53 are rounded */
} dlg_format;

/* Each flushes the stream. Errors: DLG_EIO when it refuses what is written; DLG_ENOMEM. */

/** What a prepared attack begins with: gradient, model, all that is known, options and machine. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_start(dlg_attack *, FILE *, dlg_format, dlg_error *);

/** In an observer's call: where the text stands, and what of it changed since this was printed last. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_iteration(dlg_attack *, FILE *, dlg_format, dlg_error *);

/** A note of an observer, for a person. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_note(dlg_attack *, FILE *, const char *line, dlg_error *);

/**
 * What an attack does, for a person: on a terminal a line that is written over, with the seconds that are left;
 * anywhere else a line where it changes.
 * @param what as the observer has it, which is kept; "": take the line away; NULL: as it was, once a second, for an
 *   observer's `interrupted` to call as often as it is asked
 */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_doing(dlg_attack *, FILE *, const char *what, dlg_error *);

/** How it ended: the texts, what speaks for them, what it cost, what was known. @param scores may be NULL */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_result(const dlg_attack *, const dlg_scores *scores, FILE *,
                                                           dlg_format, dlg_error *);

/** What a gradient leaks. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_leakage_print(const dlg_leakage *, FILE *, dlg_format, dlg_error *);

/** What was written by dlg_gradient_write, whose arguments these are. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_gradient_print(const dlg_gradient *, const char *path, dlg_dtype,
                                                      const dlg_truth *step, const char *truth_path, FILE *, dlg_format,
                                                      dlg_error *);

#ifdef __cplusplus
}
#endif

#endif
