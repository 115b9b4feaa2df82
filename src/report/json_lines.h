/**
 * --json: one object a line. Numbers that are not finite are null.
 *
 *   start      what it is about, how it is attacked, knowledge, origins, inferred, memory_wanted, checkpoint,
 *              resumed_after
 *   iteration  start, iteration, distance, seconds, tokens, text
 *   result     what it is about, how it was attacked, end, recovered, reason, part, start, iterations, evaluations,
 *              seconds, seconds_per_evaluation, recalled, distance, distance_of_tokens, scale, explanation, n_dense,
 *              n_targets, knowledge, origins, fed_tokens, tokens, text, evidence, labels, metrics
 *
 * So that a result can be read alone it says again what it is about: version (of the program), gradient (the file),
 * model (a preset's name or a directory), model_seed (presets), n_parameters, model_type ("bert", as config.json has
 * it), task, defence (as the file's metadata have it), blas, threads; and how it was attacked: attack, distance_name,
 * optimizer, seed, prior, prior_task.
 *
 * distance and distance_of_tokens mean what they do on the screen: a part of the distance of a zero gradient, 0 for
 * the same gradient, 1 for none. scale is what they were divided by. explanation is there where distance_of_tokens is
 * rounding, else null (matching/explanation.h): whole, the norm of what the text leaves of all tensors, as a part of
 * theirs; worst, the largest such part of one tensor, and its name; text, the part of the whole that depends on the
 * text at all.
 *
 * knowledge lists what was told ("batch", "length", "labels", "masked"); origins says for each of the four whether it
 * was told, in the metadata, inferred or assumed (null: the gradient does not show it); inferred holds what was not
 * told (null what was, what the gradient does not show, and masked where any position may be). tokens have the labels
 * put back, fed_tokens have not.
 *
 * end and recovered: docs/ends.md says what a text is worth by them. Where end is "partly" tokens, all that has their
 * shape, labels, and origins but for the batch's are of the sentences that were found alone, while knowledge is what
 * was told of the whole. part then says how many they are (sentences), of how many at least (sentences_at_least), and
 * for how many directions (directions) of the row space by which sentences are told (directions_of_all) they account;
 * else it is null. reason says why no attack could begin (end is then "unreadable"), and is null else.
 *
 * prior is the language model that the attack asks, as model names it, and prior_task "mlm" or "clm"; both are null
 * where it asks none.
 *
 * evidence holds lists of the shape of tokens, whose entries say of each what analytic/evidence.h does. from: "read",
 * "descent" or "label"; sure: "certain", "likely" or "guess", or "not seen" of a [MASK] whose label was not found in
 * sentences that are a part of the batch (dlg_attack_confidence); choices: how many tokens layer 0 admits there (null:
 * it says nothing); cosine and margin: how near the embedding that was found is to the token's own, and how much nearer
 * than to the next (null where none was searched for). Where a label stands these are of what was fed there.
 *
 * checkpoint is the journal's file, or null, and resumed_after how many evaluations it held; recalled of the
 * evaluations came from there, the seconds are this run's, reading included, and seconds_per_evaluation are those of
 * the evaluations that it made itself, without.
 *
 * metrics is there only when scores are, and report/scores.h says how each is counted: token_accuracy, exact_match,
 * exact_sentences, bag_similarity, label_accuracy, and rouge and rouge_special (without and with special tokens), each
 * with rouge1, rouge2 and rougeL, each of these with precision, recall and f1. All are parts of 1, but for exact_match
 * (true or false) and exact_sentences (how many).
 */
#ifndef DLG_REPORT_JSON_LINES_H
#define DLG_REPORT_JSON_LINES_H

#include "report/scores.h"
#include "report/subject.h"

#include <stdio.h>

/* Each prints a line and flushes it. Errors: DLG_ENOMEM; DLG_EIO when the stream refuses it. */

DLG_MUST_USE dlg_status dlg_json_start(FILE *, const dlg_subject *, dlg_error *);

DLG_MUST_USE dlg_status dlg_json_iteration(FILE *, const dlg_subject *, const dlg_attack_state *, dlg_error *);

/** @param scores may be NULL */
DLG_MUST_USE dlg_status dlg_json_result(FILE *, const dlg_subject *, const dlg_attack_result *,
                                        const dlg_scores *scores, dlg_error *);

#endif
