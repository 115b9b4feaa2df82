/* A tokenizer.json from a stranger. */
#include "try_vocabulary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_tokenizer *t;
    dlg_error err;
    if (!dlg_tokenizer_create_json(&t, "tokenizer.json", data, size, &err)) try_vocabulary(t);
    else if (t) abort();
    return 0;
}
