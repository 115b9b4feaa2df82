/*
 * tokenizer_ids VOCABULARY uncased|cased|json|directory: encodes what tokenizer_against_hf.py sends and prints the ids.
 * Both directions are little-endian 32-bit numbers: a text's length and its bytes in; how many ids, and those, out.
 * 2^32 - 1 ids: refused.
 */
#include "base/memory.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dlg_status open_tokenizer(dlg_tokenizer **out, const char *path, const char *kind, dlg_error *err)
{
    if (!strcmp(kind, "json")) return dlg_tokenizer_open_json(out, path, err);
    if (!strcmp(kind, "directory")) return dlg_tokenizer_open_directory(out, path, err);
    return dlg_tokenizer_open(out, path, strcmp(kind, "cased") ? DLG_UNCASED : DLG_CASED, err);
}

int main(int argc, char **argv)
{
    dlg_tokenizer *tokenizer;
    dlg_tokens tokens = {0};
    dlg_error err;
    uint32_t n_bytes, n_ids;
    char *text = NULL;
    if (argc != 3 || open_tokenizer(&tokenizer, argv[1], argv[2], &err)) {
        fprintf(stderr, "%s\n",
                argc == 3 ? err.message : "usage: tokenizer_ids VOCABULARY uncased|cased|json|directory");
        return EXIT_FAILURE;
    }
    while (fread(&n_bytes, sizeof n_bytes, 1, stdin) == 1) {
        dlg_free(text);
        text = dlg_allocate(n_bytes, 1);
        if (!text || fread(text, 1, n_bytes, stdin) != n_bytes) return EXIT_FAILURE;
        const bool refused = dlg_tokenizer_encode(tokenizer, &tokens, text, n_bytes, true, 0, NULL, &err) != DLG_OK;
        n_ids = refused ? UINT32_MAX : (uint32_t)tokens.n;
        fwrite(&n_ids, sizeof n_ids, 1, stdout);
        fwrite(tokens.ids, sizeof *tokens.ids, refused ? 0 : tokens.n, stdout);
    }
    dlg_free(text);
    dlg_tokens_release(&tokens);
    dlg_tokenizer_close(tokenizer);
    return fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
