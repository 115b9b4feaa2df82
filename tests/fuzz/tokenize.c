/* Text into the tokenizer with the project's vocabulary. The first byte chooses the normalisation and where to
 * truncate. */
#include "base/memory.h"
#include "tokenizer/tokenizer.h"
#include "vocab/vocabulary.h"

#include <stdlib.h>
#include <string.h>

static const dlg_tokenizer *tokenizer_for(unsigned flags)
{
    static dlg_tokenizer *tokenizers[8];
    flags %= 8;
    if (!tokenizers[flags]) {
        size_t n_bytes;
        const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
        const dlg_normalisation how = {.lower_case = flags & 1, .strip_accents = flags & 2, .split_cjk = flags & 4};
        if (dlg_tokenizer_create(&tokenizers[flags], "built-in", vocabulary, n_bytes, how, NULL)) abort();
    }
    return tokenizers[flags];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    const dlg_tokenizer *t = tokenizer_for(data[0]);
    const char *text = (const char *)data + 1;
    const size_t max_tokens = 2 + data[0] / 8;
    dlg_tokens whole = {0}, cut = {0};
    size_t full = 0;
    const dlg_status status = dlg_tokenizer_encode(t, &whole, text, size - 1, true, 0, &full, NULL);
    if (status != dlg_tokenizer_encode(t, &cut, text, size - 1, true, max_tokens, NULL, NULL)) abort();
    if (!status) {
        /* Truncation keeps the beginning and [SEP]; no id is beyond the vocabulary. */
        if (full != whole.n || cut.n != (full < max_tokens ? full : max_tokens)) abort();
        if (memcmp(whole.ids, cut.ids, (cut.n - 1) * sizeof *cut.ids) != 0 ||
            cut.ids[cut.n - 1] != whole.ids[whole.n - 1])
            abort();
        for (size_t i = 0; i < whole.n; i++)
            if (whole.ids[i] >= dlg_tokenizer_size(t)) abort();
        char *decoded = dlg_tokenizer_decode(t, whole.ids, whole.n, data[0] & 8);
        if (!decoded) abort();
        dlg_free(decoded);
    }
    dlg_tokens_release(&whole);
    dlg_tokens_release(&cut);
    return 0;
}
