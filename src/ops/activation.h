/** Element-wise activations: GELU in both its forms, tanh, and ReLU. */
#ifndef DLG_OPS_ACTIVATION_H
#define DLG_OPS_ACTIVATION_H

#include "ops/op.h"

/** y = a(x) with its first and second derivative, for n numbers. No two arrays overlap. */
typedef void dlg_activation_function(size_t n, const dlg_real *x, dlg_real *y, dlg_real *first, dlg_real *second);

/** x Phi(x), Phi the normal distribution function (Hendrycks & Gimpel 2016, arXiv:1606.08415). */
dlg_activation_function dlg_gelu_erf;
/** Its approximation by tanh, ibid. section 2. */
dlg_activation_function dlg_gelu_tanh;
dlg_activation_function dlg_tanh;
/** max(0, x); its derivative at 0 is 0, its second everywhere (Nair & Hinton 2010). */
dlg_activation_function dlg_relu;

/** x (n, C) -> y (n, C). x has no other consumer. */
typedef struct {
    dlg_op op;
    dlg_value *x, *y;
    dlg_activation_function *function;
    dlg_real *first, *second; /**< (n, C) forward: the function's derivatives at x */
} dlg_activation;

extern const dlg_op_class dlg_activation_class;

#endif
