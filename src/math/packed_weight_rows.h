/** What the two implementations of packed_weight.h have each for themselves. Private to them and to packed_weight.c. */
#ifndef DLG_MATH_PACKED_WEIGHT_ROWS_H
#define DLG_MATH_PACKED_WEIGHT_ROWS_H

#include "math/packed_weight.h"

/** Make a weight of stacked rows, taking over what they own, also on failure. Errors: DLG_ENOMEM; *out is then NULL. */
DLG_MUST_USE dlg_status dlg_packed_weight_of_rows(dlg_packed_weight **out, dlg_stacked rows, size_t n_in, dlg_error *);

#endif
