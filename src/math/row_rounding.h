/**
 * What rounding leaves of a row outside the row space that it lies in.
 *
 * A layer's gradient is G = dY^T X, and rounded to G + E. With the SVD G = U S V, right vectors the rows of V, a true
 * row x of X is x = G^T a, where a = U S^-1 V x. P projects on the leading right vectors of G + E, and (1 - P) (G +
 * E)^T a is of second order, for (G + E)^T takes what U spans there. So what is left of x is
 *
 *     (1 - P) x = (1 - P) (G + E - E)^T a ~ -(1 - P) E^T a
 *
 * the first order of Wedin's theorem (1972, BIT 12), row by row: direction i counts (v_i . x / s_i)^2, much where s_i
 * is small. Rounding is proportional to what is rounded and much the same along a row of G, so the rows of E are taken
 * as independent, of their own size each. It need not be known how the gradient was rounded, for (1 - P) E is seen: R =
 * (G + E) (1 - P) is what the space leaves over. R lacks what E has along U, too, which is r of m directions. Hence
 *
 *     |(1 - P) x|^2  ~  sum_j a_j^2 |R_j|^2 m / (m - r)  =  (V x)^T F (V x)
 *
 * with one matrix F (r, r) for all rows. To this comes the rounding of the row itself, in the participant's model and
 * in ours, of which a small singular value makes no more. It has been through sums of n and more products, whose errors
 * grow like sqrt(n).
 */
#ifndef DLG_MATH_ROW_ROUNDING_H
#define DLG_MATH_ROW_ROUNDING_H

#include "math/stack.h"

/**
 * F of a stack, each of whose blocks is divided by its norm, as in svd.h.
 * @param rank r, less than the stack's rows @param[in] basis V (rank, n_in) the leading right vectors @param[out] form
 * F (rank, rank) Errors: DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_row_rounding_find(double *form, const dlg_stack *, size_t rank, const double *basis,
                                              dlg_error *);

/**
 * The square of what is left of x, as expected. @param[in] along V x (rank) @param of_row rounding of x itself, as a
 * part of its norm (dlg_tolerance_row) @param norm2 |x|^2
 */
double dlg_row_rounding(size_t rank, const double *form, const double *along, double of_row, double norm2);

#endif
