/*
 * torch.save's files: the bytes as they are, whatever format they say they are of, and as the pickle of an archive with
 * two storages, which no checksum hides. Every tensor of one that is accepted is read.
 */
#include "try_contents.h"

#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char numbers[48] = {0};
    static const unsigned char none;
    const uint8_t *pickle = size ? data : &none;
    dlg_zip_member members[] = {{"x/data.pkl", pickle, size, size, false, (uint32_t)crc32(0, pickle, (uInt)size)},
                                {"x/data/0", numbers, 48, 48, false, (uint32_t)crc32(0, numbers, 48)},
                                {"x/data/1", numbers, 24, 24, false, (uint32_t)crc32(0, numbers, 24)}};
    const dlg_zip zip = {.n_members = 3, .members = members};
    dlg_contents contents;
    dlg_error err;
    try_contents(dlg_read_any(&contents, "input", data, size, "", &err), &contents, &err);
    try_contents(dlg_read_pt(&contents, "input", &zip, &err), &contents, &err);
    return 0;
}
