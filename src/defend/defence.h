/**
 * Defences: what a participant does to a gradient before sharing it. Each works in place on one tensor, one after
 * another. One file a defence; a new one is a file with its dlg_defence_class, and a line in classes.h and in
 * defence.c's table.
 */
#ifndef DLG_DEFEND_DEFENCE_H
#define DLG_DEFEND_DEFENCE_H

#include "base/status.h"
#include "math/real.h"

#include <stddef.h>
#include <stdint.h>

/** What a defence is. */
typedef struct {
    const char *name;
    const char *number;     /**< what its number is, in capitals, as usage texts show it; NULL when it takes none */
    double lowest, highest; /**< the number's range, both ends included */
    const char *help;       /**< one line */

    /** In place on one tensor. Random numbers are drawn from (seed, stream) only. */
    void (*apply)(dlg_real *values, size_t n_items, double strength, uint64_t seed, uint32_t stream);
} dlg_defence_class;

/** A defence and how strong it is to be. */
typedef struct {
    const dlg_defence_class *kind;
    double strength; /**< 0 where the class takes no number */
} dlg_defence;

/** All there are, ending with NULL. */
extern const dlg_defence_class *const dlg_defence_classes[];

enum { DLG_DEFENCE_USAGE = 64 };

/** How it is asked for, "prune:FRACTION". @return out */
const char *dlg_defence_usage(const dlg_defence_class *, char out[DLG_DEFENCE_USAGE]);

/** Read "NAME" or "NAME:NUMBER". Errors: DLG_EARG says which names there are, or which range is wanted. */
DLG_MUST_USE dlg_status dlg_defence_parse(dlg_defence *out, const char *spec, dlg_error *);

/**
 * Apply n_defences in order to one tensor, in place. The result depends on the values, the chain, the seed and the
 * tensor's name alone, so tensors may be done in any order; two noises of one chain are independent, and so are they of
 * everything else that is drawn from the seed. The values must be finite. Errors: DLG_ENONFINITE names the tensor, the
 * defence and the entry that stopped being finite.
 */
DLG_MUST_USE dlg_status dlg_defence_apply(const dlg_defence *defences, size_t n_defences, const char *tensor_name,
                                          dlg_real *values, size_t n_items, uint64_t seed, dlg_error *);

#endif
