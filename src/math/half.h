/**
 * The two 16-bit formats gradients travel in: IEEE 754 binary16 (F16) and bfloat16 (BF16).
 * Rounding is to nearest, ties to even, subnormals included, in one step from double (a float widens exactly, so the
 * same functions serve both builds). A finite number beyond the range becomes the largest finite one, because an
 * infinity in a gradient would make the whole file useless; infinities stay infinite, NaN stays NaN, and signs are
 * kept, also of zero.
 */
#ifndef DLG_MATH_HALF_H
#define DLG_MATH_HALF_H

#include <stdint.h>

uint16_t dlg_f16_from_double(double);
uint16_t dlg_bf16_from_double(double);

/** Exact: every 16-bit number is a float. */
float dlg_f16_to_float(uint16_t);
float dlg_bf16_to_float(uint16_t);

/** There and back. */
float dlg_round_to_f16(double);
float dlg_round_to_bf16(double);

#endif
