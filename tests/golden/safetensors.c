/** A file that the reference implementation wrote (make_reference.py) is read as it was meant. */
#include "io/safetensors.h"

#include "math/half.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const char PATH[] = DLG_SOURCE "/tests/golden/reference.safetensors";

static double rounded(double value, dlg_dtype dtype)
{
    switch (dtype) {
    case DLG_F64: return value;
    case DLG_F32: return (double)(float)value;
    case DLG_F16: return (double)dlg_round_to_f16(value);
    case DLG_BF16: return (double)dlg_round_to_bf16(value);
    default: break;
    }
    fail();
    return 0;
}

static void reads_the_reference(void **state)
{
    (void)state;
    static const dlg_tensor wanted[] = {
        {.name = "bf16", .dtype = DLG_BF16, .n_dims = 1, .shape = {7}, .n_items = 7},
        {.name = "empty", .dtype = DLG_F32, .n_dims = 2, .shape = {0, 4}},
        {.name = "f16", .dtype = DLG_F16, .n_dims = 1, .shape = {7}, .n_items = 7},
        {.name = "f32", .dtype = DLG_F32, .n_dims = 2, .shape = {3, 5}, .n_items = 15},
        {.name = "f64", .dtype = DLG_F64, .n_dims = 4, .shape = {2, 3, 1, 2}, .n_items = 12},
        {.name = "name \"\xc3\xa9\"", .dtype = DLG_F16, .n_dims = 1, .shape = {1}, .n_items = 1},
        {.name = "scalar", .dtype = DLG_F32, .n_items = 1},
    };
    const size_t n = sizeof wanted / sizeof *wanted;
    dlg_error err;
    dlg_safetensors *file = NULL;
    if (dlg_safetensors_open(&file, PATH, &err)) fail_msg("%s", err.message);
    assert_string_equal(dlg_safetensors_metadata(file, "model"), "mini");
    assert_string_equal(dlg_safetensors_metadata(file, "defence"), "say \"none\"\n");
    assert_string_equal(dlg_safetensors_metadata(file, "\xc3\xa9"), "\xe6\xbc\xa2");
    assert_int_equal(dlg_safetensors_count(file), n);
    for (size_t i = 0; i < n; i++) {
        const dlg_tensor *found = dlg_safetensors_at(file, i);
        dlg_real values[15];
        assert_string_equal(found->name, wanted[i].name);
        assert_int_equal(found->dtype, wanted[i].dtype);
        assert_int_equal(found->n_dims, wanted[i].n_dims);
        assert_memory_equal(found->shape, wanted[i].shape, sizeof found->shape);
        assert_int_equal(found->n_items, wanted[i].n_items);
        if (dlg_tensor_read(values, found, PATH, &err)) fail_msg("%s", err.message);
        for (size_t k = 0; k < found->n_items; k++)
            assert_true(values[k] == (dlg_real)rounded(((double)k - 3) * 0.37, found->dtype));
    }
    dlg_safetensors_close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_the_reference)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
