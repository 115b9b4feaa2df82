/** safetensors: what is read, and by what name everything that a file can have wrong is refused. */
#define _XOPEN_SOURCE 700
#include "io/safetensors.h"

#include "base/memory.h"
#include "scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/** A file of a header and n_data bytes 0, 1, 2 ... with a length that is the header's unless given. */
static const char *file_of(const char *name, const char *header, uint64_t length, size_t n_data)
{
    static unsigned char bytes[4096];
    const size_t n_header = strlen(header);
    assert_true(8 + n_header + n_data <= sizeof bytes);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((length ? length : n_header) >> 8 * i);
    memcpy(bytes + 8, header, n_header);
    for (size_t i = 0; i < n_data; i++) bytes[8 + n_header + i] = (unsigned char)i;
    return scratch_file(name, bytes, 8 + n_header + n_data);
}

static dlg_safetensors *opened(const char *path)
{
    dlg_error err;
    dlg_safetensors *file;
    if (dlg_safetensors_open(&file, path, &err)) fail_msg("%s", err.message);
    return file;
}

/**
 * Names out of order, an empty tensor, a scalar, metadata, four dtypes, values that are known; F64 and F32 lie
 * unaligned.
 */
static const char good_header[] = "{\"z\":{\"dtype\":\"F16\",\"shape\":[1],\"data_offsets\":[0,2]},"
                                  "\"__metadata__\":{\"model\":\"mini\",\"\":\"empty\"},"
                                  "\"none\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[2,2]},"
                                  "\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[2,10]},"
                                  "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[10,18]},"
                                  "\"c\":{\"dtype\":\"BF16\",\"shape\":[1,1,1,2],\"data_offsets\":[18,22]}}  ";
enum { GOOD_HEADER = sizeof good_header - 1, GOOD_BYTES = 8 + GOOD_HEADER + 22 };
static const float good_f32[] = {-1.5F, 3e38F};
static const double good_f64 = 1.0 / 3;
static const uint16_t good_f16 = 0xc000, good_bf16[] = {0x3f80, 0x0001};

/** The first n bytes of such a file. */
static const char *good_file(const char *name, size_t n)
{
    unsigned char bytes[GOOD_BYTES] = {GOOD_HEADER & 255, GOOD_HEADER >> 8}, *data = bytes + 8 + GOOD_HEADER;
    memcpy(bytes + 8, good_header, GOOD_HEADER);
    memcpy(data, &good_f16, 2), memcpy(data + 2, good_f32, 8), memcpy(data + 10, &good_f64, 8);
    memcpy(data + 18, good_bf16, 4);
    return scratch_file(name, bytes, n);
}

static void names_and_shapes(void **state)
{
    (void)state;
    const char *path = good_file("good.safetensors", GOOD_BYTES);
    dlg_safetensors *file = opened(path);
    assert_string_equal(dlg_safetensors_path(file), path);
    assert_int_equal(dlg_safetensors_count(file), 5);
    static const char *const names[] = {"a", "b", "c", "none", "z"};
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(dlg_safetensors_at(file, i)->name, names[i]);
        assert_ptr_equal(dlg_safetensors_find(file, names[i]), dlg_safetensors_at(file, i));
    }
    assert_null(dlg_safetensors_find(file, "bb"));
    assert_string_equal(dlg_safetensors_metadata(file, "model"), "mini");
    assert_string_equal(dlg_safetensors_metadata(file, ""), "empty");
    assert_null(dlg_safetensors_metadata(file, "Model"));

    const dlg_tensor *a = dlg_safetensors_find(file, "a"), *b = dlg_safetensors_find(file, "b"),
                     *c = dlg_safetensors_find(file, "c");
    assert_true(a->dtype == DLG_F64 && a->n_dims == 0 && a->n_items == 1);
    assert_true(b->dtype == DLG_F32 && b->n_dims == 2 && b->shape[0] == 2 && b->shape[1] == 1 && b->n_items == 2);
    assert_true(c->dtype == DLG_BF16 && c->n_dims == 4 && c->shape[3] == 2);
    assert_int_equal(dlg_safetensors_find(file, "none")->n_items, 0);
    dlg_safetensors_close(file);
}

