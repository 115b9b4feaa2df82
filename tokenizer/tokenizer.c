#include "tokenizer/tokenizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/decode.h"
#include "tokenizer/split.h"
#include "tokenizer/vocabulary.h"

struct dlg_tokenizer {
    dlg_vocabulary vocabulary;
    dlg_split_rules rules;
};

static dlg_status create(dlg_tokenizer **out, const char *name, const void *bytes, size_t n_bytes, bool json,
                         dlg_normalisation how, dlg_error *err)
{
    *out = NULL;
    dlg_tokenizer *t = dlg_allocate(1, sizeof *t);
    if (!t) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", name);
    const dlg_status status = json ? dlg_vocabulary_read_json(&t->vocabulary, &how, name, bytes, n_bytes, err)
                                   : dlg_vocabulary_read_lines(&t->vocabulary, name, bytes, n_bytes, err);
    if (status) {
        dlg_tokenizer_close(t);
        return status;
    }
    dlg_split_rules_set(&t->rules, how);
    *out = t;
    return DLG_OK;
}

dlg_status dlg_tokenizer_create(dlg_tokenizer **out, const char *name, const void *vocabulary, size_t n_bytes,
                                dlg_normalisation how, dlg_error *err)
{
    return create(out, name, vocabulary, n_bytes, false, how, err);
}

dlg_status dlg_tokenizer_create_json(dlg_tokenizer **out, const char *name, const void *json, size_t n_bytes,
                                     dlg_error *err)
{
    return create(out, name, json, n_bytes, true, DLG_UNCASED, err);
}

dlg_status dlg_tokenizer_open(dlg_tokenizer **out, const char *path, dlg_normalisation how, dlg_error *err)
{
    dlg_file file;
    *out = NULL;
    dlg_status status = dlg_file_open(&file, path, err);
    if (!status) status = dlg_tokenizer_create(out, path, file.bytes, file.n_bytes, how, err);
    dlg_file_close(&file);
    return status;
}

dlg_status dlg_tokenizer_open_json(dlg_tokenizer **out, const char *path, dlg_error *err)
{
    dlg_file file;
    *out = NULL;
    dlg_status status = dlg_file_open(&file, path, err);
    if (!status) status = dlg_tokenizer_create_json(out, path, file.bytes, file.n_bytes, err);
    dlg_file_close(&file);
    return status;
}

void dlg_tokenizer_close(dlg_tokenizer *t)
{
    if (!t) return;
    dlg_vocabulary_release(&t->vocabulary);
    dlg_free(t);
}

size_t dlg_tokenizer_size(const dlg_tokenizer *t)
{
    return t->vocabulary.n_pieces;
}

dlg_special_tokens dlg_tokenizer_special(const dlg_tokenizer *t)
{
    return t->vocabulary.special;
}

dlg_normalisation dlg_tokenizer_normalisation(const dlg_tokenizer *t)
{
    return t->rules.how;
}

const char *dlg_tokenizer_piece(const dlg_tokenizer *t, dlg_token id)
{
    return id < t->vocabulary.n_pieces ? t->vocabulary.text + t->vocabulary.starts[id] : NULL;
}

void dlg_tokens_release(dlg_tokens *tokens)
{
    dlg_free(tokens->ids);
    *tokens = (dlg_tokens){0};
}

static dlg_status reserve(dlg_tokens *tokens, size_t n_more, dlg_error *err)
{
    if (tokens->capacity - tokens->n >= n_more) return DLG_OK;
    const size_t capacity = 2 * tokens->capacity + n_more; /* ids of text in memory: far from overflow */
    dlg_token *ids = dlg_reallocate(tokens->ids, tokens->n, capacity, sizeof *ids);
    if (!ids) return dlg_fail(err, DLG_ENOMEM, "text: no memory for %zu tokens", capacity);
    tokens->ids = ids;
    tokens->capacity = capacity;
    return DLG_OK;
}

/* Append what a word becomes; there is room for as many ids as it has bytes. */
static void encode_word(const dlg_vocabulary *v, const dlg_split *word, dlg_tokens *out)
{
    const size_t n = word->n_characters > DLG_MAX_WORD_CHARACTERS
                         ? 0
                         : dlg_wordpiece(v, word->word, word->n_word, out->ids + out->n);
    if (!n) out->ids[out->n] = v->special.unknown;
    out->n += n ? n : 1;
}

dlg_status dlg_tokenizer_encode(const dlg_tokenizer *t, dlg_tokens *out, const char *text, size_t n_bytes, bool special,
                                size_t max_tokens, size_t *full_length, dlg_error *err)
{
    const dlg_vocabulary *v = &t->vocabulary;
    const dlg_token named[DLG_N_SPECIAL] = {v->special.pad, v->special.unknown, v->special.begin, v->special.end,
                                            v->special.mask};
    dlg_split split;
    dlg_split_event event;
    out->n = 0;
    if (special && max_tokens == 1)
        return dlg_fail(err, DLG_EARG, "text: want room for [CLS] and [SEP], found room for one token");
    dlg_split_start(&split, &t->rules, text, n_bytes);
    dlg_status status = reserve(out, 16, err); /* at least room for [CLS] and [SEP] */
    if (!status && special) out->ids[out->n++] = v->special.begin;
    while (!status && (event = dlg_split_next(&split)) != DLG_SPLIT_END) {
        if (event == DLG_SPLIT_NOT_UTF8) {
            status = dlg_fail(err, DLG_EFORMAT, "text: byte %zu: want UTF-8, found 0x%02x", split.at,
                              (unsigned)(unsigned char)text[split.at]);
        } else if (!(status = reserve(out, split.n_word + 2, err))) { /* one more for [UNK], one for [SEP] */
            if (event == DLG_SPLIT_SPECIAL) out->ids[out->n++] = named[split.special];
            else encode_word(v, &split, out);
        }
    }
    if (status) {
        out->n = 0;
        return status;
    }
    const size_t length = out->n + (special ? 1 : 0);
    if (full_length) *full_length = length;
    if (max_tokens && length > max_tokens) out->n = max_tokens - (special ? 1 : 0);
    if (special) out->ids[out->n++] = v->special.end;
    return DLG_OK;
}

char *dlg_tokenizer_decode(const dlg_tokenizer *t, const dlg_token *ids, size_t n, bool skip_special)
{
    return dlg_decode(&t->vocabulary, ids, n, skip_special);
}
