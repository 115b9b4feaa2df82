/** torch.save's files: containers of tensors, views of storages, and by what name everything else is refused. */
#include "io/safetensors.h"

#include "archive.h"
#include "scarce.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const float SIX[] = {1, 2, 3, 4, 5, 6};
static archive zip;
static archive_bytes pickle;

static void put(const char *bytes)
{
    archive_put(&pickle, bytes, strlen(bytes));
}

static void begin(const char *bytes)
{
    memset(&zip, 0, sizeof zip);
    pickle.n = 0;
    put("\x80\2");
    put(bytes);
}

static void entry(const char *name, archive_view view)
{
    archive_pickle_text(&pickle, name);
    archive_pickle_view(&pickle, &view);
}

/* The archive of the pickle that was put, with six floats as storage 0. */
static const char *written(void)
{
    archive_add(&zip, "x/data.pkl", pickle.bytes, pickle.n, false);
    archive_add(&zip, "x/byteorder", "little", 6, false);
    archive_add(&zip, "x/data/0", SIX, sizeof SIX, false);
    archive_end(&zip, false);
    return scratch_file("x.pt", zip.file.bytes, zip.file.n);
}

static dlg_safetensors *opened(void)
{
    dlg_error err;
    dlg_safetensors *file;
    if (dlg_safetensors_open(&file, written(), &err)) fail_msg("%s", err.message);
    return file;
}

static void assert_read(const dlg_tensor *tensor, size_t n, const dlg_real *wanted)
{
    dlg_real found[6];
    dlg_error err;
    assert_non_null(tensor);
    assert_int_equal(tensor->n_items, n);
    if (dlg_tensor_read(found, tensor, "x.pt", &err)) fail_msg("%s", err.message);
    for (size_t i = 0; i < n; i++) assert_true(found[i] == wanted[i]);
}

#define VIEW(...) ((archive_view){__VA_ARGS__})

static void views_of_one_storage(void **state)
{
    (void)state;
    static const dlg_real six[] = {1, 2, 3, 4, 5, 6}, columns[] = {1, 4, 2, 5, 3, 6}, every_other[] = {2, 4, 6},
                          same[] = {3, 3}, last[] = {6};
    begin("}(");
    entry("whole", VIEW("FloatStorage", "0", 6, 0, 2, {2, 3}, {3, 1}));
    entry("columns", VIEW("FloatStorage", "0", 6, 0, 2, {3, 2}, {1, 3}));
    entry("odd", VIEW("FloatStorage", "0", 6, 1, 1, {3}, {2}));
    entry("expanded", VIEW("FloatStorage", "0", 6, 2, 1, {2}, {0}));
    entry("scalar", VIEW("FloatStorage", "0", 6, 5, 0, {0}, {0}));
    entry("empty", VIEW("FloatStorage", "0", 6, 6, 2, {0, 3}, {3, 1}));
    entry("ones", VIEW("FloatStorage", "0", 6, 0, 3, {1, 6, 1}, {77, 1, 99}));
    archive_pickle_text(&pickle, "steps");
    put("K\3");
    archive_pickle_text(&pickle, "frozen");
    put("Nu.");
    dlg_safetensors *file = opened();
    assert_int_equal(dlg_safetensors_count(file), 7);
    assert_read(dlg_safetensors_find(file, "whole"), 6, six);
    assert_read(dlg_safetensors_find(file, "columns"), 6, columns);
    assert_read(dlg_safetensors_find(file, "odd"), 3, every_other);
    assert_read(dlg_safetensors_find(file, "expanded"), 2, same);
    assert_read(dlg_safetensors_find(file, "scalar"), 1, last);
    assert_read(dlg_safetensors_find(file, "ones"), 6, six);
    assert_null(dlg_tensor_borrow(dlg_safetensors_find(file, "columns")));
    assert_int_equal(dlg_safetensors_find(file, "empty")->n_items, 0);
    dlg_safetensors_close(file);
}

/* Wrapped as a Parameter, in an OrderedDict with attributes, one level down, as half floats and integers. */
static void other_containers(void **state)
{
    (void)state;
    static const dlg_real six[] = {1, 2, 3, 4, 5, 6};
    begin("}(");
    archive_pickle_text(&pickle, "state_dict");
    put("ccollections\nOrderedDict\n)R(");
    archive_pickle_text(&pickle, "w");
    put("ctorch._utils\n_rebuild_parameter\n");
    archive_view view = {"FloatStorage", "0", 6, 0, 1, {6}, {1}};
    archive_pickle_view(&pickle, &view);
    put("\x88"
        "ccollections\nOrderedDict\n)R\x87R");
    entry("half", VIEW("HalfStorage", "0", 12, 0, 1, {12}, {1}));
    entry("brain", VIEW("BFloat16Storage", "0", 12, 1, 1, {1}, {1}));
    entry("mask", VIEW("BoolStorage", "0", 24, 0, 1, {24}, {1}));
    put("u}");
    archive_pickle_text(&pickle, "_metadata");
    put("}sb");
    archive_pickle_text(&pickle, "epoch");
    put("K\1u.");
    dlg_safetensors *file = opened();
    dlg_real one;
    assert_read(dlg_safetensors_find(file, "w"), 6, six);
    assert_int_equal(dlg_safetensors_find(file, "half")->dtype, DLG_F16);
    assert_int_equal(dlg_safetensors_find(file, "mask")->dtype, DLG_I64);
    assert_int_equal(dlg_tensor_read(&one, dlg_safetensors_find(file, "brain"), "x.pt", NULL), DLG_OK);
    assert_true(one == 1); /* the upper half of a float is a bfloat16 */
    dlg_safetensors_close(file);
}

