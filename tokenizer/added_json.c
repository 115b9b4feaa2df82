/* Added tokens as `tokenizers` and the versions of transformers write them. */
#include "base/json.h"
#include "tokenizer/added.h"

#include <stdlib.h>

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool is_absent(const cJSON *item)
{
    return !item || cJSON_IsNull(item);
}

static dlg_status want_id(const char *name, const char *spelling, const cJSON *item, dlg_added_token *out,
                          dlg_error *err)
{
    uint64_t id;
    if (!dlg_json_whole(item, &id) || id >= DLG_MAX_PIECES)
        return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: want an id below %zu, found another", name, spelling,
                        DLG_MAX_PIECES);
    out->id = (dlg_token)id;
    out->has_id = true;
    return DLG_OK;
}

static dlg_status read_flag(const char *name, const cJSON *object, const char *key, bool *out, dlg_error *err)
{
    const cJSON *item = member(object, key);
    if (is_absent(item)) return DLG_OK;
    *out = cJSON_IsTrue(item);
    if (cJSON_IsBool(item)) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: added token %.60s: %s: want true or false, found another value", name,
                    cJSON_GetStringValue(member(object, "content")), key);
}

/* {"content": "[name]", "single_word": false, ...}; flags that are not there are false, but normalized. */
static dlg_status read_object(dlg_added *added, const char *name, const cJSON *object, dlg_added_token token,
                              dlg_error *err)
{
    const char *spelling = cJSON_GetStringValue(member(object, "content"));
    bool special = false, strips = false;
    if (!spelling || !*spelling)
        return dlg_fail(err, DLG_EFORMAT, "%s: added tokens: want content that is a text, found another", name);
    dlg_status status = read_flag(name, object, "special", &special, err);
    token.normalised = !special;
    if (!status) status = read_flag(name, object, "normalized", &token.normalised, err);
    if (!status) status = read_flag(name, object, "single_word", &token.single_word, err);
    if (!status) status = read_flag(name, object, "lstrip", &strips, err);
    if (!status) status = read_flag(name, object, "rstrip", &strips, err);
    if (!status && member(object, "id")) status = want_id(name, spelling, member(object, "id"), &token, err);
    return status ? status : dlg_added_put(added, name, spelling, token, err);
}

dlg_status dlg_added_read_list(dlg_added *added, const char *name, const cJSON *list, dlg_error *err)
{
    dlg_status status = DLG_OK;
    if (is_absent(list)) return DLG_OK;
    if (!cJSON_IsArray(list))
        return dlg_fail(err, DLG_EFORMAT, "%s: added_tokens: want an array, found another value", name);
    for (const cJSON *item = list->child; item && !status; item = item->next) {
        if (!member(item, "id"))
            return dlg_fail(err, DLG_EFORMAT, "%s: added_tokens: want an id for each, found none", name);
        status = read_object(added, name, item, (dlg_added_token){0}, err);
    }
    return status;
}

dlg_status dlg_added_read_decoder(dlg_added *added, const char *name, const cJSON *object, dlg_error *err)
{
    dlg_status status = DLG_OK;
    if (is_absent(object)) return DLG_OK;
    if (!cJSON_IsObject(object))
        return dlg_fail(err, DLG_EFORMAT, "%s: added_tokens_decoder: want an object, found another value", name);
    for (const cJSON *item = object->child; item && !status; item = item->next) {
        char *end;
        const unsigned long id = strtoul(item->string, &end, 10);
        const bool is_number = item->string[0] >= '0' && item->string[0] <= '9' && !*end;
        if (!is_number || id >= DLG_MAX_PIECES)
            return dlg_fail(err, DLG_EFORMAT, "%s: added_tokens_decoder: want ids below %zu, found \"%.60s\"", name,
                            DLG_MAX_PIECES, item->string);
        status = read_object(added, name, item, (dlg_added_token){.id = (dlg_token)id, .has_id = true}, err);
    }
    return status;
}

dlg_status dlg_added_read_special(dlg_added *added, const char *name, const cJSON *root, dlg_error *err)
{
    static const char *const keys[] = {"additional_special_tokens", "extra_special_tokens"};
    dlg_status status = DLG_OK;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const cJSON *tokens = member(root, keys[i]);
        if (is_absent(tokens)) continue;
        if (!cJSON_IsArray(tokens) && !cJSON_IsObject(tokens))
            return dlg_fail(err, DLG_EFORMAT, "%s: %s: want a list of tokens, found another value", name, keys[i]);
        for (const cJSON *item = tokens->child; item && !status; item = item->next) {
            const char *spelling = cJSON_GetStringValue(item);
            status = spelling && *spelling ? dlg_added_put(added, name, spelling, (dlg_added_token){0}, err)
                                           : read_object(added, name, item, (dlg_added_token){0}, err);
        }
    }
    return status;
}

dlg_status dlg_added_read_ids(dlg_added *added, const char *name, const cJSON *root, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (const cJSON *item = root->child; item && !status; item = item->next) {
        dlg_added_token token = {.normalised = true};
        status = want_id(name, item->string, item, &token, err);
        if (!status && !*item->string)
            status = dlg_fail(err, DLG_EFORMAT, "%s: want tokens with a spelling, found one without", name);
        if (!status) status = dlg_added_put(added, name, item->string, token, err);
    }
    return status;
}
