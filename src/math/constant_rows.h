/** What the two implementations of constant.h have each for themselves. Private to them and to constant.c. */
#ifndef DLG_MATH_CONSTANT_ROWS_H
#define DLG_MATH_CONSTANT_ROWS_H

#include "math/constant.h"

/** Make a constant of stacked rows, taking over what they own, also on failure. Errors: DLG_ENOMEM; *out is then NULL. */
DLG_MUST_USE dlg_status dlg_constant_of_rows(dlg_constant **out, dlg_stacked rows, size_t n_in, dlg_error *);

#endif
