#include "base/hash.h"

#include <xxhash.h>

uint64_t dlg_hash(const void *bytes, size_t n_bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, n_bytes, seed);
}
