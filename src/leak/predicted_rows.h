/**
 * Which rows of a batch were predicted and what label belongs to each, where the tokens that were fed are known. Neither is searched for:
 * one forward pass leaves two systems of linear equations.
 *
 * The head's first weight W sees, of the encoder's rows h_i, the predicted ones alone. Its gradient is
 *
 *   G = sum over predicted rows m of delta_m h_m^T,   delta_m = dL/du_m,   u_m = W h_m + w,
 *
 * so a row was predicted when h_i lies in the row space of G, whatever token it holds: [MASK], its own word or any other. A classifier's
 * are its sentences' first. The h_m are independent but for rows that are the same, and G = delta^T h determines all delta_m by least
 * squares.
 *
 * The decoder E, with p_m the model's prediction for the row, y_m its label and M rows, leaves in its bias b and in delta
 *
 *   M g_b = sum over m of (p_m - e_{y_m}),   M delta_m = J_m E^T (p_m - e_{y_m}),
 *
 * J_m the derivative of what lies between, layer norm (a masked LM's) and activation, transposed. The forward pass gives p_m and J_m. So
 * sum p_m - M g_b counts the labels, whole numbers all of them, and of these y_m is the one that makes J_m E[y_m] = J_m E^T p_m - M
 * delta_m. All of it ends as it should only when the tokens are right and all rows were found, which is what is_clear says.
 */
#ifndef DLG_LEAK_PREDICTED_ROWS_H
#define DLG_LEAK_PREDICTED_ROWS_H

#include "leak/gradient.h"

#include <stdbool.h>
#include <stdint.h>

/** Zero-initialise; release with dlg_predicted_rows_release. */
typedef struct {
    bool is_clear;  /**< the rows account for the head's gradient, the counts are whole, and every row has one label that fits */
    size_t n;       /**< rows found; what follows is complete only when it is clear */
    size_t *row;    /**< (n) rows of the batch, ascending */
    size_t *label;  /**< (n) token or class of each */
} dlg_predicted_rows;

/**
 * @param[in] lengths (n_sentences) @param[in] fed the tokens of all sentences, one after the other
 * Errors: DLG_ENOMEM, DLG_ENONFINITE, DLG_ESHAPE for a sentence that is too long; *out is then empty.
 */
DLG_MUST_USE dlg_status dlg_predicted_rows_find(dlg_predicted_rows *out, const dlg_gradient *, size_t n_sentences, const size_t *lengths,
                                                const uint32_t *fed, dlg_error *);

/** Accepts a zeroed one. */
void dlg_predicted_rows_release(dlg_predicted_rows *);

#endif
