/** The journal of an attack: which run it belongs to, so that no other goes on with it. */
#ifndef DLG_ATTACKS_SESSION_CHECKPOINT_H
#define DLG_ATTACKS_SESSION_CHECKPOINT_H

#include "attacks/session/attack.h"

/** What a program knows of its run besides what the attack is given. Borrowed, one line each. */
typedef struct {
    const char *version;
    const char *products; /**< the line of dlg_blas_start: another processor's products round otherwise */
} dlg_build;

/**
 * Open the journal of this run (dlg_journal_open), to become options->journal; the journal there is not looked at.
 * Facts of the run are the build, its numbers and threads, the attack and its options, all that is known, and
 * fingerprints of model and gradient, for which both are read from end to end.
 * Errors: those of dlg_journal_open.
 */
DLG_MUST_USE dlg_status dlg_checkpoint_open(dlg_journal **out, const char *path, bool resume, dlg_build,
                                            const dlg_attack_class *, const dlg_gradient *, const dlg_knowledge *,
                                            const dlg_attack_options *, dlg_error *);

#endif
