/** The options about a participant's training, which both programs have. */
#ifndef DLG_CLI_TRAINING_OPTIONS_H
#define DLG_CLI_TRAINING_OPTIONS_H

#include "dlg/update.h"

#include <argp.h>

/** Their keys, beyond those of each program's own. */
enum { DLG_KEY_UPDATE = 1024, DLG_KEY_STEPS, DLG_KEY_OPTIMIZER, DLG_KEY_LR };

/** What --help says of the numbers of --optimizer. */
#define DLG_OPTIMIZER_NUMBERS                                                                                          \
    "perhaps with numbers: adamw:eps=1e-8,weight_decay=0.01 (PyTorch's, like beta1 and beta2, unless given)"

/** Take the value of one of them; of another key ARGP_ERR_UNKNOWN. @param steps the long name of DLG_KEY_STEPS */
error_t dlg_training_option(int key, char *arg, const struct argp_state *, const char *steps, dlg_training_choice *);

#endif