static void values(void **state)
{
    (void)state;
    const char *path = good_file("good.safetensors", GOOD_BYTES);
    dlg_safetensors *file = opened(path);
    dlg_real found[2];
    assert_int_equal(dlg_tensor_read(found, dlg_safetensors_find(file, "a"), path, NULL), DLG_OK);
    assert_true(found[0] == (dlg_real)good_f64);
    assert_int_equal(dlg_tensor_read(found, dlg_safetensors_find(file, "b"), path, NULL), DLG_OK);
    assert_true(found[0] == (dlg_real)good_f32[0] && found[1] == (dlg_real)good_f32[1]);
    assert_int_equal(dlg_tensor_read(found, dlg_safetensors_find(file, "c"), path, NULL), DLG_OK);
    assert_true(found[0] == 1 && found[1] == (dlg_real)0x1p-133);
    assert_int_equal(dlg_tensor_read(found, dlg_safetensors_find(file, "z"), path, NULL), DLG_OK);
    assert_true(found[0] == -2);
    for (size_t i = 0; i < 5; i++) {
        const dlg_tensor *tensor = dlg_safetensors_at(file, i);
        assert_int_equal(dlg_tensor_check_finite(tensor, path, NULL), DLG_OK);
        const dlg_real *borrowed = dlg_tensor_borrow(tensor);
        assert_true(!borrowed || (uintptr_t)borrowed % sizeof *borrowed == 0);
    }
    dlg_safetensors_close(file);
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t n = 0; n < GOOD_BYTES; n++) {
        dlg_error err;
        dlg_safetensors *file;
        const char *cut = good_file("cut.safetensors", n);
        assert_refused(dlg_safetensors_open(&file, cut, &err), DLG_EFORMAT, &err, cut, "want");
        assert_null(file);
    }
}

#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define WITH(dtype, shape, offsets) "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"

typedef struct {
    const char *header;
    uint64_t length; /* of it, as the file has it, or 0 */
    size_t n_data;
    const char *object;
} refusal;

static void check_refused(size_t n, const refusal *cases)
{
    for (size_t i = 0; i < n; i++) {
        dlg_error err = {0};
        dlg_safetensors *file = (dlg_safetensors *)1;
        const char *path = file_of("bad.safetensors", cases[i].header, cases[i].length, cases[i].n_data);
        assert_refused(dlg_safetensors_open(&file, path, &err), DLG_EFORMAT, &err, path, cases[i].object);
        assert_null(file);
    }
}

static void refused_headers(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"{}", (uint64_t)1 << 63, 0, "found a length of 9223372036854775808"},
        {"{}", UINT64_MAX, 0, "found a length of 18446744073709551615"},
        {"{}", UINT64_MAX - 7, 0, "found a length of"},
        {"{}", 3, 0, "found a length of 3"},
        {"{}", 100000001, 0, "want safetensors, with a header of at most 100000000 bytes"},
        {"", 0, 0, "want a header that begins with '{'"},
        {" {}", 0, 0, "want a header that begins with '{'"},
        {"[]", 0, 0, "want a header that begins with '{'"},
        {"{}", 0, 1, "want 0 bytes of data, as the tensors take, found 1"},
        {"{\"a\":1}", 0, 0, "tensor \"a\": want an object, found a number"},
        {"{\"a\":{}}", 0, 0, "tensor \"a\": dtype: want a string, found nothing"},
        {"{" A "," A "}", 0, 8, "found \"a\" twice"},
        {"{" A ",\"\\u0061\":null}", 0, 8, "found \"a\" twice"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 0, 12,
         "tensor \"b\": want it to begin at 8"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}", 0, 8, "want it to begin at 8"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[12,16]}}", 0, 16,
         "tensor \"b\": want it to begin at 8"},
        {"{" A ",\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}}", 0, 8,
         "tensor \"b\": want it to begin at 8"},
        {"{" A "}", 0, 9, "want 8 bytes of data, as the tensors take, found 9"},
        {"{" A "}", 0, 7, "tensor \"a\": data_offsets: want begin <= end <= 7"},
        {"{\"__metadata__\":[]}", 0, 0, "__metadata__: want an object, found a list"},
        {"{\"__metadata__\":{\"seed\":7}}", 0, 0, "__metadata__: \"seed\": want a string, found a number"},
        {"{\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 0, 0, "want nesting of at most 64"},
    };
    check_refused(sizeof cases / sizeof *cases, cases);
}