static void a_list_with_none(void **state)
{
    (void)state;
    static const dlg_real two[] = {2};
    archive_view view = {"FloatStorage", "0", 6, 0, 1, {1}, {1}};
    for (int is_tuple = 0; is_tuple < 2; is_tuple++) {
        begin(is_tuple ? "(" : "](");
        archive_pickle_view(&pickle, &view);
        put("N");
        view.offset = 1;
        archive_pickle_view(&pickle, &view);
        put(is_tuple ? "t." : "e.");
        dlg_safetensors *file = opened();
        assert_true(dlg_safetensors_is_nameless(file));
        assert_int_equal(dlg_safetensors_count(file), 3);
        assert_true(dlg_safetensors_at(file, 1)->is_none && !dlg_safetensors_at(file, 2)->is_none);
        assert_read(dlg_safetensors_at(file, 2), 1, two);
        dlg_safetensors_close(file);
    }
}

/* As of list(model.named_parameters()). */
static void a_list_of_pairs(void **state)
{
    (void)state;
    static const dlg_real two[] = {2};
    begin("](");
    entry("b", VIEW("FloatStorage", "0", 6, 1, 1, {1}, {1}));
    put("\x86");
    archive_pickle_text(&pickle, "frozen");
    put("N\x86");
    entry("a", VIEW("FloatStorage", "0", 6, 0, 1, {1}, {1}));
    put("\x86"
        "e.");
    dlg_safetensors *file = opened();
    assert_false(dlg_safetensors_is_nameless(file));
    assert_int_equal(dlg_safetensors_count(file), 2);
    assert_read(dlg_safetensors_find(file, "b"), 1, two);
    dlg_safetensors_close(file);
    dlg_error err = {0};
    begin("](");
    entry("b", VIEW("FloatStorage", "0", 6, 1, 1, {1}, {1}));
    put("\x86Ne.");
    assert_int_not_equal(dlg_safetensors_open(&file, written(), &err), DLG_OK);
    assert_non_null(strstr(err.message, "want pairs of a name and a tensor"));
}

static void assert_view_refused(archive_view view, const char *object)
{
    dlg_error err;
    dlg_safetensors *file;
    begin("}(");
    entry("w", view);
    put("u.");
    assert_refused(dlg_safetensors_open(&file, written(), &err), DLG_EFORMAT, &err, "x.pt", object);
    assert_null(file);
}

static void refused_views(void **state)
{
    (void)state;
    static const char beyond[] = "tensor \"w\": want it within its storage of 6 numbers, found it beyond";
    enum { MOST = 0x7fffffff };
    assert_view_refused(VIEW("FloatStorage", "0", 6, 1, 2, {2, 3}, {3, 1}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, 0, 2, {2, 3}, {4, 1}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, 6, 0, {0}, {0}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, 7, 1, {0}, {1}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, MOST, 1, {1}, {1}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, 0, 4, {MOST, MOST, 1, 1}, {MOST, MOST, 1, 1}), beyond);
    assert_view_refused(VIEW("FloatStorage", "0", 6, 0, 3, {MOST, MOST, MOST}, {0, 0, 0}), "a shape with a product");
    assert_view_refused(VIEW("FloatStorage", "0", 6, 0, 1, {(size_t)-1}, {1}), "an offset, a shape and strides");
    assert_view_refused(VIEW("FloatStorage", "0", 6, 0, 1, {2}, {(size_t)-1}), "an offset, a shape and strides");
    assert_view_refused(VIEW("FloatStorage", "0", 6, (size_t)-1, 1, {2}, {1}), "an offset, a shape and strides");
    assert_view_refused(VIEW("FloatStorage", "0", 7, 0, 1, {1}, {1}), "want 4 bytes for each of 7 numbers in member");
    assert_view_refused(VIEW("DoubleStorage", "0", 6, 0, 1, {1}, {1}), "want 8 bytes for each of 6 numbers in member");
    assert_view_refused(VIEW("FloatStorage", "1", 6, 0, 1, {1}, {1}), "in member x/data/1, found 0 bytes");
    assert_view_refused(VIEW("FloatStorage", "../0", 6, 0, 1, {1}, {1}), "in member x/data/../0, found 0 bytes");
    assert_view_refused(VIEW("QInt8Storage", "0", 6, 0, 1, {1}, {1}), "found torch.QInt8Storage");
    assert_view_refused(VIEW("FloatStorage",
                             "a key that is longer than any key that torch.save has ever given to a storage", 6, 0, 1,
                             {1}, {1}),
                        "the class, key and length of a storage");
}

