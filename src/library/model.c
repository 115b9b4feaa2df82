#define _POSIX_C_SOURCE 200809L
#include "models/model.h"

#include "base/file.h"
#include "base/memory.h"
#include "library/metadata.h"
#include "models/naming.h"
#include "vocab/vocabulary.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static dlg_status find_task(dlg_task *out, const char *name, dlg_error *err)
{
    static const dlg_task tasks[] = {DLG_MASKED_LM, DLG_SEQUENCE_CLASSIFICATION};
    for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
        if (!strcmp(name, dlg_task_name(tasks[i]))) return *out = tasks[i], DLG_OK;
    return dlg_fail(err, DLG_EARG, "task: want mlm or cls, found \"%.60s\"", name);
}

enum { CLASSES_BY_DEFAULT = 2 };

static dlg_status open_preset(dlg_model **out, const dlg_model_choice *choice, dlg_task task, dlg_error *err)
{
    const char *name = choice->preset ? choice->preset : "mini";
    size_t n_bytes;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    dlg_tokenizer *tokenizer = NULL;
    dlg_config config;
    dlg_status status = dlg_tokenizer_create(&tokenizer, "built-in vocabulary", vocabulary, n_bytes, DLG_UNCASED, err);
    if (!status)
        status = dlg_config_preset(&config, name, task, dlg_tokenizer_size(tokenizer),
                                   choice->n_labels ? choice->n_labels : CLASSES_BY_DEFAULT, err);
    if (!status) status = dlg_model_preset(out, name, &config, choice->seed, err);
    if (status) dlg_tokenizer_close(tokenizer);
    else (*out)->tokenizer = tokenizer;
    return status;
}

static bool holds(const char *directory, const char *name)
{
    char *path = dlg_path_join(directory, name);
    const bool found = path && !access(path, F_OK);
    dlg_free(path);
    return found;
}

/* A directory without it is no model's, and is refused for that. */
static dlg_status want_config(const char *directory, dlg_error *err)
{
    if (access(directory, F_OK)) return dlg_fail(err, DLG_EIO, "%s: %s", directory, strerror(errno));
    if (holds(directory, "config.json")) return DLG_OK;
    return dlg_fail(err, DLG_EIO, "%s: want a model's directory, found no config.json", directory);
}

/* A model may have more embeddings than there are pieces, but not by far. The message names both files. */
static dlg_status fit_vocabulary(dlg_model *model, const char *directory, dlg_error *err)
{
    const size_t want = model->config.vocabulary_size, found = dlg_tokenizer_size(model->tokenizer);
    if (found <= want && want - found <= DLG_MAX_UNNAMED)
        return dlg_tokenizer_pad(model->tokenizer, directory, want, err);
    const bool is_json = holds(directory, "tokenizer.json");
    return dlg_fail(err, DLG_ESHAPE, "%s/%s: want the %zu pieces that %s/config.json says, found %zu", directory,
                    is_json ? "tokenizer.json" : "vocab.txt", want, directory, found);
}

static dlg_status refuse_task(const dlg_model *model, const char *directory, const char *wanted, dlg_error *err)
{
    return dlg_fail(err, DLG_EFORMAT, "%s/config.json: want a model for %s, found one for %s", directory, wanted,
                    dlg_model_task(model));
}

/* Hand the model over when all went well, else free it. */
static dlg_status finish(dlg_model **out, dlg_model *model, dlg_status status)
{
    if (status) dlg_model_free(model);
    *out = status ? NULL : model;
    return status;
}

static dlg_status open_directory(dlg_model **out, const dlg_model_choice *choice, dlg_task task, dlg_error *err)
{
    const char *directory = choice->directory;
    dlg_tokenizer *tokenizer = NULL;
    dlg_model *model = NULL;
    dlg_status status = want_config(directory, err);
    /* The vocabulary before the weights: it is read in no time. */
    if (!status) status = dlg_tokenizer_open_directory(&tokenizer, directory, err);
    if (!status)
        status = dlg_model_load_weights(&model, directory, choice->weights ? choice->weights : directory,
                                        choice->only_inspects ? DLG_FORWARD_ONLY : DLG_BOTH_WAYS, err);
    if (status) {
        dlg_tokenizer_close(tokenizer);
        return status;
    }
    model->tokenizer = tokenizer;
    status = fit_vocabulary(model, directory, err);
    if (!status && choice->task && model->config.task != task)
        status = refuse_task(model, directory, choice->task, err);
    if (!status && model->config.task == DLG_CAUSAL_LM)
        status = dlg_fail(err, DLG_EFORMAT,
                          "%s/config.json: want a masked LM or a classifier, found a causal LM, which can only be "
                          "a prior",
                          directory);
    return finish(out, model, status);
}

dlg_status dlg_model_open(dlg_model **out, const dlg_model_choice *choice, dlg_error *err)
{
    static const dlg_model_choice by_default = {.directory = NULL};
    dlg_task task = DLG_MASKED_LM;
    *out = NULL;
    if (!choice) choice = &by_default;
    const dlg_status status = choice->task ? find_task(&task, choice->task, err) : DLG_OK;
    if (status) return status;
    return choice->directory ? open_directory(out, choice, task, err) : open_preset(out, choice, task, err);
}

/* ---- what a gradient's metadata name ---- */

