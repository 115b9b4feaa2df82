/* A vocab.txt from a stranger. */
#include "try_vocabulary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_tokenizer *t;
    dlg_error err;
    if (!dlg_tokenizer_create(&t, "vocab.txt", data, size, size % 2 ? DLG_UNCASED : DLG_CASED, &err)) try_vocabulary(t);
    else if (t) abort();
    return 0;
}
