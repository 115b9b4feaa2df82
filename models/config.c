#include "models/config.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "models/config_sizes.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

const char *dlg_task_name(dlg_task task)
{
    static const char *const names[] = {
        [DLG_MASKED_LM] = "mlm", [DLG_SEQUENCE_CLASSIFICATION] = "cls", [DLG_CAUSAL_LM] = "clm"};
    assert(task == DLG_MASKED_LM || task == DLG_SEQUENCE_CLASSIFICATION || task == DLG_CAUSAL_LM);
    return names[task];
}

/** The file being read: its root object, and its name for messages. */
typedef struct {
    const cJSON *root;
    const char *name;
    const dlg_dialect *dialect;
    dlg_error *err;
} source;

/** A member; NULL when it is absent. */
static const cJSON *member(const source *from, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(from->root, key);
}

/** The same where Hugging Face writes null for absent. */
static const cJSON *member_not_null(const source *from, const char *key)
{
    const cJSON *item = member(from, key);
    return cJSON_IsNull(item) ? NULL : item;
}

/** "NAME: KEY: want WANTED, found ..." */
static dlg_status refuse(const source *from, const char *key, const char *wanted, const cJSON *item)
{
    char number[32];
    const char *found = "null";
    if (cJSON_IsString(item)) found = item->valuestring;
    else if (cJSON_IsBool(item)) found = cJSON_IsTrue(item) ? "true" : "false";
    else if (cJSON_IsObject(item)) found = item->child ? "an object" : "an empty object";
    else if (cJSON_IsArray(item)) found = item->child ? "a list" : "an empty list";
    else if (cJSON_IsNumber(item)) {
        snprintf(number, sizeof number, "%.17g", item->valuedouble);
        found = number;
    }
    return dlg_fail(from->err, DLG_EFORMAT, "%s: %s: want %s, found %s", from->name, key, wanted, found);
}

/** Not of a kind that has gradients to attack: of use as a language prior. */
static bool is_prior_only(const dlg_architecture *architecture)
{
    return architecture->dialect->classes[0].task == DLG_CAUSAL_LM;
}

static dlg_status refuse_model_type(const source *from, const cJSON *item)
{
    char attacked[96] = "", priors[96] = "", types[256];
    for (size_t i = 0; dlg_architectures[i]; i++) {
        const bool is_prior = is_prior_only(dlg_architectures[i]);
        bool is_last = true;
        for (size_t j = i + 1; dlg_architectures[j]; j++) is_last &= is_prior_only(dlg_architectures[j]) != is_prior;
        dlg_text_list(is_prior ? priors : attacked, sizeof priors, dlg_architectures[i]->dialect->model_type, is_last);
    }
    snprintf(types, sizeof types, "%s, or as a prior %s", attacked, priors);
    return refuse(from, "model_type", types, item);
}

static dlg_status read_architecture(source *from, dlg_config *config)
{
    const cJSON *item = member_not_null(from, "model_type");
    if (!item) config->architecture = dlg_architectures[0];
    for (size_t i = 0; cJSON_IsString(item) && dlg_architectures[i]; i++)
        if (!strcmp(item->valuestring, dlg_architectures[i]->dialect->model_type))
            config->architecture = dlg_architectures[i];
    if (!config->architecture) return refuse_model_type(from, item);
    from->dialect = config->architecture->dialect;
    return DLG_OK;
}

/** Refuse what would make another model of it. */
static dlg_status check_kind(const source *from)
{
    static const struct {
        const char *key, *wanted;
    } words[] = {{"position_embedding_type", "absolute"}, {"problem_type", "single_label_classification"}};
    static const struct {
        const char *key;
        bool wanted;
    } switches[] = {{"is_decoder", false},
                    {"add_cross_attention", false},
                    {"is_encoder_decoder", false},
                    {"scale_attn_weights", true},
                    {"scale_attn_by_inverse_layer_idx", false}};
    static const char *const empty[] = {"pruned_heads", "quantization_config"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const cJSON *item = member_not_null(from, words[i].key);
        if (item && (!cJSON_IsString(item) || strcmp(item->valuestring, words[i].wanted)))
            return refuse(from, words[i].key, words[i].wanted, item);
    }
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        const cJSON *item = member_not_null(from, switches[i].key);
        if (item && !(switches[i].wanted ? cJSON_IsTrue(item) : cJSON_IsFalse(item)))
            return refuse(from, switches[i].key, switches[i].wanted ? "true" : "false", item);
    }
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        const cJSON *item = member_not_null(from, empty[i]);
        if (item && !(cJSON_IsObject(item) && !item->child)) return refuse(from, empty[i], "none", item);
    }
    return DLG_OK;
}

static dlg_status read_task(dlg_task *out, const source *from)
{
    const dlg_dialect *d = from->dialect;
    const cJSON *item = member_not_null(from, "architectures");
    *out = d->classes[0].task;
    if (!item || (cJSON_IsArray(item) && !item->child)) return DLG_OK;
    if (!cJSON_IsArray(item) || item->child->next) return refuse(from, "architectures", "a list of one name", item);
    const char *name = cJSON_GetStringValue(item->child);
    for (size_t i = 0; name && i < sizeof d->classes / sizeof *d->classes; i++) {
        *out = d->classes[i].task;
        if (d->classes[i].name && !strcmp(name, d->classes[i].name)) return DLG_OK;
    }
    return refuse(from, "architectures", d->wanted, item->child);
}

