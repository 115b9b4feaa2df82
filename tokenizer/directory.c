/* The tokenizer of a Hugging Face directory. */
#define _POSIX_C_SOURCE 200809L
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "tokenizer/parts.h"

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

/* A JSON object, or NULL where there is no such file. */
static dlg_status read_object(cJSON **out, const char *path, dlg_error *err)
{
    *out = NULL;
    if (access(path, F_OK)) return DLG_OK;
    const dlg_status status = dlg_json_read(out, path, err);
    return status || cJSON_IsObject(*out) ? status
                                          : dlg_fail(err, DLG_EFORMAT, "%s: want an object, found another value", path);
}

static dlg_status read_settings(settings *out, const char *path, const cJSON *root, dlg_error *err)
{
    *out = (settings){-1, -1, -1};
    if (!root) return DLG_OK;
    dlg_status status = check_class(path, root, err);
    if (!status) status = check_special_tokens(path, root, err);
    if (!status) status = read_setting(path, root, "do_lower_case", &out->lower_case, err);
    if (!status) status = read_setting(path, root, "strip_accents", &out->strip_accents, err);
    if (!status) status = read_setting(path, root, "tokenize_chinese_chars", &out->split_cjk, err);
    return status;
}

static dlg_status check_agreement(const char *path, const char *key, int said, bool meant, dlg_error *err)
{
    if (said < 0 || (said != 0) == meant) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT, "%s: %s: want %s as in tokenizer.json, found %s", path, key,
                    meant ? "true" : "false", said ? "true" : "false");
}

static dlg_status check_settings(const char *path, const settings *said, dlg_normalisation how, dlg_error *err)
{
    dlg_status status = check_agreement(path, "do_lower_case", said->lower_case, how.lower_case, err);
    if (!status) status = check_agreement(path, "strip_accents", said->strip_accents, how.strip_accents, err);
    if (!status) status = check_agreement(path, "tokenize_chinese_chars", said->split_cjk, how.split_cjk, err);
    return status;
}

/* The files of a directory, by their paths. */
typedef struct {
    char *json, *vocabulary, *configuration, *special, *added;
} files;

static bool name_files(files *f, const char *directory)
{
    f->json = dlg_path_join(directory, "tokenizer.json");
    f->vocabulary = dlg_path_join(directory, "vocab.txt");
    f->configuration = dlg_path_join(directory, "tokenizer_config.json");
    f->special = dlg_path_join(directory, "special_tokens_map.json");
    f->added = dlg_path_join(directory, "added_tokens.json");
    return f->json && f->vocabulary && f->configuration && f->special && f->added;
}

static void release_files(files *f)
{
    dlg_free(f->json);
    dlg_free(f->vocabulary);
    dlg_free(f->configuration);
    dlg_free(f->special);
    dlg_free(f->added);
}

static dlg_status read_pieces(dlg_tokenizer_parts *parts, const files *f, const settings *said, dlg_error *err)
{
    const bool is_json = !access(f->json, F_OK), lower_case = said->lower_case != 0;
    const char *path = is_json ? f->json : f->vocabulary;
    dlg_file file;
    dlg_status status = dlg_file_open(&file, path, err);
    if (!status && is_json) {
        status = dlg_parts_read_json(parts, path, file.bytes, file.n_bytes, err);
        if (!status) status = check_settings(f->configuration, said, parts->how, err);
    } else if (!status) {
        parts->how =
            (dlg_normalisation){.lower_case = lower_case,
                                .strip_accents = said->strip_accents < 0 ? lower_case : said->strip_accents != 0,
                                .split_cjk = said->split_cjk != 0};
        status = dlg_vocabulary_read_lines(&parts->vocabulary, path, file.bytes, file.n_bytes, err);
    }
    dlg_file_close(&file);
    return status;
}

/* Of a token that several files name the first says most: tokenizer.json before these. */
static dlg_status read_added(dlg_added *added, const files *f, const cJSON *configuration, dlg_error *err)
{
    cJSON *special = NULL, *ids = NULL;
    dlg_status status =
        dlg_added_read_decoder(added, f->configuration, member(configuration, "added_tokens_decoder"), err);
    if (!status) status = dlg_added_read_special(added, f->configuration, configuration, err);
    if (!status) status = read_object(&special, f->special, err);
    if (!status && special) status = check_special_tokens(f->special, special, err);
    if (!status) status = dlg_added_read_special(added, f->special, special, err);
    if (!status) status = read_object(&ids, f->added, err);
    if (!status && ids) status = dlg_added_read_ids(added, f->added, ids, err);
    cJSON_Delete(special);
    cJSON_Delete(ids);
    return status;
}

dlg_status dlg_tokenizer_open_directory(dlg_tokenizer **out, const char *directory, dlg_error *err)
{
    dlg_tokenizer_parts parts = {.how = DLG_UNCASED};
    cJSON *configuration = NULL;
    settings said;
    files f;
    dlg_status status = name_files(&f, directory) ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "%s: no memory", directory);
    *out = NULL;
    if (!status) status = read_object(&configuration, f.configuration, err);
    if (!status) status = read_settings(&said, f.configuration, configuration, err);
    if (!status) status = read_pieces(&parts, &f, &said, err);
    if (!status) status = read_added(&parts.added, &f, configuration, err);
    if (!status) status = dlg_tokenizer_assemble(out, &parts, access(f.json, F_OK) ? f.vocabulary : f.json, err);
    else dlg_parts_release(&parts);
    cJSON_Delete(configuration);
    release_files(&f);
    return status;
}
