/** Fingerprints: whether two blocks of bytes are the same, not who wrote them. */
#ifndef DLG_BASE_HASH_H
#define DLG_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/**
 * XXH3's 64 bits, the same on every machine. Of several blocks: the one's hash is the next one's seed. bytes may be
 * NULL where n_bytes is 0.
 */
uint64_t dlg_hash(const void *bytes, size_t n_bytes, uint64_t seed);

#endif
