#include "math/half.h"

#include <string.h>

/** Where a 16-bit format puts things; the exponent's field lies between sign and fraction. */
typedef struct {
    unsigned fraction_bits;
    int min_exponent;  /**< of the smallest normal number, 2^min_exponent */
    uint16_t infinity; /**< its code: exponent all ones, fraction zero */
} format;

static const format F16 = {10, -14, 0x7c00}, BF16 = {7, -126, 0x7f80};

static uint16_t from_double(double value, format to)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    const int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    const uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    if (exponent == 1024) return (uint16_t)(sign | to.infinity | (fraction ? 1U << (to.fraction_bits - 1) : 0));

    /* Below the normal numbers the quantum stops shrinking. From a shift of 55 on, less than half a quantum is left:
     * zero. */
    const int below = exponent < to.min_exponent ? to.min_exponent - exponent : 0;
    const int shift = 52 - (int)to.fraction_bits + below;
    if (shift > 54) return sign;
    const uint64_t significand = fraction | (uint64_t)1 << 52, rest = significand & (((uint64_t)1 << shift) - 1);
    const uint64_t half = (uint64_t)1 << (shift - 1);
    uint64_t code = significand >> shift;
    code += rest > half || (rest == half && (code & 1));
    /* The leading bit of the significand counts as the exponent's first step, and a carry out of the fraction as the
     * next one. */
    if (!below) code += (uint64_t)(exponent - to.min_exponent) << to.fraction_bits;
    if (code >= to.infinity) code = to.infinity - 1U;
    return (uint16_t)(sign | code);
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t dlg_f16_from_double(double value)
{
    return from_double(value, F16);
}

uint16_t dlg_bf16_from_double(double value)
{
    return from_double(value, BF16);
}

float dlg_f16_to_float(uint16_t code)
{
    const uint32_t sign = (uint32_t)(code & 0x8000) << 16, exponent = code >> 10 & 0x1f, fraction = code & 0x3ff;
    if (exponent == 0) return (sign ? -1 : 1) * (float)fraction * 0x1p-24F;
    if (exponent == 0x1f) return from_bits(sign | 0x7f800000 | fraction << 13);
    return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

float dlg_bf16_to_float(uint16_t code)
{
    return from_bits((uint32_t)code << 16);
}

float dlg_round_to_f16(double value)
{
    return dlg_f16_to_float(dlg_f16_from_double(value));
}

float dlg_round_to_bf16(double value)
{
    return dlg_bf16_to_float(dlg_bf16_from_double(value));
}
