/* tokenizer.json as Hugging Face's `tokenizers` writes it for BERT. What it asks for beyond that is refused by name. */
#include "base/json.h"
#include "base/memory.h"
#include "tokenizer/parts.h"
#include "tokenizer/split.h"

#include <string.h>

typedef struct {
    const char *name;
    dlg_error *err;
} reader;

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool is_absent(const cJSON *item)
{
    return !item || cJSON_IsNull(item);
}

static bool is_string(const cJSON *item, const char *text)
{
    return cJSON_IsString(item) && !strcmp(item->valuestring, text);
}

static const char *describe(const cJSON *item)
{
    if (!item) return "nothing";
    if (cJSON_IsString(item)) return item->valuestring;
    if (cJSON_IsBool(item)) return cJSON_IsTrue(item) ? "true" : "false";
    if (cJSON_IsNull(item)) return "null";
    return cJSON_IsNumber(item) ? "another number" : cJSON_IsArray(item) ? "an array" : "an object";
}

static dlg_status want_string(const reader *r, const cJSON *object, const char *part, const char *key,
                              const char *wanted)
{
    const cJSON *item = member(object, key);
    if (is_string(item, wanted)) return DLG_OK;
    return dlg_fail(r->err, DLG_EFORMAT, "%s: %s.%s: want \"%s\", found %.60s", r->name, part, key, wanted,
                    describe(item));
}

static dlg_status want_flag(const reader *r, const cJSON *object, const char *part, const char *key, bool wanted)
{
    const cJSON *item = member(object, key);
    if (cJSON_IsBool(item) && (cJSON_IsTrue(item) != 0) == wanted) return DLG_OK;
    return dlg_fail(r->err, DLG_EFORMAT, "%s: %s.%s: want %s, found %.60s", r->name, part, key,
                    wanted ? "true" : "false", describe(item));
}

static dlg_status read_flag(const reader *r, const cJSON *object, const char *part, const char *key, bool *out)
{
    const cJSON *item = member(object, key);
    *out = cJSON_IsTrue(item);
    if (cJSON_IsBool(item)) return DLG_OK;
    return dlg_fail(r->err, DLG_EFORMAT, "%s: %s.%s: want true or false, found %.60s", r->name, part, key,
                    describe(item));
}

static dlg_status want_keys(const reader *r, const cJSON *object, const char *part, const char *const *known)
{
    for (const cJSON *item = object->child; item; item = item->next) {
        const char *const *key = known;
        while (*key && strcmp(*key, item->string) != 0) key++;
        if (!*key)
            return dlg_fail(r->err, DLG_EFORMAT, "%s: %s: \"%.60s\" is not supported", r->name, part, item->string);
    }
    return DLG_OK;
}

static dlg_status want_object(const reader *r, const cJSON *root, const char *key, const cJSON **out)
{
    *out = member(root, key);
    if (cJSON_IsObject(*out)) return DLG_OK;
    return dlg_fail(r->err, DLG_EFORMAT, "%s: %s: want an object, found %.60s", r->name, key, describe(*out));
}

static dlg_status read_normalizer(const reader *r, const cJSON *root, dlg_normalisation *how)
{
    static const char *const known[] = {"type",          "clean_text", "handle_chinese_chars",
                                        "strip_accents", "lowercase",  NULL};
    const cJSON *object;
    dlg_status status;
    if ((status = want_object(r, root, "normalizer", &object))) return status;
    if ((status = want_string(r, object, "normalizer", "type", "BertNormalizer"))) return status;
    if ((status = want_keys(r, object, "normalizer", known))) return status;
    if ((status = want_flag(r, object, "normalizer", "clean_text", true))) return status;
    if ((status = read_flag(r, object, "normalizer", "handle_chinese_chars", &how->split_cjk))) return status;
    if ((status = read_flag(r, object, "normalizer", "lowercase", &how->lower_case))) return status;
    how->strip_accents = how->lower_case; /* what null stands for */
    return is_absent(member(object, "strip_accents"))
               ? DLG_OK
               : read_flag(r, object, "normalizer", "strip_accents", &how->strip_accents);
}

/* Whether a TemplateProcessing of one text is [CLS] text [SEP]. */
static bool is_bert_template(const cJSON *single)
{
    static const char *const kinds[] = {"SpecialToken", "Sequence", "SpecialToken"}, *const ids[] = {"[CLS]", "A",
                                                                                                     "[SEP]"};
    if (!cJSON_IsArray(single) || cJSON_GetArraySize(single) != 3) return false;
    for (int i = 0; i < 3; i++)
        if (!is_string(member(member(cJSON_GetArrayItem(single, i), kinds[i]), "id"), ids[i])) return false;
    return true;
}

