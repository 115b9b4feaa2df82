/* Files of a stranger that add tokens to a vocabulary. The first byte says which of them the JSON behind it is. */
#include "base/json.h"
#include "tokenizer/parts.h"
#include "try_vocabulary.h"

static const char LINES[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\n##b\n\na\n";

static dlg_status read(dlg_added *added, unsigned char which, const cJSON *root, dlg_error *err)
{
    switch (which % 4) {
    case 0: return dlg_added_read_list(added, "input", root, err);
    case 1: return dlg_added_read_decoder(added, "input", root, err);
    case 2: return dlg_added_read_special(added, "input", root, err);
    default: return cJSON_IsObject(root) ? dlg_added_read_ids(added, "input", root, err) : DLG_OK;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    dlg_tokenizer *t = NULL;
    dlg_tokenizer_parts parts = {.how = size % 2 ? DLG_UNCASED : DLG_CASED};
    dlg_error err;
    cJSON *root;
    if (!size || dlg_json_parse(&root, "input", data + 1, size - 1, &err)) return 0;
    dlg_status status = dlg_vocabulary_read_lines(&parts.vocabulary, "lines", LINES, sizeof LINES - 1, &err);
    if (status) abort();
    status = read(&parts.added, data[0], root, &err);
    if (status) dlg_parts_release(&parts);
    else status = dlg_tokenizer_assemble(&t, &parts, "input", &err);
    if (!status) try_vocabulary(t);
    else if (t || status != err.status || strncmp(err.message, "input: ", 7) != 0) abort();
    cJSON_Delete(root);
    return 0;
}
