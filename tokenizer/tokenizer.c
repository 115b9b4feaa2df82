#include "tokenizer/tokenizer.h"

#include "base/file.h"
#include "base/memory.h"
#include "tokenizer/decode.h"
#include "tokenizer/match.h"
#include "tokenizer/normalise.h"
#include "tokenizer/parts.h"
#include "tokenizer/split.h"

struct dlg_tokenizer {
    dlg_vocabulary vocabulary;
    dlg_matcher written, normalised; /* added tokens, by what they are looked for in */
    dlg_split_rules rules, plain;    /* plain: of text that is normalised */
};

void dlg_parts_release(dlg_tokenizer_parts *parts)
{
    dlg_vocabulary_release(&parts->vocabulary);
    dlg_added_release(&parts->added);
}

dlg_status dlg_tokenizer_assemble(dlg_tokenizer **out, dlg_tokenizer_parts *parts, const char *name, dlg_error *err)
{
    const dlg_normalisation how = parts->how;
    dlg_tokenizer *t = dlg_allocate(1, sizeof *t);
    dlg_status status = t ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "%s: no memory", name);
    if (!status) status = dlg_added_settle(&parts->added, &parts->vocabulary, name, err);
    if (!status) status = dlg_matcher_create(&t->written, &parts->added, false, how, name, err);
    if (!status) status = dlg_matcher_create(&t->normalised, &parts->added, true, how, name, err);
    if (!status) {
        t->vocabulary = parts->vocabulary;
        parts->vocabulary = (dlg_vocabulary){0};
        dlg_split_rules_set(&t->rules, how);
        dlg_split_rules_set(&t->plain, (dlg_normalisation){.lower_case = false});
    } else {
        dlg_tokenizer_close(t);
    }
    dlg_parts_release(parts);
    *out = status ? NULL : t;
    return status;
}

dlg_status dlg_tokenizer_create(dlg_tokenizer **out, const char *name, const void *vocabulary, size_t n_bytes,
                                dlg_normalisation how, dlg_error *err)
{
    dlg_tokenizer_parts parts = {.how = how};
    const dlg_status status = dlg_vocabulary_read_lines(&parts.vocabulary, name, vocabulary, n_bytes, err);
    *out = NULL;
    if (!status) return dlg_tokenizer_assemble(out, &parts, name, err);
    dlg_parts_release(&parts);
    return status;
}

dlg_status dlg_tokenizer_create_json(dlg_tokenizer **out, const char *name, const void *json, size_t n_bytes,
                                     dlg_error *err)
{
    dlg_tokenizer_parts parts = {.how = DLG_UNCASED};
    const dlg_status status = dlg_parts_read_json(&parts, name, json, n_bytes, err);
    *out = NULL;
    if (!status) return dlg_tokenizer_assemble(out, &parts, name, err);
    dlg_parts_release(&parts);
    return status;
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
    dlg_matcher_release(&t->written);
    dlg_matcher_release(&t->normalised);
    dlg_free(t);
}

size_t dlg_tokenizer_size(const dlg_tokenizer *t)
{
    return t->vocabulary.n_pieces;
}

dlg_status dlg_tokenizer_pad(dlg_tokenizer *t, const char *name, size_t n, dlg_error *err)
{
    return dlg_vocabulary_pad(&t->vocabulary, name, n, err);
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
    return id < t->vocabulary.n_pieces ? dlg_vocabulary_piece(&t->vocabulary, id) : NULL;
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

/* A text on its way to ids; `text` is all of it, for messages. */
typedef struct {
    const dlg_tokenizer *tokenizer;
    const char *text;
    dlg_tokens *out;
    dlg_error *err;
} encoder;

static dlg_status refuse_byte(const encoder *e, size_t at)
{
    return dlg_fail(e->err, DLG_EFORMAT, "text: byte %zu: want UTF-8, found 0x%02x", at,
                    (unsigned)(unsigned char)e->text[at]);
}

static dlg_status encode_words(const encoder *e, const dlg_split_rules *rules, const char *text, size_t n_bytes)
{
    dlg_split split;
    dlg_split_event event;
    dlg_status status = DLG_OK;
    dlg_split_start(&split, rules, text, n_bytes);
    while (!status && (event = dlg_split_next(&split)) != DLG_SPLIT_END) {
        if (event == DLG_SPLIT_NOT_UTF8) return refuse_byte(e, (size_t)(text - e->text) + split.at);
        status = reserve(e->out, split.n_word + 2, e->err); /* one more for [UNK], one for [SEP] */
        if (!status) encode_word(&e->tokenizer->vocabulary, &split, e->out);
    }
    return status;
}

typedef dlg_status encode_rest(const encoder *, const char *text, size_t n_bytes);

/* The tokens that a matcher finds, and what is between them by `rest`. */
static dlg_status encode_matches(const encoder *e, const dlg_matcher *matcher, encode_rest *rest, const char *text,
                                 size_t n_bytes)
{
    dlg_status status = DLG_OK;
    dlg_token id;
    size_t at = 0, from = 0, start;
    while (!status && dlg_matcher_next(matcher, text, n_bytes, &at, &start, &id)) {
        if (start > from) status = rest(e, text + from, start - from);
        if (!status) status = reserve(e->out, 2, e->err);
        if (!status) e->out->ids[e->out->n++] = id;
        from = at;
    }
    return status || from == n_bytes ? status : rest(e, text + from, n_bytes - from);
}

static dlg_status encode_plain(const encoder *e, const char *text, size_t n_bytes)
{
    return encode_words(e, &e->tokenizer->plain, text, n_bytes);
}

/* Text without tokens that are looked for in it as it was written. */
static dlg_status encode_part(const encoder *e, const char *text, size_t n_bytes)
{
    const dlg_tokenizer *t = e->tokenizer;
    char *normalised;
    size_t n_normalised, at;
    if (!t->normalised.n) return encode_words(e, &t->rules, text, n_bytes);
    dlg_status status = dlg_normalise(&normalised, &n_normalised, t->rules.how, text, n_bytes, &at);
    if (status == DLG_EFORMAT) return refuse_byte(e, (size_t)(text - e->text) + at);
    if (status) return dlg_fail(e->err, status, "text: no memory for its %zu bytes", n_bytes);
    status = encode_matches(e, &t->normalised, encode_plain, normalised, n_normalised);
    dlg_free(normalised);
    return status;
}

dlg_status dlg_tokenizer_encode(const dlg_tokenizer *t, dlg_tokens *out, const char *text, size_t n_bytes, bool special,
                                size_t max_tokens, size_t *full_length, dlg_error *err)
{
    const dlg_vocabulary *v = &t->vocabulary;
    const encoder e = {t, text, out, err};
    out->n = 0;
    if (special && max_tokens == 1)
        return dlg_fail(err, DLG_EARG, "text: want room for [CLS] and [SEP], found room for one token");
    dlg_status status = reserve(out, 16, err); /* at least room for [CLS] and [SEP] */
    if (!status && special) out->ids[out->n++] = v->special.begin;
    if (!status) status = encode_matches(&e, &t->written, encode_part, text, n_bytes);
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

char *dlg_tokenizer_decode_sentence(const dlg_tokenizer *t, const dlg_token *ids, size_t n)
{
    const dlg_special_tokens special = t->vocabulary.special;
    const size_t begin = dlg_special_tokens_begin(special, ids, n);
    return dlg_decode(&t->vocabulary, ids + begin, dlg_special_tokens_end(special, ids, n) - begin, false);
}