static void refused_tensors(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {WITH("\"F32\"", "[2]", "[1,9]"), 0, 9, "tensor \"a\": want it to begin at 0"},
        {WITH("\"F32\"", "[2]", "[8,0]"), 0, 8, "tensor \"a\": data_offsets: want begin <= end"},
        {WITH("\"F32\"", "[2]", "[0,9007199254740992]"), 0, 8, "tensor \"a\": data_offsets: want begin <= end"},
        {WITH("\"F32\"", "[2]", "[0,18446744073709551616]"), 0, 8,
         "tensor \"a\": data_offsets: want two whole numbers"},
        {WITH("\"F32\"", "[2]", "[-8,0]"), 0, 8, "tensor \"a\": data_offsets: want two whole numbers"},
        {WITH("\"F32\"", "[2]", "[0.5,8]"), 0, 8, "tensor \"a\": data_offsets: want two whole numbers"},
        {WITH("\"F32\"", "[2]", "[0]"), 0, 8, "tensor \"a\": data_offsets: want two whole numbers"},
        {WITH("\"F32\"", "[2]", "[0,8,8]"), 0, 8, "tensor \"a\": data_offsets: want two whole numbers"},
        {WITH("\"F32\"", "[2]", "{\"0\":0,\"1\":8}"), 0, 8, "tensor \"a\": data_offsets"},
        {WITH("\"F32\"", "[3]", "[0,8]"), 0, 8, "tensor \"a\": want 4 bytes for each of 3 numbers, found 8 bytes"},
        {WITH("\"F64\"", "[2]", "[0,8]"), 0, 8, "tensor \"a\": want 8 bytes for each of 2 numbers"},
        {WITH("\"F32\"", "[4294967296,4294967296]", "[0,8]"), 0, 8, "tensor \"a\": shape: want a product below 2^64"},
        {WITH("\"F32\"", "[4294967296,1073741824]", "[0,8]"), 0, 8,
         "tensor \"a\": want 4 bytes for each of 4611686018427387904"},
        {WITH("\"F32\"", "[1,1,1,1,2]", "[0,8]"), 0, 8, "tensor \"a\": shape: want at most 4 dimensions, found 5"},
        {WITH("\"F32\"", "[2.5]", "[0,8]"), 0, 8, "tensor \"a\": shape: want whole numbers"},
        {WITH("\"F32\"", "[\"2\"]", "[0,8]"), 0, 8,
         "tensor \"a\": shape: want whole numbers up to 2^53, found a string"},
        {WITH("\"F32\"", "2", "[0,8]"), 0, 8, "tensor \"a\": shape: want a list, found a number"},
        {WITH("\"F8_E4M3\"", "[8]", "[0,8]"), 0, 8,
         "tensor \"a\": dtype: want F64, F32, F16, BF16 or integers, found F8_E4M3"},
        {WITH("\"f32\"", "[2]", "[0,8]"), 0, 8, "tensor \"a\": dtype: want F64, F32, F16, BF16 or integers, found f32"},
        {WITH("32", "[2]", "[0,8]"), 0, 8, "tensor \"a\": dtype: want a string, found a number"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}", 0, 8,
         "\"a\": want dtype, shape and data_offsets, found \"extra\""},
    };
    check_refused(sizeof cases / sizeof *cases, cases);
}

static void no_file(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    const char *empty = scratch_file("empty.safetensors", NULL, 0);
    assert_refused(dlg_safetensors_open(&file, scratch_path("none"), &err), DLG_EIO, &err, "/none", "No such file");
    assert_null(file);
    assert_refused(dlg_safetensors_open(&file, scratch_path("."), &err), DLG_EIO, &err, "/.", "found a directory");
    assert_refused(dlg_safetensors_open(&file, empty, &err), DLG_EFORMAT, &err, empty, "found an empty file");
    assert_null(file);
}

/** The file has as many bytes (none of them on the disk), but no honest header is that long. */
static void header_too_long(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    const char *path = file_of("long.safetensors", "{}", 100000001, 0);
    assert_int_equal(truncate(path, 100000100), 0);
    assert_refused(dlg_safetensors_open(&file, path, &err), DLG_EFORMAT, &err, path,
                   "want safetensors, with a header of at most 100000000 bytes");
    assert_null(file);
}

