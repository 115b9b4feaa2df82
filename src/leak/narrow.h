/** What the first layer's gradient says of the embeddings before any descent, for attacks that build on it. */
#ifndef DLG_LEAK_NARROW_H
#define DLG_LEAK_NARROW_H

#include "leak/recovery.h"

/**
 * Narrow a recovery that has begun: decoding chooses among the tokens that the position check admits (batches of one sentence), and the
 * embeddings stay in the space that layer 0's inputs leave them (undefended gradients). Where the check names the tokens they are read
 * off it and tried, which is reported as iteration 0 of the first start; what is certain of them is where that start begins.
 * Errors: DLG_ENOMEM, DLG_ENONFINITE.
 */
DLG_MUST_USE dlg_status dlg_narrow(dlg_recovery *, dlg_error *);

#endif
