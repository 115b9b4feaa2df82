/* The tokenizer of a Hugging Face directory. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "tokenizer/split.h"
#include "tokenizer/tokenizer.h"

#include <string.h>
#include <unistd.h>

/* What tokenizer_config.json says; -1: nothing. */
typedef struct {
    int lower_case, strip_accents, split_cjk;
} settings;

static const cJSON *member(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

static dlg_status read_setting(const char *path, const cJSON *root, const char *key, int *out, dlg_error *err)
{
    const cJSON *item = member(root, key);
    *out = -1;
    if (!item || cJSON_IsNull(item)) return DLG_OK;
    if (!cJSON_IsBool(item))
        return dlg_fail(err, DLG_EFORMAT, "%s: %s: want true or false, found another value", path, key);
    *out = cJSON_IsTrue(item) ? 1 : 0;
    return DLG_OK;
}

/* Classes that split text as BertTokenizer does; one that does not (BertJapaneseTokenizer) must not pass for it. */
static dlg_status check_class(const char *path, const cJSON *root, dlg_error *err)
{
    static const char *const known[] = {"BertTokenizer",           "BertTokenizerFast", "DistilBertTokenizer",
                                        "DistilBertTokenizerFast", "ElectraTokenizer",  "ElectraTokenizerFast",
                                        "PreTrainedTokenizerFast", "TokenizersBackend"};
    const cJSON *item = member(root, "tokenizer_class");
    if (!item || cJSON_IsNull(item)) return DLG_OK;
    for (size_t i = 0; cJSON_IsString(item) && i < sizeof known / sizeof *known; i++)
        if (!strcmp(item->valuestring, known[i])) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: tokenizer_class: want BertTokenizer or its like, found %.60s", path,
                    cJSON_IsString(item) ? item->valuestring : "no string");
}

/* A token is written as a string or as an object with its content. */
static dlg_status check_special_tokens(const char *path, const cJSON *root, dlg_error *err)
{
    static const char *const keys[DLG_N_SPECIAL] = {"pad_token", "unk_token", "cls_token", "sep_token", "mask_token"};
    for (size_t i = 0; i < DLG_N_SPECIAL; i++) {
        const cJSON *item = member(root, keys[i]);
        if (cJSON_IsObject(item)) item = member(item, "content");
        if (!item || cJSON_IsNull(item)) continue;
        if (!cJSON_IsString(item) || strcmp(item->valuestring, dlg_special_spelling[i]) != 0)
            return dlg_fail(err, DLG_EFORMAT, "%s: %s: want %s, found %.60s", path, keys[i], dlg_special_spelling[i],
                            cJSON_IsString(item) ? item->valuestring : "no string");
    }
    return DLG_OK;
}

static dlg_status read_settings(settings *out, const char *path, dlg_error *err)
{
    cJSON *root = NULL;
    *out = (settings){-1, -1, -1};
    if (access(path, F_OK)) return DLG_OK;
    dlg_status status = dlg_json_read(&root, path, err);
    if (!status && !cJSON_IsObject(root))
        status = dlg_fail(err, DLG_EFORMAT, "%s: want an object, found another value", path);
    if (!status) status = check_class(path, root, err);
    if (!status) status = check_special_tokens(path, root, err);
    if (!status) status = read_setting(path, root, "do_lower_case", &out->lower_case, err);
    if (!status) status = read_setting(path, root, "strip_accents", &out->strip_accents, err);
    if (!status) status = read_setting(path, root, "tokenize_chinese_chars", &out->split_cjk, err);
    cJSON_Delete(root);
    return status;
}

static dlg_status check_agreement(const char *path, const char *key, int said, bool meant, dlg_error *err)
{
    if (said < 0 || (said != 0) == meant) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: %s: want %s as in tokenizer.json, found %s", path, key,
                    meant ? "true" : "false", said ? "true" : "false");
}

dlg_status dlg_tokenizer_open_directory(dlg_tokenizer **out, const char *directory, dlg_error *err)
{
    char *json = dlg_path_join(directory, "tokenizer.json"), *vocabulary = dlg_path_join(directory, "vocab.txt"),
         *configuration = dlg_path_join(directory, "tokenizer_config.json");
    settings said;
    dlg_status status = DLG_OK;
    *out = NULL;
    if (!json || !vocabulary || !configuration) {
        status = dlg_fail(err, DLG_ENOMEM, "%s: no memory", directory);
        goto out;
    }
    status = read_settings(&said, configuration, err);
    if (status) goto out;
    if (!access(json, F_OK)) {
        status = dlg_tokenizer_open_json(out, json, err);
        if (status) goto out;
        const dlg_normalisation how = dlg_tokenizer_normalisation(*out);
        status = check_agreement(configuration, "do_lower_case", said.lower_case, how.lower_case, err);
        if (!status)
            status = check_agreement(configuration, "strip_accents", said.strip_accents, how.strip_accents, err);
        if (!status)
            status = check_agreement(configuration, "tokenize_chinese_chars", said.split_cjk, how.split_cjk, err);
    } else {
        const bool lower_case = said.lower_case != 0;
        const dlg_normalisation how = {.lower_case = lower_case,
                                       .strip_accents = said.strip_accents < 0 ? lower_case : said.strip_accents != 0,
                                       .split_cjk = said.split_cjk != 0};
        status = dlg_tokenizer_open(out, vocabulary, how, err);
    }
out:
    if (status) {
        dlg_tokenizer_close(*out);
        *out = NULL;
    }
    dlg_free(json);
    dlg_free(vocabulary);
    dlg_free(configuration);
    return status;
}