static dlg_status check_surroundings(const reader *r, const cJSON *root)
{
    static const char *const known[] = {"version",       "truncation",     "padding", "added_tokens", "normalizer",
                                        "pre_tokenizer", "post_processor", "decoder", "model",        NULL};
    const cJSON *object;
    dlg_status status;
    if ((status = want_keys(r, root, "top level", known))) return status;
    if ((status = want_object(r, root, "pre_tokenizer", &object))) return status;
    if ((status = want_string(r, object, "pre_tokenizer", "type", "BertPreTokenizer"))) return status;
    const cJSON *post = member(root, "post_processor"), *decoder = member(root, "decoder");
    if (!is_absent(post) && !is_string(member(post, "type"), "BertProcessing") &&
        !(is_string(member(post, "type"), "TemplateProcessing") && is_bert_template(member(post, "single"))))
        return dlg_fail(r->err, DLG_EFORMAT, "%s: post_processor: want [CLS] text [SEP], found another", r->name);
    return is_absent(decoder) ? DLG_OK : want_string(r, decoder, "decoder", "type", "WordPiece");
}

/* More ids than pieces have gaps, where Hugging Face found a piece twice. */
static dlg_status count_ids(const reader *r, const cJSON *vocab, size_t *n_ids)
{
    const size_t n_pieces = (size_t)cJSON_GetArraySize(vocab);
    *n_ids = 0;
    for (const cJSON *item = vocab->child; item; item = item->next) {
        uint64_t id;
        if (!dlg_json_whole(item, &id) || id >= n_pieces + DLG_MAX_UNNAMED)
            return dlg_fail(r->err, DLG_EFORMAT, "%s: model.vocab: want ids below %zu, found another for \"%.60s\"",
                            r->name, n_pieces + DLG_MAX_UNNAMED, item->string);
        if (id >= *n_ids) *n_ids = (size_t)id + 1;
    }
    return DLG_OK;
}

/* The pieces by id, borrowed from the JSON. */
static dlg_status order_pieces(const reader *r, const cJSON *vocab, dlg_piece_span *pieces)
{
    for (const cJSON *item = vocab->child; item; item = item->next) {
        uint64_t id;
        if (!dlg_json_whole(item, &id)) continue; /* there is none: they were counted */
        if (pieces[id].text)
            return dlg_fail(r->err, DLG_EFORMAT,
                            "%s: model.vocab: want one piece for id %zu, found \"%.60s\" and \"%.60s\"", r->name,
                            (size_t)id, pieces[id].text, item->string);
        pieces[id] = (dlg_piece_span){item->string, strlen(item->string)};
    }
    return DLG_OK;
}

static dlg_status read_pieces(const reader *r, const cJSON *vocab, dlg_vocabulary *out)
{
    size_t n_ids;
    dlg_status status = count_ids(r, vocab, &n_ids);
    if (status) return status;
    dlg_piece_span *pieces = dlg_allocate(n_ids, sizeof *pieces);
    if (!pieces) return dlg_fail(r->err, DLG_ENOMEM, "%s: no memory for %zu pieces", r->name, n_ids);
    status = order_pieces(r, vocab, pieces);
    for (size_t id = 0; id < n_ids && !status; id++)
        status = dlg_vocabulary_add(out, (dlg_piece_source){.name = r->name, .unit = "id"}, pieces[id], r->err);
    dlg_free(pieces);
    return status;
}

static dlg_status read_model(const reader *r, const cJSON *root, dlg_vocabulary *out)
{
    static const char *const known[] = {"type",  "unk_token", "continuing_subword_prefix", "max_input_chars_per_word",
                                        "vocab", NULL};
    const cJSON *model, *vocab;
    uint64_t longest;
    dlg_status status;
    if ((status = want_object(r, root, "model", &model))) return status;
    if ((status = want_string(r, model, "model", "type", "WordPiece"))) return status;
    if ((status = want_keys(r, model, "model", known))) return status;
    if ((status = want_string(r, model, "model", "unk_token", "[UNK]"))) return status;
    if ((status = want_string(r, model, "model", "continuing_subword_prefix", "##"))) return status;
    if (!dlg_json_whole(member(model, "max_input_chars_per_word"), &longest) || longest != DLG_MAX_WORD_CHARACTERS)
        return dlg_fail(r->err, DLG_EFORMAT, "%s: model.max_input_chars_per_word: want %d, found %.60s", r->name,
                        DLG_MAX_WORD_CHARACTERS, describe(member(model, "max_input_chars_per_word")));
    vocab = member(model, "vocab");
    if (!cJSON_IsObject(vocab))
        return dlg_fail(r->err, DLG_EFORMAT, "%s: model.vocab: want an object, found %.60s", r->name, describe(vocab));
    return read_pieces(r, vocab, out);
}

dlg_status dlg_parts_read_json(dlg_tokenizer_parts *out, const char *name, const void *bytes, size_t n_bytes,
                               dlg_error *err)
{
    cJSON *root = NULL;
    const reader r = {name, err};
    dlg_status status = dlg_json_parse(&root, name, bytes, n_bytes, err);
    if (status) return status;
    if (!cJSON_IsObject(root))
        status = dlg_fail(err, DLG_EFORMAT, "%s: want an object, found %.60s", name, describe(root));
    if (!status) status = check_surroundings(&r, root);
    if (!status) status = read_normalizer(&r, root, &out->how);
    if (!status) status = read_model(&r, root, &out->vocabulary);
    if (!status) status = dlg_added_read_list(&out->added, name, member(root, "added_tokens"), err);
    cJSON_Delete(root);
    return status;
}
