/**
 * --know WHAT:FILE: a piece of the truth that the user gives the attack. Nothing else of a truth file ever reaches
 * it.
 */
#ifndef DLG_CLI_KNOWN_H
#define DLG_CLI_KNOWN_H

#include "analytic/knowledge.h"
#include "models/config.h"

typedef enum { DLG_KNOWN_BATCH, DLG_KNOWN_LENGTH, DLG_KNOWN_MASKED, DLG_KNOWN_LABELS, DLG_N_KNOWN } dlg_known_what;

/** For each piece the truth file that it is read from, or NULL. Names are borrowed. */
typedef struct {
    const char *path[DLG_N_KNOWN];
} dlg_known;

/** Add "WHAT:FILE". Errors: DLG_EARG when it is not that, or WHAT is known already. */
DLG_MUST_USE dlg_status dlg_known_add(dlg_known *, const char *spec, dlg_error *);

/**
 * Put what the files say into a knowledge that holds nothing yet but, perhaps, the batch size of the metadata, which
 * the user's word replaces.
 * Errors: those of reading the files; DLG_EARG, DLG_ESHAPE when the pieces fit neither the model nor each other.
 */
DLG_MUST_USE dlg_status dlg_known_tell(dlg_knowledge *, const dlg_known *, const dlg_config *, dlg_error *);

#endif
