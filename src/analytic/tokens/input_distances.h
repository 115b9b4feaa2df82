/** How far all inputs of layer 0, any token at any position, lie outside of a row space: a few matrix products. */
#ifndef DLG_ANALYTIC_TOKENS_INPUT_DISTANCES_H
#define DLG_ANALYTIC_TOKENS_INPUT_DISTANCES_H

#include "models/model.h"

#include <stdbool.h>
#include <stdint.h>

/** Borrowed. */
typedef struct {
    const dlg_model *model;
    size_t H, rank;
    const double *basis; /**< (rank, H) orthonormal rows */
} dlg_input_row_space;

/**
 * Called for each. @param outside the squared part of its norm outside, to a thousandth: it may be less than 0
 * @return what ends the visit, if it is not DLG_OK
 */
typedef dlg_status (*dlg_input_visit)(void *payload, uint32_t token, size_t position, size_t type, double outside,
                                      dlg_error *);

/** Called after each block of words, with how many were visited so far. @return whether that is enough. */
typedef bool (*dlg_input_enough)(void *payload, size_t n_words);

/**
 * Visit the first n_positions positions and n_types types of the whole vocabulary, word by word, until
 * it is enough (NULL: all of it). Errors: DLG_ENOMEM,
 * DLG_ECANCELLED, and the visitor's.
 */
DLG_MUST_USE dlg_status dlg_input_distances_visit(const dlg_input_row_space *, size_t n_positions, size_t n_types,
                                                  dlg_input_visit, dlg_input_enough, void *payload, dlg_error *);

#endif