static void refused_objects(void **state)
{
    (void)state;
    static const struct {
        const char *pickle, *object;
    } cases[] = {
        {"}.", "want one dict or list of tensors, found a dict without"},
        {"N.", "found None without"},
        {"].", "found a list without"},
        {"}X\1"
         "aXX",
         "want"},
        {"ctorch._utils\n_rebuild_tensor_v2\n)R.", "found torch._utils._rebuild_tensor_v2 without"},
        {"]ctorch._utils\n_rebuild_tensor_v2\n)Ra.", "tensor \"0\": want a storage"},
        {"]ctorch._utils\n_rebuild_parameter\n)Ra.", "tensor \"0\": want a tensor in its parameter"},
        {"](ctorch._utils\n_rebuild_parameter\n)RNK\1e.", "tensor \"0\": want a tensor in its parameter"},
        {"](ctorch._utils\n_rebuild_tensor_v2\n(NQNNNtRe.", "tensor \"0\": want a storage"},
        {"](ctorch._utils\n_rebuild_tensor_v2\n((NNNNNtQNNNtRe.", "want the class, key and length of a storage"},
        {"}(K\1ctorch._utils\n_rebuild_tensor_v2\n)Ru.",
         "want tensors by name, found torch._utils._rebuild_tensor_v2 by"},
        {"cos\nsystem\n)R.", "found os.system"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err;
        dlg_safetensors *file;
        begin(cases[i].pickle);
        assert_refused(dlg_safetensors_open(&file, written(), &err), DLG_EFORMAT, &err, "x.pt", cases[i].object);
    }
}

/* Two dicts of tensors in one; a name twice. */
static void which_one(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    begin("}(");
    for (int i = 0; i < 2; i++) {
        archive_pickle_text(&pickle, i ? "a" : "b");
        put("}(");
        entry("w", VIEW("FloatStorage", "0", 6, 0, 1, {1}, {1}));
        put("u");
    }
    put("u.");
    assert_refused(dlg_safetensors_open(&file, written(), &err), DLG_EFORMAT, &err, "x.pt", "or with several");
    begin("}(");
    for (int i = 0; i < 2; i++) entry("w", VIEW("FloatStorage", "0", 6, 0, 1, {1}, {1}));
    put("u.");
    assert_refused(dlg_safetensors_open(&file, written(), &err), DLG_EFORMAT, &err, "x.pt", "found it twice");
}

static void refused_archives(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *file;
    for (int i = 0; i < 4; i++) {
        static const char *const objects[] = {"want little-endian numbers", "x/data/0\": want it stored",
                                              "member \"x/data/0\": want bytes of checksum",
                                              "want a stored member NAME/data.pkl"};
        begin("}(");
        entry("w", VIEW("FloatStorage", "0", 6, 0, 1, {6}, {1}));
        put("u.");
        archive_add(&zip, "x/data.pkl", pickle.bytes, pickle.n, i == 3);
        archive_add(&zip, "x/byteorder", i == 0 ? "big" : "little", i == 0 ? 3 : 6, false);
        archive_add(&zip, "x/data/0", SIX, sizeof SIX, i == 1);
        if (i == 2) zip.file.bytes[zip.file.n - 1] ^= 1;
        archive_end(&zip, false);
        const char *path = scratch_file("x.pt", zip.file.bytes, zip.file.n);
        assert_refused(dlg_safetensors_open(&file, path, &err), DLG_EFORMAT, &err, "x.pt", objects[i]);
        assert_null(file);
    }
}

static dlg_status attempt(void *path, dlg_error *err)
{
    dlg_safetensors *file;
    dlg_real two[2];
    dlg_status status = dlg_safetensors_open(&file, path, err);
    if (!status) status = dlg_tensor_read(two, dlg_safetensors_at(file, 0), path, err);
    dlg_safetensors_close(file);
    return status;
}

static void out_of_memory(void **state)
{
    (void)state;
    begin("}(");
    entry("w", VIEW("FloatStorage", "0", 6, 0, 1, {2}, {3}));
    put("u.");
    assert_true(fail_every_allocation(attempt, (void *)(size_t)written()) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_of_one_storage),
        cmocka_unit_test(other_containers),
        cmocka_unit_test(a_list_with_none),
        cmocka_unit_test(a_list_of_pairs),
        cmocka_unit_test(refused_views),
        cmocka_unit_test(refused_objects),
        cmocka_unit_test(which_one),
        cmocka_unit_test(refused_archives),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
