/** How a round of local training was done, and what of it is shared. */
#ifndef DLG_GRADIENT_TRAINING_H
#define DLG_GRADIENT_TRAINING_H

#include "dlg/update.h"

#include <stdbool.h>
#include <stddef.h>

typedef enum { DLG_SHARED_GRADIENT, DLG_SHARED_DIFFERENCE, DLG_SHARED_WEIGHTS } dlg_shared;

/** "gradient", "difference", "weights". */
const char *dlg_shared_name(dlg_shared);

typedef enum {
    DLG_TRAINER_UNKNOWN, /**< taken for DLG_TRAINER_SGD, so that the difference is a gradient's multiple */
    DLG_TRAINER_SGD,
    DLG_TRAINER_ADAMW
} dlg_trainer;

/** "unknown", "sgd", "adamw". */
const char *dlg_trainer_name(dlg_trainer);

typedef struct {
    dlg_shared shared;
    dlg_trainer trainer;
    double weight_decay, eps, beta1, beta2;
    double lr;        /**< 0: not known */
    size_t n_steps;   /**< 0: not known */
    bool is_inferred; /**< trainer, lr and steps: off the sizes of what moved */
} dlg_training;

/** A trainer with its numbers, "adamw:eps=1e-8,weight_decay=0.01". Errors: DLG_EARG, naming what is wrong with it. */
DLG_MUST_USE dlg_status dlg_training_parse(dlg_training *out, const char *optimizer, dlg_error *);

enum { DLG_TRAINING_TEXT = 160 };

/** The trainer as dlg_training_parse takes it. @return out */
const char *dlg_training_spell(const dlg_training *, char out[DLG_TRAINING_TEXT]);

/** Take over what the choice tells. Errors: DLG_EARG. */
DLG_MUST_USE dlg_status dlg_training_choose(dlg_training *, const dlg_training_choice *, dlg_error *);

/**
 * Whether what was shared is no multiple of a gradient, even to first order: AdamW divides each entry by its own size.
 */
bool dlg_training_hides_sizes(const dlg_training *);

#endif
