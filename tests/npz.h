/** Arrays of float64 from a numpy .npz that np.savez wrote (stored, not compressed): for golden data only. */
#ifndef DLG_TESTS_NPZ_H
#define DLG_TESTS_NPZ_H

#include <stddef.h>

/**
 * The numbers of array `name` in the file, to be freed with free(); NULL when the file, or the array in it, is not
 * there.
 */
double *npz_read(const char *path, const char *name, size_t *n_items);

#endif
