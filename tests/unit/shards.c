/** Models in several files: the index, the shards, and what each can have wrong. */
#include "io/safetensors.h"

#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char INDEX[] = "model.safetensors.index.json";

/** A shard with one number for each one-letter name. */
static const char *shard(const char *file_name, const char *names)
{
    dlg_tensor_source sources[8] = {{0}};
    static dlg_real values[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    static char letters[8][2];
    const size_t n = strlen(names);
    for (size_t i = 0; i < n; i++) {
        letters[i][0] = names[i];
        sources[i] = (dlg_tensor_source){.name = letters[i], .n_dims = 1, .shape = {1}, .values = &values[i]};
    }
    const dlg_metadata metadata = {"from", file_name};
    dlg_error err;
    const char *path = scratch_path(file_name);
    if (dlg_safetensors_write(path, n, sources, DLG_F32, 1, &metadata, &err)) fail_msg("%s", err.message);
    return path;
}

static dlg_status open_directory(dlg_safetensors **out, dlg_error *err)
{
    *err = (dlg_error){0};
    return dlg_safetensors_open_directory(out, scratch_directory(), err);
}

static void two_shards(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *set;
    shard("one", "ac");
    shard("two", "db");
    scratch_text(
        INDEX,
        "{\"metadata\":{\"total_size\":16},\"weight_map\":{\"a\":\"one\",\"b\":\"two\",\"c\":\"one\",\"d\":\"two\"}}");
    if (open_directory(&set, &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_safetensors_count(set), 4);
    static const dlg_real values[] = {0, 1, 1, 0};
    for (size_t i = 0; i < 4; i++) {
        dlg_real value;
        assert_int_equal(dlg_safetensors_at(set, i)->name[0], "abcd"[i]);
        assert_int_equal(dlg_tensor_read(&value, dlg_safetensors_at(set, i), "", NULL), DLG_OK);
        assert_true(value == values[i]);
    }
    assert_non_null(dlg_safetensors_find(set, "d"));
    assert_string_equal(dlg_safetensors_metadata(set, "from"), "one");
    dlg_safetensors_close(set);

    /* A single file is what counts where there is one. */
    const char *single = shard("model.safetensors", "x");
    assert_int_equal(open_directory(&set, &err), DLG_OK);
    assert_int_equal(dlg_safetensors_count(set), 1);
    assert_string_equal(dlg_safetensors_path(set), single);
    dlg_safetensors_close(set);
    unlink(single);
}

static void refused(void **state)
{
    (void)state;
    shard("one", "ac");
    shard("two", "cd");
    scratch_text("broken", "no shard");
    static const struct {
        const char *index;
        dlg_status status;
        const char *file, *object;
    } cases[] = {
        {"", DLG_EFORMAT, "index.json", "want a value"},
        {"{}", DLG_EFORMAT, "index.json", "want an object weight_map"},
        {"{\"weight_map\":[\"one\"]}", DLG_EFORMAT, "index.json", "want an object weight_map"},
        {"{\"weight_map\":{}}", DLG_EFORMAT, "index.json", "want an object weight_map"},
        {"{\"weight_map\":{\"a\":1}}", DLG_EFORMAT, "index.json",
         "weight_map: \"a\": want a plain file name, found no string"},
        {"{\"weight_map\":{\"a\":\"\"}}", DLG_EFORMAT, "index.json", "\"a\": want a plain file name"},
        {"{\"weight_map\":{\"a\":\"..\"}}", DLG_EFORMAT, "index.json", "\"a\": want a plain file name, found .."},
        {"{\"weight_map\":{\"a\":\"../one\"}}", DLG_EFORMAT, "index.json",
         "\"a\": want a plain file name, found ../one"},
        {"{\"weight_map\":{\"a\":\"/etc/passwd\"}}", DLG_EFORMAT, "index.json",
         "\"a\": want a plain file name, found /etc/passwd"},
        {"{\"weight_map\":{\"a\":\"one\",\"a\":\"two\"}}", DLG_EFORMAT, "index.json", "\"a\" twice"},
        {"{\"weight_map\":{\"a\":\"three\"}}", DLG_EIO, "/three", "No such file"},
        {"{\"weight_map\":{\"a\":\"broken\"}}", DLG_EFORMAT, "/broken", "want safetensors"},
        {"{\"weight_map\":{\"b\":\"one\"}}", DLG_EFORMAT, "/one", "want tensor \"b\""},
        {"{\"weight_map\":{\"a\":\"one\",\"d\":\"one\",\"c\":\"two\"}}", DLG_EFORMAT, "/one", "want tensor \"d\""},
        {"{\"weight_map\":{\"a\":\"one\",\"d\":\"two\"}}", DLG_EFORMAT, "/one",
         "tensor \"c\": want it in one shard, found it in"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err;
        dlg_safetensors *set = (dlg_safetensors *)1;
        scratch_text(INDEX, cases[i].index);
        assert_refused(open_directory(&set, &err), cases[i].status, &err, cases[i].file, cases[i].object);
        assert_null(set);
    }
    dlg_error err;
    dlg_safetensors *set;
    unlink(scratch_path(INDEX));
    assert_refused(open_directory(&set, &err), DLG_EIO, &err, scratch_directory(), "found neither");
    assert_null(set);
    assert_refused(dlg_safetensors_open_directory(&set, scratch_path("nowhere"), &err), DLG_EIO, &err, "nowhere",
                   "No such file");
    assert_null(set);
}

static void out_of_memory(void **state)
{
    (void)state;
    shard("one", "a");
    shard("two", "b");
    scratch_text(INDEX, "{\"weight_map\":{\"a\":\"one\",\"b\":\"two\"}}");
    dlg_status status = DLG_ENOMEM;
    size_t k = 1;
    for (; status; k++) {
        dlg_error err;
        dlg_safetensors *set;
        dlg_allocation_fail_from(k);
        status = open_directory(&set, &err);
        dlg_allocation_fail_from(0);
        if (status) assert_refused(status, DLG_ENOMEM, &err, "/", "no memory");
        if (status) assert_null(set);
        else dlg_safetensors_close(set);
    }
    assert_true(k > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(two_shards), cmocka_unit_test(refused),
                                       cmocka_unit_test(out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
