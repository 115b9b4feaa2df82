/*
 * numpy's files: the bytes as they are, whatever format they say they are of, and as a .npy, whose header no checksum
 * hides. Every tensor of one that is accepted is read.
 */
#include "try_contents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_contents contents;
    dlg_error err;
    try_contents(dlg_read_any(&contents, "input", data, size, "", &err), &contents, &err);
    try_contents(dlg_read_npy(&contents, "input", data, size, &err), &contents, &err);
    return 0;
}
