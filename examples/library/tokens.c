/* What a model reads of a sentence. Compile: cc tokens.c -o tokens $(pkg-config --cflags --libs dlg-text) */
#include <stdio.h>
#include <string.h>
#include <tokenizer/tokenizer.h>
#include <vocab/vocabulary.h>

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "We invite submissions.";
    size_t n_bytes;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    dlg_tokenizer *tokenizer = NULL;
    dlg_tokens tokens = {0};
    dlg_error err = {0};
    dlg_status status = dlg_tokenizer_create(&tokenizer, "built-in vocabulary", vocabulary, n_bytes, DLG_UNCASED, &err);
    if (!status) status = dlg_tokenizer_encode(tokenizer, &tokens, text, strlen(text), true, 0, NULL, &err);
    for (size_t i = 0; i < tokens.n; i++)
        printf("%5u %s\n", tokens.ids[i], dlg_tokenizer_piece(tokenizer, tokens.ids[i]));
    if (status) fprintf(stderr, "%s\n", err.message);
    dlg_tokens_release(&tokens);
    dlg_tokenizer_close(tokenizer);
    return status != DLG_OK;
}