/* Names that are not here are other functions: "gelu_10" is clipped, "quick_gelu" another approximation. */
static dlg_status read_activation(dlg_activation_form *out, const source *from)
{
    static const struct {
        const char *name;
        dlg_activation_form form;
    } forms[] = {{"gelu", DLG_GELU_ERF},
                 {"gelu_python", DLG_GELU_ERF},
                 {"gelu_new", DLG_GELU_TANH},
                 {"gelu_pytorch_tanh", DLG_GELU_TANH},
                 {"gelu_python_tanh", DLG_GELU_TANH},
                 {"gelu_accurate", DLG_GELU_TANH},
                 {"gelu_fast", DLG_GELU_TANH},
                 {"relu", DLG_RELU}};
    enum { N_FORMS = sizeof forms / sizeof *forms };
    const cJSON *item = member(from, from->dialect->activation);
    char names[160] = "";
    *out = from->dialect->activation_fallback;
    if (!item) return DLG_OK;
    for (size_t i = 0; i < N_FORMS; i++) {
        *out = forms[i].form;
        if (cJSON_IsString(item) && !strcmp(item->valuestring, forms[i].name)) return DLG_OK;
        dlg_text_list(names, sizeof names, forms[i].name, i + 1 == N_FORMS);
    }
    return refuse(from, from->dialect->activation, names, item);
}

static dlg_status read_sizes(dlg_config *out, const source *from)
{
    for (const dlg_config_size *size = from->dialect->sizes; size->key; size++) {
        const cJSON *item = size->fallback ? member(from, size->key) : member_not_null(from, size->key);
        uint64_t value = size->fallback ? size->fallback : 4 * out->hidden_size;
        if (item && !dlg_json_whole(item, &value)) return refuse(from, size->key, "a whole number", item);
        *dlg_config_field(out, size) = value;
    }
    /* Hugging Face counts the labels by their names and writes num_labels only where there are none. */
    const cJSON *names = member_not_null(from, "id2label"), *number = member(from, "num_labels");
    if (!names || out->task == DLG_CAUSAL_LM) return DLG_OK;
    if (!cJSON_IsObject(names)) return refuse(from, "id2label", "an object", names);
    const size_t n_names = (size_t)cJSON_GetArraySize(names);
    if (number && out->n_labels != n_names) return refuse(from, "num_labels", "as many as id2label has", number);
    out->n_labels = n_names;
    return DLG_OK;
}

/** A positive number of at most 1. @param key NULL: it is never said */
static dlg_status read_fraction(double *out, double fallback, const source *from, const char *key)
{
    const cJSON *item = key ? member(from, key) : NULL;
    *out = fallback;
    if (!item) return DLG_OK;
    if (!cJSON_IsNumber(item) || !(item->valuedouble > 0 && item->valuedouble <= 1))
        return refuse(from, key, "a number above 0 and up to 1", item);
    *out = item->valuedouble;
    return DLG_OK;
}

dlg_status dlg_config_parse(dlg_config *out, const char *name, const void *bytes, size_t n_bytes, dlg_error *err)
{
    *out = (dlg_config){0};
    cJSON *root;
    dlg_status status = dlg_json_parse(&root, name, bytes, n_bytes, err);
    if (status) return status;
    source from = {root, name, NULL, err};
    dlg_config config = {.tied_decoder = true};
    if (!cJSON_IsObject(root)) {
        status = dlg_fail(err, DLG_EFORMAT, "%s: want a JSON object, found something else", name);
        goto out;
    }
    status = read_architecture(&from, &config);
    if (!status) status = check_kind(&from);
    if (!status) status = read_task(&config.task, &from);
    if (!status) status = read_activation(&config.activation, &from);
    if (!status) status = read_sizes(&config, &from);
    if (!status) status = read_fraction(&config.layer_norm_eps, from.dialect->eps_fallback, &from, from.dialect->eps);
    if (!status) status = read_fraction(&config.initializer_range, 0.02, &from, "initializer_range");
    const cJSON *tied = member(&from, "tie_word_embeddings");
    if (!status && tied && !cJSON_IsBool(tied)) status = refuse(&from, "tie_word_embeddings", "true or false", tied);
    if (tied) config.tied_decoder = cJSON_IsTrue(tied);
    if (!status) status = dlg_config_check(&config, name, DLG_EFORMAT, err);
    if (!status) *out = config;
out:
    cJSON_Delete(root);
    return status;
}

dlg_status dlg_config_read(dlg_config *out, const char *path, dlg_error *err)
{
    dlg_file file;
    *out = (dlg_config){0};
    dlg_status status = dlg_file_open(&file, path, err);
    if (!status) status = dlg_config_parse(out, path, file.bytes, file.n_bytes, err);
    dlg_file_close(&file);
    return status;
}
