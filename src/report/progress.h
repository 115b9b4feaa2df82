/** What a person sees of an attack: what it starts from, the text as it comes together, and the result. */
#ifndef DLG_REPORT_PROGRESS_H
#define DLG_REPORT_PROGRESS_H

#include "report/doing.h"
#include "report/scores.h"
#include "report/screen.h"
#include "report/subject.h"

/** Remembers what was shown last. Zero-initialise, set subject and screen; release with dlg_progress_release. */
typedef struct {
    const dlg_subject *subject; /**< borrowed */
    dlg_screen screen;
    size_t n_rows;
    uint32_t *shown; /**< (n_rows) the tokens of the last report */
    bool *changed;   /**< (n_rows) scratch */
    bool any;        /**< there was a report */
    dlg_doing doing;
} dlg_progress;

/** Accepts a zeroed one. */
void dlg_progress_release(dlg_progress *);

/** Model, machine, and what is known. */
void dlg_progress_start(const dlg_progress *);

/**
 * Where the text stands. Tokens that changed since the last report are bold on a terminal, and counted everywhere.
 * @param n_dense, n_targets of the result: said at the first report, for they are found out when the attack prepares
 * itself
 */
void dlg_progress_iteration(dlg_progress *, const dlg_attack_state *, size_t n_dense, size_t n_targets);

/** A note of the attack. */
void dlg_progress_note(const dlg_progress *, const char *line);

/**
 * The text, predicted words underlined on a terminal, why the attack ended, what it cost and what it knew. A text that
 * was not recovered is called a guess on its own line, but for sentences that were found without the rest of their
 * batch; one that explains none of the gradient when the attack has run to its end is not shown.
 * @param scores may be NULL
 */
void dlg_progress_result(const dlg_screen *, const dlg_subject *, const dlg_attack_result *, const dlg_scores *scores);

#endif
