/** A file that the reference implementation wrote (make_reference.py) is read as it was meant. */
#include "io/safetensors.h"

#include "math/half.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

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
        {"bf16", DLG_BF16, 1, {7}, 7, NULL},         {"empty", DLG_F32, 2, {0, 4}, 0, NULL},
        {"f16", DLG_F16, 1, {7}, 7, NULL},           {"f32", DLG_F32, 2, {3, 5}, 15, NULL},
        {"f64", DLG_F64, 4, {2, 3, 1, 2}, 12, NULL}, {"name \"\xc3\xa9\"", DLG_F16, 1, {1}, 1, NULL},
        {"scalar", DLG_F32, 0, {0}, 1, NULL},
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
