/** The numerical rank of every layer. */
#ifndef DLG_ANALYTIC_MATRIX_RANKS_H
#define DLG_ANALYTIC_MATRIX_RANKS_H

#include "gradient/gradient.h"
#include "math/rank.h"

/** The rank of one weight matrix's gradient. */
typedef struct {
    const dlg_parameter *parameter; /**< borrowed from the model */
    bool is_frozen;                 /**< there is none */
    dlg_rank rank;
} dlg_matrix_rank;

/**
 * The ranks (rank.h) of all linear layers' weights, a masked LM's decoder apart: its rows are the vocabulary's. As many
 * matrices are looked at together as there are threads; what is found does not depend on that.
 * @param[out] out (n) in the model's order, to be freed with dlg_free @param most ranks up to this are told apart
 * Errors: DLG_ENOMEM, DLG_ENONFINITE; *out is then NULL and *n is 0.
 */
DLG_MUST_USE dlg_status dlg_matrix_ranks_find(dlg_matrix_rank **out, size_t *n, const dlg_gradient *, size_t most,
                                              dlg_error *);

#endif
