/** What there is by name: attacks, distances, optimizers, defences and presets. */
#ifndef DLG_CATALOGUE_H
#define DLG_CATALOGUE_H

#include "dlg/status.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    DLG_ATTACKS,    /**< dlg_attack_choice.attack; the first is taken where none is named */
    DLG_DISTANCES,  /**< dlg_attack_choice.distance */
    DLG_OPTIMIZERS, /**< dlg_attack_choice.optimizer */
    DLG_DEFENCES,   /**< of dlg_gradient_compute; the name has a word in capitals where a number is wanted */
    DLG_PRESETS     /**< dlg_model_choice.preset */
} dlg_catalogue;

typedef struct {
    char name[64], help[256]; /**< help: one line */
    bool asks_prior;          /**< an attack that asks a language model how likely a text is */
} dlg_entry;

/** The i-th entry of a list, from 0. @return false: there are no more, *out is as it was */
DLG_PUBLIC bool dlg_catalogue_at(dlg_catalogue, size_t i, dlg_entry *out);

#ifdef __cplusplus
}
#endif

#endif
