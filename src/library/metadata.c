#include "library/metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

dlg_status dlg_metadata_whole(uint64_t *out, const dlg_safetensors *file, const char *key, uint64_t lowest,
                              uint64_t highest, const char *want, dlg_error *err)
{
    const char *text = dlg_safetensors_metadata(file, key);
    if (!text) return DLG_OK;
    /* strtoull would also take blanks, signs (and wrap), and nothing at all. */
    const bool is_whole = *text && !text[strspn(text, "0123456789")];
    errno = 0;
    const unsigned long long value = is_whole ? strtoull(text, NULL, 10) : 0;
    if (!is_whole || errno || value < lowest || value > highest)
        return dlg_fail(err, DLG_EFORMAT, "%s: metadata %s: want %s, found \"%.60s\"", dlg_safetensors_path(file), key,
                        want, text);
    *out = value;
    return DLG_OK;
}
