/*
 * The formats of tensors: how a file's first bytes tell which it is, and who reads it. Another one is a reader in a
 * file of its own and a line here. What is not read is known all the same, so that who has it is told what it is.
 */
#include "io/contents.h"

#include <string.h>

/** One format. No reader: it is refused. */
typedef struct {
    size_t n_magic, offset;
    const char *magic;                /**< what it has at offset; NULL: */
    bool (*is)(const char *, size_t); /**< the same as a function */
    dlg_reader *read;
    const char *member;       /**< of a zip archive: it has a member that ends in this */
    dlg_zip_reader *read_zip; /**< and is read by this */
    const char *what;         /**< it is refused as this */
    const char *remedy;       /**< what to do instead; NULL: the line of Python that the caller names */
} format;

/* Text has no NUL, with which a short length begins. */
static bool is_text(const char *bytes, size_t n)
{
    return !memchr(bytes, 0, n < 8 ? n : 8);
}

static bool is_json(const char *bytes, size_t n)
{
    return n && (*bytes == '{' || *bytes == '[') && is_text(bytes, n);
}

static bool is_web_page(const char *bytes, size_t n)
{
    while (n && (*bytes == ' ' || *bytes == '\n' || *bytes == '\r' || *bytes == '\t')) bytes++, n--;
    return n > 1 && *bytes == '<' && (bytes[1] == '!' || bytes[1] == '?' || bytes[1] == 'h' || bytes[1] == 'H') &&
           is_text(bytes, n);
}

/* A map whose first key is a string. */
static bool is_msgpack(const char *bytes, size_t n)
{
    const unsigned map = n > 3 ? (unsigned char)bytes[0] : 0, key = (unsigned char)bytes[map == 0xde ? 3 : n > 1];
    return ((map > 0x80 && map <= 0x8f) || map == 0xde) && (key >> 5 == 5 || key == 0xd9);
}

/* An index of TensorFlow's checkpoints, a table of LevelDB, has its mark at the end. */
static bool is_tensorflow_index(const char *bytes, size_t n)
{
    return n >= 48 && !memcmp(bytes + n - 8, "\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
}

#define MAGIC(text) .magic = (text), .n_magic = sizeof(text) - 1
#define UNPACK "unpack it first"

static const format formats[] = {
    {MAGIC("\x93NUMPY"), .read = dlg_read_npy},
    {MAGIC("PK\3\4"), .member = "/data.pkl", .read_zip = dlg_read_pt},
    {MAGIC("PK\3\4"), .member = ".npy", .read_zip = dlg_read_npz},
    {MAGIC("PK"), .what = "a zip archive with neither .npy nor data.pkl in it", .remedy = UNPACK},
    {MAGIC("\x80\2\x8a\n\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e"),
     .what = "a file of torch.save before version 1.6, which is not a zip archive",
     .remedy = "torch.save(torch.load(FILE, map_location=\"cpu\", weights_only=True), FILE) writes it anew"},
    {MAGIC("\x80\2"), .what = "a pickle, a program which is not run"},
    {MAGIC("\x80\3"), .what = "a pickle, a program which is not run"},
    {MAGIC("\x80\4\x95"), .what = "a pickle, a program which is not run"},
    {MAGIC("\x80\5\x95"), .what = "a pickle, a program which is not run"},
    {MAGIC("version https://git-lfs"), .what = "a pointer of Git LFS to the file", .remedy = "git lfs pull fetches it"},
    {MAGIC("\x89HDF\r\n\x1a\n"), .what = "HDF5, as Keras writes"},
    {MAGIC("GGUF"), .what = "GGUF, as llama.cpp writes"},
    {MAGIC("\x1f\x8b"), .what = "a gzip file", .remedy = UNPACK},
    {MAGIC("BZh"), .what = "a bzip2 file", .remedy = UNPACK},
    {MAGIC("\xfd"
           "7zXZ"),
     .what = "an xz file", .remedy = UNPACK},
    {MAGIC("\x28\xb5\x2f\xfd"), .what = "a zstd file", .remedy = UNPACK},
    {MAGIC("ustar"), .offset = 257, .what = "a tar archive", .remedy = UNPACK},
    {.is = is_tensorflow_index, .what = "an index of a TensorFlow checkpoint"},
    {.is = is_msgpack, .what = "msgpack, as Flax writes"},
    {.is = is_json, .what = "JSON"},
    {.is = is_web_page, .what = "a web page", .remedy = "the download asked for something else"},
};

/* Its length, and a header that begins with a brace. */
static bool is_safetensors(const unsigned char *bytes, size_t n)
{
    return n > 8 && bytes[8] == '{' && !bytes[4] && !bytes[5] && !bytes[6] && !bytes[7];
}

static bool is_of(const format *f, const unsigned char *bytes, size_t n)
{
    if (f->is) return f->is((const char *)bytes, n);
    return n >= f->offset + f->n_magic && !memcmp(bytes + f->offset, f->magic, f->n_magic);
}

static bool has_member(const dlg_zip *zip, const char *ending)
{
    for (size_t i = 0; i < zip->n_members; i++) {
        const size_t n = strlen(zip->members[i].name);
        if (n >= strlen(ending) && !strcmp(zip->members[i].name + n - strlen(ending), ending)) return true;
    }
    return false;
}

dlg_status dlg_read_any(dlg_contents *out, const char *name, const unsigned char *bytes, size_t n_bytes,
                        const char *remedy, dlg_error *err)
{
    dlg_zip zip = {0};
    dlg_status status = DLG_OK;
    const format *f = formats, *end = formats + sizeof formats / sizeof *formats;
    *out = (dlg_contents){0};
    if (!n_bytes) return dlg_fail(err, DLG_EFORMAT, "%s: want tensors, found an empty file", name);
    if (is_safetensors(bytes, n_bytes)) return dlg_read_safetensors(out, name, bytes, n_bytes, err);
    for (; f < end && !status; f++) {
        if (!is_of(f, bytes, n_bytes)) continue;
        if (f->member && !zip.members) status = dlg_zip_open(&zip, name, bytes, n_bytes, err);
        if (!status && (!f->member || has_member(&zip, f->member))) break;
    }
    if (status) return status;
    if (f == end) status = dlg_read_safetensors(out, name, bytes, n_bytes, err); /* and says what is wrong with it */
    else if (f->read_zip) status = f->read_zip(out, name, &zip, err);
    else if (f->read) status = f->read(out, name, bytes, n_bytes, err);
    else
        status = dlg_fail(err, DLG_EFORMAT, "%s: want safetensors, .pt, .npz or .npy, found %s; %s", name, f->what,
                          f->remedy ? f->remedy : remedy);
    dlg_zip_release(&zip);
    return status;
}
