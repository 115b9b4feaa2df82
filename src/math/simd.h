/**
 * Loops over long arrays, for the widest vectors the processor has. The compiler makes DLG_SIMD functions once for each
 * width and the right one is chosen when the program is loaded; exp, erf and tanh become the C library's vector
 * functions in loops under `omp simd`. Where compiler, processor or library cannot do that the same sources are plain
 * C.
 */
#ifndef DLG_MATH_SIMD_H
#define DLG_MATH_SIMD_H

#include "math/real.h"

#include <math.h>

/* Sanitizers have no say before the choice is made. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&               \
    !defined(__SANITIZE_THREAD__)
#define DLG_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DLG_SIMD
#endif

/* libmvec has all three since glibc 2.35. Declaring them so promises that nobody looks at errno. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) &&                           \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#if __GLIBC_PREREQ(2, 35)
#define DLG_VECTOR_FUNCTION __attribute__((simd("notinbranch"), const))
#ifdef DLG_DOUBLE
double exp(double) DLG_VECTOR_FUNCTION;
double erf(double) DLG_VECTOR_FUNCTION;
double tanh(double) DLG_VECTOR_FUNCTION;
#else
float expf(float) DLG_VECTOR_FUNCTION;
float erff(float) DLG_VECTOR_FUNCTION;
float tanhf(float) DLG_VECTOR_FUNCTION;
#endif
#endif
#endif

#endif