/** A NaN or infinity at any place of more than one block, in each dtype, aligned or not. */
static void not_finite(void **state)
{
    (void)state;
    enum { N = 10000 };
    static unsigned char bytes[N * 8 + 1];
    static dlg_real out[N];
    static const size_t places[] = {0, 1, 4095, 4096, N - 1};
    static const uint16_t f16[] = {0x7c00, 0xfc00, 0x7e00}, bf16[] = {0x7f80, 0xff80, 0x7fc0};
    const double f64[] = {INFINITY, -INFINITY, NAN};
    for (dlg_dtype dtype = DLG_F64; dtype <= DLG_BF16; dtype++)
        for (size_t shift = 0; shift < 2; shift++)
            for (size_t p = 0; p < sizeof places / sizeof *places; p++)
                for (size_t v = 0; v < 3; v++) {
                    const dlg_tensor tensor = {
                        .name = "w", .dtype = dtype, .n_dims = 1, .shape = {N}, .n_items = N, .bytes = bytes + shift};
                    const size_t stride = dlg_dtype_bytes(dtype);
                    const float f32 = (float)f64[v];
                    const void *value = dtype == DLG_F64   ? (const void *)&f64[v]
                                        : dtype == DLG_F32 ? (const void *)&f32
                                        : dtype == DLG_F16 ? (const void *)&f16[v]
                                                           : (const void *)&bf16[v];
                    char object[64];
                    snprintf(object, sizeof object, "tensor \"w\": want finite %s numbers, found ", DLG_REAL_NAME);
                    memset(bytes, 0, sizeof bytes);
                    assert_int_equal(dlg_tensor_read(out, &tensor, "file", NULL), DLG_OK);
                    assert_int_equal(dlg_tensor_check_finite(&tensor, "file", NULL), DLG_OK);
                    memcpy(bytes + shift + places[p] * stride, value, stride);
                    dlg_error err;
                    assert_refused(dlg_tensor_read(out, &tensor, "file", &err), DLG_ENONFINITE, &err, "file: ", object);
                    assert_refused(dlg_tensor_check_finite(&tensor, "file", &err), DLG_ENONFINITE, &err,
                                   "file: ", object);
                    snprintf(object, sizeof object, "at index %zu", places[p]);
                    assert_non_null(strstr(err.message, object));
                }
}

/** A double beyond a float's range is a number in a double build and none in a float build. */
static void beyond_range(void **state)
{
    (void)state;
    const double values[] = {3.4e38, 1e39};
    const dlg_tensor tensor = {.name = "w", .dtype = DLG_F64, .n_dims = 1, .shape = {2}, .n_items = 2, .bytes = values};
    dlg_error err;
    dlg_real out[2];
    const dlg_status status = dlg_tensor_read(out, &tensor, "file", &err);
    if (sizeof(dlg_real) == sizeof(double)) assert_int_equal(status, DLG_OK);
    else
        assert_refused(status, DLG_ENONFINITE, &err, "file",
                       "tensor \"w\": want finite float32 numbers, found 1e+39 at index 1");
}

static void out_of_memory(void **state)
{
    (void)state;
    const char *path = file_of("memory.safetensors", "{" A ",\"__metadata__\":{\"k\":\"v\"}}", 0, 8);
    dlg_status status = DLG_ENOMEM;
    size_t k = 1;
    for (; status; k++) {
        dlg_error err;
        dlg_safetensors *file;
        dlg_allocation_fail_from(k);
        status = dlg_safetensors_open(&file, path, &err);
        dlg_allocation_fail_from(0);
        if (status) {
            assert_refused(status, DLG_ENOMEM, &err, path, "no memory");
            assert_null(file);
        } else {
            dlg_safetensors_close(file);
        }
    }
    assert_true(k > 4);
}

/** A buffer of indices beside the parameters may be there, but is never taken for numbers. */
static void indices_are_not_numbers(void **state)
{
    (void)state;
    dlg_error err = {0};
    dlg_real out;
    const char *path =
        file_of("indices.safetensors", "{\"i\":{\"dtype\":\"I64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 0, 8);
    dlg_safetensors *file = opened(path);
    const dlg_tensor *tensor = dlg_safetensors_at(file, 0);
    assert_null(dlg_tensor_borrow(tensor));
    assert_refused(dlg_tensor_read(&out, tensor, path, &err), DLG_EFORMAT, &err, path,
                   "tensor \"i\": dtype: want F64, F32, F16 or BF16, found I64");
    dlg_safetensors_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_shapes),
        cmocka_unit_test(values),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(refused_headers),
        cmocka_unit_test(refused_tensors),
        cmocka_unit_test(no_file),
        cmocka_unit_test(header_too_long),
        cmocka_unit_test(not_finite),
        cmocka_unit_test(beyond_range),
        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(indices_are_not_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
