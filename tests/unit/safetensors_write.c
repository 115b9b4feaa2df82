/** Writing safetensors: the bytes, the rounding, what is refused, and that nothing is left behind. */
#define _XOPEN_SOURCE 700
#include "io/safetensors.h"

#include "base/file.h"
#include "base/memory.h"
#include "scratch.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

static const dlg_real VALUES[] = {1, -2, (dlg_real)0.1, 70000, (dlg_real)1e-7, 0};

/** The file, byte by byte: the header as the format demands, padded with spaces to eight bytes. */
static void bytes_of_a_file(void **state)
{
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"model\":\"mini \\\"x\\\"\\n\"},"
                                 "\"b\":{\"dtype\":\"F16\",\"shape\":[2,3],\"data_offsets\":[0,12]},"
                                 "\"a\":{\"dtype\":\"F16\",\"shape\":[],\"data_offsets\":[12,14]}}";
    const size_t n_header = (sizeof header - 1 + 7) / 8 * 8;
    static const uint16_t halves[] = {0x3c00, 0xc000, 0x2e66, 0x7bff, 0x0002, 0x0000, 0x3c00};
    const dlg_tensor_source sources[] = {{"b", 2, {2, 3}, VALUES}, {"a", 0, {0}, VALUES}};
    const dlg_metadata metadata = {"model", "mini \"x\"\n"};
    const char *path = scratch_path("bytes");
    dlg_error err;
    dlg_file file;
    if (dlg_safetensors_write(path, 2, sources, DLG_F16, 1, &metadata, &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_file_open(&file, path, &err), DLG_OK);
    assert_int_equal(file.n_bytes, 8 + n_header + sizeof halves);
    for (size_t i = 0; i < 8; i++) assert_int_equal(file.bytes[i], n_header >> 8 * i & 0xff);
    assert_memory_equal(file.bytes + 8, header, sizeof header - 1);
    for (size_t i = sizeof header - 1; i < n_header; i++) assert_int_equal(file.bytes[8 + i], ' ');
    assert_memory_equal(file.bytes + 8 + n_header, halves, sizeof halves);
    dlg_file_close(&file);
}

static void nothing_to_write(void **state)
{
    (void)state;
    dlg_safetensors *file;
    const char *path = scratch_path("nothing");
    assert_int_equal(dlg_safetensors_write(path, 0, NULL, DLG_F32, 0, NULL, NULL), DLG_OK);
    assert_int_equal(dlg_safetensors_open(&file, path, NULL), DLG_OK);
    assert_int_equal(dlg_safetensors_count(file), 0);
    dlg_safetensors_close(file);
}

static void refused(void **state)
{
    (void)state;
    const size_t before = scratch_count();
    const char *path = scratch_path("refused");
    dlg_error err;
    const dlg_real bad[] = {0, (dlg_real)NAN};
    const dlg_tensor_source nan = {"w", 1, {2}, bad}, twice[] = {{"w", 1, {1}, VALUES}, {"w", 1, {2}, VALUES}};
    const dlg_tensor_source not_text = {"\xff", 1, {1}, VALUES}, huge = {"w", 2, {SIZE_MAX, 2}, VALUES};
    const dlg_metadata metadata[] = {{"k", "1"}, {"k", "2"}};
    assert_refused(dlg_safetensors_write(path, 1, &nan, DLG_F32, 0, NULL, &err), DLG_ENONFINITE, &err, path,
                   "tensor \"w\": want finite");
    assert_refused(dlg_safetensors_write(path, 2, twice, DLG_F32, 0, NULL, &err), DLG_EFORMAT, &err, path,
                   "\"w\" twice");
    assert_refused(dlg_safetensors_write(path, 1, twice, DLG_F32, 2, metadata, &err), DLG_EFORMAT, &err, path,
                   "\"k\" twice");
    assert_refused(dlg_safetensors_write(path, 1, &not_text, DLG_F32, 0, NULL, &err), DLG_EFORMAT, &err, path,
                   "want UTF-8");
    assert_refused(dlg_safetensors_write(path, 1, &huge, DLG_F32, 0, NULL, &err), DLG_ESHAPE, &err, path,
                   "tensor \"w\": want a shape");
    path = scratch_path("no/such/directory");
    assert_refused(dlg_safetensors_write(path, 1, twice, DLG_F32, 0, NULL, &err), DLG_EIO, &err,
                   "/no/such: ", "want a folder");
    assert_int_equal(scratch_count(), before);
}

/** A limit on the size of files stands for a full disk: an existing file must survive it, and no other may appear. */
static void disk_full(void **state)
{
    (void)state;
    static dlg_real many[100000];
    const dlg_tensor_source small = {"w", 1, {1}, VALUES}, large = {"w", 1, {100000}, many};
    const char *path = scratch_path("full");
    dlg_error err;
    assert_int_equal(dlg_safetensors_write(path, 1, &small, DLG_F32, 0, NULL, &err), DLG_OK);
    const size_t before = scratch_count();
    struct rlimit limit, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    tight = limit;
    tight.rlim_cur = 100000;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const dlg_status status = dlg_safetensors_write(path, 1, &large, DLG_F32, 0, NULL, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(status, DLG_EIO, &err, path, "File too large");
    assert_int_equal(scratch_count(), before);
    dlg_safetensors *file;
    assert_int_equal(dlg_safetensors_open(&file, path, &err), DLG_OK);
    assert_int_equal(dlg_safetensors_find(file, "w")->n_items, 1);
    dlg_safetensors_close(file);
}

static void *failing_malloc(size_t n_bytes)
{
    return dlg_allocate(n_bytes, 1);
}

/** cJSON's allocations are failed as well. */
static void out_of_memory(void **state)
{
    (void)state;
    const dlg_tensor_source source = {"w", 2, {2, 3}, VALUES};
    const dlg_metadata metadata = {"k", "v"};
    const char *path = scratch_path("memory");
    const size_t before = scratch_count();
    cJSON_Hooks hooks = {failing_malloc, dlg_free};
    cJSON_InitHooks(&hooks);
    dlg_status status = DLG_ENOMEM;
    size_t k = 1;
    for (; status; k++) {
        dlg_error err;
        dlg_allocation_fail_from(k);
        status = dlg_safetensors_write(path, 1, &source, DLG_BF16, 1, &metadata, &err);
        dlg_allocation_fail_from(0);
        if (status) assert_refused(status, DLG_ENOMEM, &err, path, "no memory");
        assert_int_equal(scratch_count(), before + !status);
    }
    assert_true(k > 20);
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_a_file), cmocka_unit_test(nothing_to_write), cmocka_unit_test(refused),
        cmocka_unit_test(disk_full),       cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
