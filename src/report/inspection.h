/**
 * What can be read off a gradient, as a table for a person (80 columns where the screen has no width of its own) and as
 * a line of JSON.
 */
#ifndef DLG_REPORT_INSPECTION_H
#define DLG_REPORT_INSPECTION_H

#include "analytic/inspect.h"
#include "report/screen.h"
#include "report/subject.h"

/** @param subject its knowledge and options are not looked at */
void dlg_inspection_print(const dlg_screen *, const dlg_subject *, const dlg_inspection *, double seconds);

/**
 * One object: event "inspect", what it is about (report/json_lines.h), seconds, and
 *
 *   fits, length, lengths, labels, tokens, masked, text, scale   each {value, sure, from}; value null where not seen
 *   batch_size   {least, most, sure, from}; most null where no bound is seen; lengths are those of the least
 *   traces   norm, norm_is_round, tensors_at_bound, rounding, levels, zeros, pruned, noise, kurtosis
 *   ranks    a list of {name, rows, columns, rank, clear, gap}
 *
 * sure is "certain", "likely", "guess" or "not seen"; from says in words what the fact is read off, or why it is not
 * seen. text has fed_tokens and certain_positions beside its value.
 * fits says whether the model's embeddings are the gradient's: where they are not all else is a guess.
 * Errors: DLG_ENOMEM; DLG_EIO when the stream refuses it.
 */
DLG_MUST_USE dlg_status dlg_inspection_json(FILE *, const dlg_subject *, const dlg_inspection *, double seconds,
                                            dlg_error *);

#endif
