/** Comparing arrays of numbers in tests: a NaN never passes, and the worst place is named. */
#ifndef DLG_TESTS_CLOSE_H
#define DLG_TESTS_CLOSE_H

#include "math/real.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * Whether max |found - want| <= tolerance * max |want| (absolute where want is all zero); else prints what, where and
 * how far.
 */
bool dlg_is_close(const char *what, size_t n, const dlg_real *found, const double *want, double tolerance);

/** The same for two numbers. */
bool dlg_is_near(const char *what, double found, double want, double tolerance);

#endif
