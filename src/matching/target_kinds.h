/** The two ways to hold a target, and what they share. Private to target.c and to them. */
#ifndef DLG_MATCHING_TARGET_KINDS_H
#define DLG_MATCHING_TARGET_KINDS_H

#include "base/memory.h"
#include "matching/target.h"

/** One parameter of the weight. */
typedef struct {
    const dlg_real *t;  /**< (n_rows, n_in), borrowed */
    size_t row, n_rows; /**< where it stands in the stacked weight */
    double tt, zz;      /**< ||t||^2; of that the part that no gradient of so few rows can have, Z */
    double z1;          /**< ||Z||_1, by number */
    double a, b, s;     /**< the direction is a e + b t + s sign(e) */
    dlg_residual residual;
} dlg_target_part;

typedef struct dlg_factored_target dlg_factored_target;
typedef struct dlg_formed_target dlg_formed_target;

struct dlg_target {
    dlg_weight_direction direction; /**< the kind's sweeps */
    size_t n_out, n_in, n_max;      /**< the weight's shape; most rows that x and dy may have */
    size_t rank;                    /**< of the low-rank part */
    int is_dense;                   /**< there is more than that part */
    bool by_number;                 /**< ||e||_1 and s are wanted: formed */
    size_t n_parts;
    dlg_target_part parts[DLG_STACK_MOST];
    dlg_factored_target *factored; /**< one of these two */
    dlg_formed_target *formed;
};

/** <a, b> of blocks of n_rows rows of n_cols numbers, in double. */
double dlg_target_dot(size_t n_rows, size_t n_cols, const dlg_real *a, size_t lda, const dlg_real *b, size_t ldb);

/**
 * factored_target.c. Of create, basis and coefficients, (rank, n_in) and (rank, n_out), are taken over, also on
 * failure; so is remainder (n_out, n_in), which may be NULL. Multiply-adds of an evaluation for n rows, without and
 * with a remainder. Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_factored_target_create(dlg_target *, dlg_real *basis, dlg_real *coefficients,
                                                   dlg_real *remainder, dlg_error *);
void dlg_factored_target_free(dlg_factored_target *);
double dlg_factored_target_cost(size_t n, size_t n_out, size_t n_in, size_t rank, int is_dense);

/** formed_target.c. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_formed_target_create(dlg_target *, dlg_error *);
void dlg_formed_target_free(dlg_formed_target *);
double dlg_formed_target_cost(size_t n, size_t n_out, size_t n_in);

#endif
