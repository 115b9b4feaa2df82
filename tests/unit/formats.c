/** Files that are no tensors' are told what they are, and what to do; models in every file that they come in. */
#include "io/safetensors.h"

#include "archive.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define CASE(bytes, object)                                                                                            \
    {                                                                                                                  \
        bytes, sizeof bytes - 1, object                                                                                \
    }

static void known_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *object;
    } cases[] = {
        CASE("", "want tensors, found an empty file"),
        CASE("\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e.\x80\2",
             "found a file of torch.save before version 1.6"),
        CASE("\x80\2}q\0.", "found a pickle, a program which is not run; in Python, safetensors.torch.save_file("),
        CASE("\x80\4\x95\0\0\0\0\0\0\0\0}.", "found a pickle"),
        CASE("\x80\5\x95\0\0\0\0\0\0\0\0}.", "found a pickle"),
        CASE("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "found a pointer of Git LFS"),
        CASE("\x89HDF\r\n\x1a\n\0\0\0\0", "found HDF5, as Keras writes"),
        CASE("GGUF\3\0\0\0", "found GGUF"),
        CASE("\x1f\x8b\x08\0\0\0\0\0\0\3", "found a gzip file; unpack it first"),
        CASE("BZh91AY&SY", "found a bzip2 file"),
        CASE("\xfd"
             "7zXZ\0\0\4",
             "found an xz file"),
        CASE("\x28\xb5\x2f\xfd\x24\0\1\0\0", "found a zstd file"),
        CASE("\x83\xa4"
             "bert\x81\xa1"
             "a\x90",
             "found msgpack, as Flax writes"),
        CASE("\xde\0\x20\xa4"
             "bert",
             "found msgpack"),
        CASE("{\"weight_map\": {}}", "found JSON"),
        CASE("[1, 2, 3]", "found JSON"),
        CASE("\n<!DOCTYPE html>\n<html>", "found a web page"),
        CASE("<html><body>", "found a web page"),
        CASE("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "found a zip archive with neither .npy nor data.pkl in it"),
        CASE("no tensors at all", "want safetensors, with a header of at most"),
        CASE("1234567", "want safetensors, which begin with 8 bytes"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_error err;
        dlg_safetensors *file;
        const char *path = scratch_file("x.g", cases[i].bytes, cases[i].n);
        assert_refused(dlg_safetensors_open(&file, path, &err), DLG_EFORMAT, &err, path, cases[i].object);
        assert_null(file);
    }
    static char long_file[600];
    dlg_error err;
    dlg_safetensors *file;
    memset(long_file, 'x', sizeof long_file);
    memcpy(long_file + 257, "ustar", 5);
    assert_refused(dlg_safetensors_open(&file, scratch_file("x.g", long_file, 600), &err), DLG_EFORMAT, &err, "x.g",
                   "found a tar archive");
    memcpy(long_file + 257, "xxxxx", 5);
    memcpy(long_file + 592, "\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
    assert_refused(dlg_safetensors_open(&file, scratch_file("x.g", long_file, 600), &err), DLG_EFORMAT, &err, "x.g",
                   "found an index of a TensorFlow checkpoint");
}

static const float ONE = 1;

/* A .pt of one number by one name. */
static void write_pt(const char *file, const char *name)
{
    static archive zip;
    static archive_bytes pickle;
    const archive_view view = {
        .class_name = "FloatStorage", .key = "0", .n = 1, .n_dims = 1, .shape = {1}, .strides = {1}};
    memset(&zip, 0, sizeof zip);
    pickle.n = 0;
    archive_put(&pickle, "\x80\2}", 3);
    archive_pickle_text(&pickle, name);
    archive_pickle_view(&pickle, &view);
    archive_put(&pickle, "s.", 2);
    archive_add(&zip, "archive/data.pkl", pickle.bytes, pickle.n, false);
    archive_add(&zip, "archive/data/0", &ONE, sizeof ONE, false);
    archive_end(&zip, false);
    scratch_file(file, zip.file.bytes, zip.file.n);
}

static void models(void **state)
{
    (void)state;
    dlg_error err;
    dlg_safetensors *set;
    unlink(scratch_path("x.g"));
    scratch_file("flax_model.msgpack",
                 "\x81\xa1"
                 "a\x90",
                 4);
    assert_refused(dlg_safetensors_open_directory(&set, scratch_directory(), &err), DLG_EFORMAT, &err,
                   "flax_model.msgpack", "found msgpack, as Flax writes; in Python, model.save_pretrained(");
    write_pt("one.bin", "a");
    write_pt("two.bin", "b");
    scratch_text("pytorch_model.bin.index.json", "{\"weight_map\":{\"a\":\"one.bin\",\"b\":\"two.bin\"}}");
    if (dlg_safetensors_open_directory(&set, scratch_directory(), &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_safetensors_count(set), 2);
    assert_non_null(dlg_safetensors_find(set, "b"));
    dlg_safetensors_close(set);
    write_pt("pytorch_model.bin", "c"); /* where there is one file it is what counts */
    if (dlg_safetensors_open_directory(&set, scratch_directory(), &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_safetensors_count(set), 1);
    assert_non_null(dlg_safetensors_find(set, "c"));
    dlg_safetensors_close(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_by_name), cmocka_unit_test(models)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
