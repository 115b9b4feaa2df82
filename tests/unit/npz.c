/** numpy's files: what is read of .npy and .npz, and by what name everything else is refused. */
#include "io/safetensors.h"

#include "archive.h"
#include "base/memory.h"
#include "scarce.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const float SIX[] = {1, 2, 3, 4, 5, 6};
static archive zip;
static archive_bytes npy;

static void add(const char *name, const char *dict, const void *numbers, size_t n, bool is_deflated)
{
    npy.n = 0;
    archive_npy(&npy, dict, numbers, n);
    archive_add(&zip, name, npy.bytes, npy.n, is_deflated);
}

static dlg_status open_zip(dlg_safetensors **out, dlg_error *err)
{
    archive_end(&zip, false);
    return dlg_safetensors_open(out, scratch_file("x.npz", zip.file.bytes, zip.file.n), err);
}

static dlg_safetensors *opened(void)
{
    dlg_error err;
    dlg_safetensors *file;
    if (open_zip(&file, &err)) fail_msg("%s", err.message);
    memset(&zip, 0, sizeof zip);
    return file;
}

static void assert_read(const dlg_safetensors *file, const char *name, const dlg_real *wanted, size_t n)
{
    dlg_real found[6];
    dlg_error err;
    const dlg_tensor *tensor = dlg_safetensors_find(file, name);
    assert_non_null(tensor);
    assert_int_equal(tensor->n_items, n);
    if (dlg_tensor_read(found, tensor, "x.npz", &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++) assert_true(found[i] == wanted[i]);
}

static void stored_deflated_and_column_major(void **state)
{
    (void)state;
    static const double two[] = {-1, 0.5};
    static const uint16_t half[] = {0xc000};
    static const dlg_real six[] = {1, 2, 3, 4, 5, 6}, columns[] = {1, 3, 5, 2, 4, 6}, minus[] = {-1, (dlg_real)0.5},
                          minus_two[] = {-2};
    for (int deflated = 0; deflated < 2; deflated++) {
        add("six.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }   \n", SIX, 24, deflated);
        add("columns.npy", "{\"shape\":(2,3),'descr':'<f4','fortran_order':True}", SIX, 24, deflated);
        add("a/b.npy", "{'descr': '<f8', 'fortran_order': True, 'shape': (2,), }", two, 16, deflated);
        add("half.npy", "{'descr': '<f2', 'fortran_order': False, 'shape': (), }", half, 2, deflated);
        add("empty.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 0), }", NULL, 0, deflated);
        add("mask.npy", "{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", "\1\0\1", 3, deflated);
        dlg_safetensors *file = opened();
        assert_int_equal(dlg_safetensors_count(file), 6);
        assert_false(dlg_safetensors_is_nameless(file));
        assert_null(dlg_safetensors_metadata(file, "model"));
        assert_read(file, "six", six, 6);
        assert_read(file, "columns", columns, 6);
        assert_read(file, "a/b", minus, 2);
        assert_read(file, "half", minus_two, 1);
        assert_int_equal(dlg_safetensors_find(file, "empty")->n_items, 0);
        assert_int_equal(dlg_safetensors_find(file, "mask")->dtype, DLG_I64);
        assert_true(dlg_tensor_is_copy(dlg_safetensors_find(file, "six"), dlg_safetensors_find(file, "six")));
        assert_false(dlg_tensor_is_copy(dlg_safetensors_find(file, "six"), dlg_safetensors_find(file, "columns")));
        dlg_safetensors_close(file);
    }
}

/* np.savez(file, *arrays): the order is that of the numbers, and they can be given names. */
static void a_list(void **state)
{
    (void)state;
    for (size_t i = 12; i-- > 0;) {
        char name[24];
        const float value = (float)i;
        snprintf(name, sizeof name, "arr_%zu.npy", i);
        add(name, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", &value, 4, i % 2);
    }
    dlg_safetensors *file = opened();
    assert_true(dlg_safetensors_is_nameless(file));
    assert_null(dlg_safetensors_find(file, "arr_3"));
    for (size_t i = 0; i < 12; i++) {
        dlg_real value;
        assert_int_equal(dlg_tensor_read(&value, dlg_safetensors_at(file, i), "x.npz", NULL), DLG_OK);
        assert_true(value == (dlg_real)i);
    }
    const char *const names[12] = {"c", NULL, "a", [11] = "b"};
    static const dlg_real zero = 0, two = 2, eleven = 11;
    assert_int_equal(dlg_safetensors_name(file, names, NULL), DLG_OK);
    assert_int_equal(dlg_safetensors_count(file), 3);
    assert_read(file, "c", &zero, 1);
    assert_read(file, "a", &two, 1);
    assert_read(file, "b", &eleven, 1);
    dlg_safetensors_close(file);
    /* a hole in the numbers: they are names */
    add("arr_0.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", SIX, 4, false);
    add("arr_2.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", SIX, 4, false);
    file = opened();
    assert_false(dlg_safetensors_is_nameless(file));
    dlg_safetensors_close(file);
}

static void one_array(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    dlg_real found[6];
    npy.n = 0;
    archive_npy(&npy, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", SIX, 24);
    assert_int_equal(dlg_safetensors_open(&file, scratch_file("x.npy", npy.bytes, npy.n), &err), DLG_OK);
    assert_true(dlg_safetensors_is_nameless(file));
    assert_int_equal(dlg_tensor_read(found, dlg_safetensors_at(file, 0), "x.npy", NULL), DLG_OK);
    assert_true(found[5] == 6);
    dlg_safetensors_close(file);
    for (size_t n = 0; n < npy.n; n++)
        assert_refused(dlg_safetensors_open(&file, scratch_file("x.npy", npy.bytes, n), &err), DLG_EFORMAT, &err,
                       "x.npy: ", "want");
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *dict, *object;
    } cases[] = {
        {"{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", "found |O, Python objects, which are pickled"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }", "found >f4, big-endian"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "found <c8"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "want a header of one dtype"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (7,), }",
         "array \"a\": want 4 bytes for each of 7 numbers, found 24 bytes"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (6,), }", "want 8 bytes for each of 6"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
         "want a header of sizes whose product is below 2^64"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904,), }", "want 4 bytes for each of"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551617,), }",
         "want a header of sizes whose product is below 2^64"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 6), }", "want at most 4 dimensions"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-6,), }", "want a header of sizes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, ", "want a header of sizes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 6, }", "a shape in parentheses"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (6,), }", "True or False for fortran_order"},
        {"{'descr': '<f4', 'shape': (6,), }", "found fewer or more"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), } x", "found fewer or more"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "found \"descr\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'x': 1}", "found \"x\""},
        {"__import__('os')", "want a header of a Python dict"},
        {"", "want a header of a Python dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int deflated = 0; deflated < 2; deflated++) {
            dlg_error err;
            dlg_safetensors *file;
            memset(&zip, 0, sizeof zip);
            add("a.npy", cases[i].dict, SIX, 24, deflated);
            assert_refused(open_zip(&file, &err), DLG_EFORMAT, &err, "x.npz", cases[i].object);
            assert_null(file);
        }
    memset(&zip, 0, sizeof zip);
}