/* A model is made for as many classes as the file has numbers for, not for as many as it names. */
static dlg_status check_classes(const dlg_safetensors *file, const dlg_model_choice *choice, dlg_error *err)
{
    dlg_config config;
    dlg_model *model = NULL;
    dlg_status status =
        dlg_config_preset(&config, choice->preset, DLG_SEQUENCE_CLASSIFICATION, 1, CLASSES_BY_DEFAULT, err);
    if (!status) status = dlg_model_describe(&model, choice->preset, &config, err);
    if (!status) {
        const dlg_parameter *decoder = model->roles.decoder.bias;
        const dlg_naming naming = dlg_naming_of(file);
        const dlg_tensor *bias;
        status = dlg_naming_find(&bias, &naming, decoder, err);
        const size_t found = !status && bias ? bias->n_items : 0;
        if (!status && found != choice->n_labels)
            status = dlg_fail(err, DLG_EFORMAT,
                              "%s: metadata " DLG_METADATA_N_LABELS ": want the %zu classes of %s, found %zu",
                              dlg_safetensors_path(file), found, decoder->name, choice->n_labels);
    }
    dlg_model_free(model);
    return status;
}

static dlg_status choose_by_metadata(dlg_model_choice *choice, const dlg_safetensors *file, dlg_error *err)
{
    const char *path = dlg_safetensors_path(file), *preset = dlg_safetensors_metadata(file, DLG_METADATA_MODEL);
    uint64_t n_labels = 0;
    if (!preset)
        return dlg_fail(err, DLG_EFORMAT, "%s: want a model named in the metadata, found none; --model DIR names it",
                        path);
    if (!dlg_safetensors_metadata(file, DLG_METADATA_MODEL_SEED))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: want a preset in the metadata, found the directory \"%.200s\"; --model DIR names it", path,
                        preset);
    choice->preset = preset;
    dlg_status status =
        dlg_metadata_whole(&choice->seed, file, DLG_METADATA_MODEL_SEED, 0, UINT64_MAX, "a whole number", err);
    if (!status)
        status = dlg_metadata_whole(&n_labels, file, DLG_METADATA_N_LABELS, 1, SIZE_MAX, "a whole number", err);
    choice->n_labels = (size_t)n_labels;
    return status || !n_labels ? status : check_classes(file, choice, err);
}

dlg_status dlg_model_open_for(dlg_model **out, const char *gradient, const dlg_model_choice *choice, dlg_error *err)
{
    dlg_safetensors *file = NULL;
    dlg_model_choice chosen = choice ? *choice : (dlg_model_choice){.directory = NULL};
    const bool is_named = chosen.directory || chosen.preset;
    *out = NULL;
    dlg_status status = dlg_safetensors_open(&file, gradient, err);
    if (!status && !is_named) status = choose_by_metadata(&chosen, file, err);
    if (!status && !chosen.directory && !chosen.task) chosen.task = dlg_safetensors_metadata(file, DLG_METADATA_TASK);
    if (!status) status = dlg_model_open(out, &chosen, err);
    /* A wrong name within the metadata is not the user's. */
    if (status == DLG_EARG && !is_named) {
        const dlg_error inner = err ? *err : (dlg_error){0};
        status = dlg_fail(err, DLG_EFORMAT, "%s: metadata: %s", gradient, inner.message);
    }
    dlg_safetensors_close(file);
    return status;
}

/* ---- a language model to be asked ---- */

static dlg_status compare_pieces(const dlg_model *model, const char *directory, const dlg_tokenizer *tokenizer,
                                 dlg_error *err)
{
    for (size_t i = 0; i <= dlg_tokenizer_size(tokenizer); i++) {
        const char *want = dlg_tokenizer_piece(tokenizer, (dlg_token)i), *found = dlg_model_piece(model, (uint32_t)i);
        if ((!want && !found) || (want && found && !strcmp(want, found))) continue;
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: want the vocabulary of the attacked model, found another from piece %zu on", directory, i);
    }
    return DLG_OK;
}

dlg_status dlg_model_open_prior(dlg_model **out, const char *directory, const dlg_model *attacked, dlg_error *err)
{
    dlg_model *model = NULL;
    *out = NULL;
    dlg_status status = want_config(directory, err);
    if (!status) status = dlg_model_load(&model, directory, DLG_FORWARD_ONLY, err);
    if (status) return status;
    const dlg_config *config = &model->config;
    const size_t n = dlg_tokenizer_size(attacked->tokenizer);
    const bool has_vocabulary = holds(directory, "vocab.txt") || holds(directory, "tokenizer.json");
    if (config->task == DLG_SEQUENCE_CLASSIFICATION) {
        status = refuse_task(model, directory, "mlm or clm", err);
    } else if (config->task == DLG_CAUSAL_LM && !has_vocabulary) {
        if (config->vocabulary_size != n)
            status = dlg_fail(err, DLG_EFORMAT, "%s/config.json: vocab_size: want the attacked model's %zu, found %zu",
                              directory, n, config->vocabulary_size);
    } else {
        status = dlg_tokenizer_open_directory(&model->tokenizer, directory, err);
        if (!status) status = fit_vocabulary(model, directory, err);
        if (!status) status = compare_pieces(model, directory, attacked->tokenizer, err);
    }
    return finish(out, model, status);
}

/* ---- what it is ---- */

const char *dlg_model_name(const dlg_model *model)
{
    return model->name;
}

const char *dlg_model_task(const dlg_model *model)
{
    return dlg_task_name(model->config.task);
}

const char *dlg_model_piece(const dlg_model *model, uint32_t token)
{
    return model->tokenizer ? dlg_tokenizer_piece(model->tokenizer, token) : NULL;
}
