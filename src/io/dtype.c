/* The formats a tensor's numbers come in, and their way to dlg_real. */
#include "io/packed.h"

#include "base/memory.h"
#include "math/half.h"
#include "math/simd.h"
#include "math/threads.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "safetensors are little-endian, and numbers are taken as they lie in the file");

static const struct {
    const char *name;
    size_t n_bytes;
} dtypes[] = {[DLG_F64] = {"F64", 8}, [DLG_F32] = {"F32", 4},  [DLG_F16] = {"F16", 2}, [DLG_BF16] = {"BF16", 2},
              [DLG_I64] = {"I64", 8}, [DLG_I32] = {"I32", 4},  [DLG_I16] = {"I16", 2}, [DLG_I8] = {"I8", 1},
              [DLG_U8] = {"U8", 1},   [DLG_BOOL] = {"BOOL", 1}};

#ifdef DLG_DOUBLE
typedef uint64_t real_bits;
#define EXPONENT_BITS 0x7ff0000000000000U
static const dlg_dtype REAL_DTYPE = DLG_F64;
#else
typedef uint32_t real_bits;
#define EXPONENT_BITS 0x7f800000U
static const dlg_dtype REAL_DTYPE = DLG_F32;
#endif

/** Numbers converted at a time, so that the check finds them in the cache. */
#define BLOCK 4096

const char *dlg_dtype_name(dlg_dtype dtype)
{
    assert(dtype <= DLG_BOOL);
    return dtypes[dtype].name;
}

bool dlg_dtype_is_real(dlg_dtype dtype)
{
    return dtype <= DLG_BF16;
}

size_t dlg_dtype_bytes(dlg_dtype dtype)
{
    assert(dtype <= DLG_BOOL);
    return dtypes[dtype].n_bytes;
}

/** The number at `bytes`, wherever that is aligned. A float holds every F16 and BF16, a double every real dtype. */
static double number_at(const unsigned char *bytes, dlg_dtype dtype)
{
    double f64;
    float f32;
    uint16_t code;
    switch (dtype) {
    case DLG_F64: memcpy(&f64, bytes, sizeof f64); return f64;
    case DLG_F32: memcpy(&f32, bytes, sizeof f32); return (double)f32;
    case DLG_F16: memcpy(&code, bytes, sizeof code); return (double)dlg_f16_to_float(code);
    case DLG_BF16: memcpy(&code, bytes, sizeof code); return (double)dlg_bf16_to_float(code);
    default: break;
    }
    assert(false && "a dtype of real numbers");
    return 0;
}

/** n numbers to dlg_real. A double that a float cannot hold becomes infinite (Annex F), and is found by all_finite. */
static void convert(dlg_real *out, const unsigned char *bytes, dlg_dtype dtype, size_t n)
{
    const size_t stride = dlg_dtype_bytes(dtype);
    if (dtype == REAL_DTYPE) memcpy(out, bytes, n * stride);
    else
        for (size_t i = 0; i < n; i++) out[i] = (dlg_real)number_at(bytes + i * stride, dtype);
}

/**
 * Compares exponents as integers: one vector compare for many numbers, and no branch. `reals` are n dlg_real, aligned
 * or not.
 */
DLG_SIMD static bool all_finite(const void *reals, size_t n)
{
    const unsigned char *bytes = reals;
    real_bits any = 0;
    for (size_t i = 0; i < n; i++) {
        real_bits bits;
        memcpy(&bits, bytes + i * sizeof bits, sizeof bits);
        any |= (real_bits)((bits & EXPONENT_BITS) == EXPONENT_BITS);
    }
    return !any;
}

/** Check all numbers, which lie row-major; convert them to `out` unless that is NULL. */
static dlg_status read_lying(dlg_real *out, const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    const size_t stride = dlg_dtype_bytes(tensor->dtype);
    const unsigned char *bytes = tensor->bytes;
    size_t bad = tensor->n_items; /* the first number in whose block there is a wrong one */
#pragma omp parallel for schedule(static) reduction(min                                                                \
                                                    : bad)                                                             \
    num_threads(dlg_blas_threads()) if (tensor->n_items > DLG_WORTH_A_THREAD)
    for (size_t start = 0; start < tensor->n_items; start += BLOCK) {
        dlg_real buffer[BLOCK];
        const size_t left = tensor->n_items - start, n = left < BLOCK ? left : BLOCK;
        const void *reals = bytes + start * stride;
        if (out || tensor->dtype != REAL_DTYPE) {
            dlg_real *block = out ? out + start : buffer;
            convert(block, bytes + start * stride, tensor->dtype, n);
            reals = block;
        }
        if (!all_finite(reals, n) && start < bad) bad = start;
    }
    if (bad == tensor->n_items) return DLG_OK;
    for (dlg_real one;; bad++) {
        convert(&one, bytes + bad * stride, tensor->dtype, 1);
        if (!all_finite(&one, 1)) break;
    }
    return dlg_fail(err, DLG_ENONFINITE,
                    "%s: tensor \"%s\": want finite " DLG_REAL_NAME " numbers, found %g at index %zu", file,
                    tensor->name, number_at(bytes + bad * stride, tensor->dtype), bad);
}

static dlg_status read_checked(dlg_real *out, const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    if (!dlg_dtype_is_real(tensor->dtype))
        return dlg_fail(err, DLG_EFORMAT, "%s: tensor \"%s\": dtype: want F64, F32, F16 or BF16, found %s", file,
                        tensor->name, dlg_dtype_name(tensor->dtype));
    if (!tensor->packed) return read_lying(out, tensor, file, err);
    dlg_tensor lying = *tensor;
    unsigned char *bytes = dlg_allocate(tensor->n_items, dlg_dtype_bytes(tensor->dtype));
    lying.bytes = bytes;
    dlg_status status = bytes ? dlg_packed_read(bytes, tensor, file, err)
                              : dlg_fail(err, DLG_ENOMEM, "%s: no memory for %s", file, tensor->name);
    if (!status) status = read_lying(out, &lying, file, err);
    dlg_free(bytes);
    return status;
}

dlg_status dlg_tensor_read(dlg_real *out, const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    assert(out || !tensor->n_items);
    return read_checked(out, tensor, file, err);
}

dlg_status dlg_tensor_check_finite(const dlg_tensor *tensor, const char *file, dlg_error *err)
{
    return read_checked(NULL, tensor, file, err);
}

const dlg_real *dlg_tensor_borrow(const dlg_tensor *tensor)
{
    const bool aligned = (uintptr_t)tensor->bytes % sizeof(dlg_real) == 0;
    return tensor->dtype == REAL_DTYPE && aligned ? tensor->bytes : NULL; /* which is NULL where it is packed */
}
