/**
 * What the programs say, for a person or as JSON, on a stream of the caller's. On a terminal lines are wrapped and
 * tokens marked. src/report/json_lines.h and inspection.h say what the lines of JSON hold.
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
    DLG_WORDS, /**< lines for a person */
    DLG_JSON   /**< one object a line; seeds beyond 2^53 are rounded */
} dlg_format;

/* Each flushes the stream. Errors: DLG_EIO when it refuses what is written; DLG_ENOMEM. */

/** What a prepared attack begins with: gradient, model, all that is known, options and machine. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_start(dlg_attack *, FILE *, dlg_format, dlg_error *);

/** In an observer's call: where the text stands, and what of it changed since this was printed last. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_iteration(dlg_attack *, FILE *, dlg_format, dlg_error *);

/** A note of an observer, for a person. */
DLG_PUBLIC DLG_MUST_USE dlg_status dlg_attack_print_note(dlg_attack *, FILE *, const char *line, dlg_error *);

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
