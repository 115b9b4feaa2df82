/** Loops that share the processor with the matrix products: the same OpenMP, the same number of threads. */
#ifndef DLG_MATH_THREADS_H
#define DLG_MATH_THREADS_H

#include "math/blas.h"

#ifdef _OPENMP
#include <omp.h>
#endif

/** Which of the dlg_blas_threads() a loop's body runs on, from 0. */
static inline size_t dlg_thread_number(void)
{
#ifdef _OPENMP
    return (size_t)omp_get_thread_num();
#else
    return 0;
#endif
}

/** Numbers that a loop must touch before it is worth another thread's waking up. */
enum { DLG_WORTH_A_THREAD = 8192 };

#endif
