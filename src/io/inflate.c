/* What zip members hold: inflated and checksummed by zlib. */
#include "io/zip.h"

#include "base/interrupt.h"

#include <zlib.h>

/** zlib counts in 32 bits, and an interrupt is to be heard. */
enum { AT_ONCE = 1 << 24 };

static uInt at_most(size_t n)
{
    return n < AT_ONCE ? (uInt)n : (uInt)AT_ONCE;
}

static dlg_status refuse_crc(const dlg_zip_member *member, const char *name, unsigned long found, dlg_error *err)
{
    return dlg_fail(err, DLG_EFORMAT, "%s: member \"%s\": want bytes of checksum %08x, found %08lx: it is damaged",
                    name, member->name, (unsigned)member->crc, found);
}

dlg_status dlg_zip_check(const dlg_zip_member *member, const char *name, dlg_error *err)
{
    uLong crc = crc32(0, NULL, 0);
    for (size_t at = 0; at < member->n_bytes;) {
        const dlg_status status = dlg_check_interrupt(err);
        if (status) return status;
        const uInt n = at_most(member->n_bytes - at);
        crc = crc32(crc, member->bytes + at, n);
        at += n;
    }
    return crc == member->crc ? DLG_OK : refuse_crc(member, name, crc, err);
}

/* n bytes more; *given of the member's have been handed to the stream so far. */
static dlg_status fill(z_stream *stream, size_t *given, unsigned char *out, size_t n, uLong *crc,
                       const dlg_zip_member *member, const char *name, dlg_error *err)
{
    for (size_t made = 0; made < n;) {
        const dlg_status status = dlg_check_interrupt(err);
        if (status) return status;
        if (!stream->avail_in) {
            stream->avail_in = at_most(member->n_stored - *given);
            stream->next_in = (unsigned char *)(size_t)(member->bytes + *given);
            *given += stream->avail_in;
        }
        const uInt room = at_most(n - made);
        stream->next_out = out + made;
        stream->avail_out = room;
        const int answer = inflate(stream, Z_NO_FLUSH);
        const uInt done = room - stream->avail_out;
        *crc = crc32(*crc, out + made, done);
        made += done;
        if (answer == Z_MEM_ERROR) return dlg_fail(err, DLG_ENOMEM, "%s: no memory to inflate %s", name, member->name);
        if (answer != Z_OK && !(answer == Z_STREAM_END && made == n))
            return dlg_fail(err, DLG_EFORMAT, "%s: member \"%s\": want %zu bytes deflated, found %s after %zu", name,
                            member->name, member->n_bytes, answer == Z_STREAM_END ? "their end" : "damage", made);
    }
    return DLG_OK;
}

/* Nothing may follow the last byte. */
static bool is_at_end(z_stream *stream)
{
    unsigned char more;
    stream->next_out = &more;
    stream->avail_out = 1;
    const int answer = inflate(stream, Z_NO_FLUSH);
    return (answer == Z_STREAM_END || answer == Z_BUF_ERROR) && stream->avail_out == 1;
}

dlg_status dlg_zip_inflate(unsigned char *head, size_t n_head, unsigned char *out, size_t n_out,
                           const dlg_zip_member *member, const char *name, dlg_error *err)
{
    z_stream stream = {0};
    size_t given = 0;
    uLong crc = crc32(0, NULL, 0);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return dlg_fail(err, DLG_ENOMEM, "%s: no memory to inflate %s", name, member->name);
    dlg_status status = fill(&stream, &given, head, n_head, &crc, member, name, err);
    if (!status) status = fill(&stream, &given, out, n_out, &crc, member, name, err);
    if (!status && n_head + n_out == member->n_bytes) {
        if (crc != member->crc) status = refuse_crc(member, name, crc, err);
        else if (!is_at_end(&stream))
            status = dlg_fail(err, DLG_EFORMAT, "%s: member \"%s\": want %zu bytes, found more", name, member->name,
                              member->n_bytes);
    }
    inflateEnd(&stream);
    return status;
}