static void other_members_and_damage(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    memset(&zip, 0, sizeof zip);
    add("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", SIX, 24, false);
    archive_add(&zip, "b.txt", "x", 1, false);
    assert_refused(open_zip(&file, &err), DLG_EFORMAT, &err, "x.npz", "member \"b.txt\": want arrays (.npy) alone");
    memset(&zip, 0, sizeof zip);
    add("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", SIX, 24, false);
    zip.file.bytes[zip.file.n - 1] ^= 1;
    assert_refused(open_zip(&file, &err), DLG_EFORMAT, &err, "x.npz", "member \"a.npy\": want bytes of checksum");
    memset(&zip, 0, sizeof zip);
    /* Deflated numbers are looked at when they are asked for. */
    static const float many[2000] = {1};
    static dlg_real found[2000];
    add("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2000,), }", many, sizeof many, true);
    zip.members[0].crc ^= 1;
    file = opened();
    assert_refused(dlg_tensor_read(found, dlg_safetensors_at(file, 0), "x.npz", &err), DLG_EFORMAT, &err, "x.npz",
                   "want bytes of checksum");
    dlg_safetensors_close(file);
}

/* More than deflate can make is refused; what it can make takes no memory until it is asked for. */
static void a_bomb(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    add("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1000000), }", SIX, 24, true);
    zip.members[0].n_bytes += 3999976;
    assert_refused(open_zip(&file, &err), DLG_EFORMAT, &err, "x.npz", "cannot become as many");
    memset(&zip, 0, sizeof zip);
    static unsigned char zeros[1 << 17];
    add("a.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (32768,), }", zeros, sizeof zeros, true);
    const size_t before = dlg_memory_used();
    file = opened();
    assert_true(dlg_memory_used() - before < 1 << 14);
    assert_null(dlg_tensor_borrow(dlg_safetensors_at(file, 0)));
    dlg_safetensors_close(file);
}

static dlg_status open_and_read(void *payload, dlg_error *err)
{
    dlg_safetensors *file;
    dlg_real six[6];
    dlg_status status = dlg_safetensors_open(&file, payload, err);
    if (!status) status = dlg_tensor_read(six, dlg_safetensors_at(file, 0), payload, err);
    dlg_safetensors_close(file);
    return status;
}

static void out_of_memory(void **state)
{
    (void)state;
    memset(&zip, 0, sizeof zip);
    add("arr_0.npy", "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", SIX, 24, true);
    archive_end(&zip, false);
    const char *path = scratch_file("x.npz", zip.file.bytes, zip.file.n);
    assert_true(fail_every_allocation(open_and_read, (void *)(size_t)path) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_deflated_and_column_major),
        cmocka_unit_test(a_list),
        cmocka_unit_test(one_array),
        cmocka_unit_test(refused),
        cmocka_unit_test(other_members_and_damage),
        cmocka_unit_test(a_bomb),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
