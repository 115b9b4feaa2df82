#define _POSIX_C_SOURCE 200809L
#include "cli/source.h"

#include "cli/option.h"
#include "base/file.h"
#include "base/memory.h"
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

static dlg_status open_preset(dlg_source *out, const dlg_source_choice *choice, dlg_task task, dlg_error *err)
{
    size_t n_bytes;
    const unsigned char *vocabulary = dlg_builtin_vocabulary(&n_bytes);
    dlg_config config;
    dlg_status status =
        dlg_tokenizer_create(&out->tokenizer, "built-in vocabulary", vocabulary, n_bytes, DLG_UNCASED, err);
    if (!status)
        status =
            dlg_config_preset(&config, choice->preset, task, dlg_tokenizer_size(out->tokenizer), choice->n_labels, err);
    if (!status) status = dlg_model_preset(&out->model, choice->preset, &config, choice->seed, err);
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

/* The message names both files. */
static dlg_status check_vocabulary(const dlg_source *source, const char *directory, dlg_error *err)
{
    const size_t want = source->model->config.vocabulary_size, found = dlg_tokenizer_size(source->tokenizer);
    if (found == want) return DLG_OK;
    const bool is_json = holds(directory, "tokenizer.json");
    return dlg_fail(err, DLG_ESHAPE, "%s/%s: want the %zu pieces that %s/config.json says, found %zu", directory,
                    is_json ? "tokenizer.json" : "vocab.txt", want, directory, found);
}

static dlg_status refuse_task(const dlg_source *source, const char *directory, const char *wanted, dlg_error *err)
{
    return dlg_fail(err, DLG_EFORMAT, "%s/config.json: want a model for %s, found one for %s", directory, wanted,
                    dlg_task_name(source->model->config.task));
}

dlg_status dlg_source_open(dlg_source *out, const dlg_source_choice *choice, dlg_error *err)
{
    dlg_status status = DLG_OK;
    dlg_task task = DLG_MASKED_LM;
    *out = (dlg_source){0};
    if (choice->task) status = find_task(&task, choice->task, err);
    if (status) return status;
    if (!choice->directory) {
        status = open_preset(out, choice, task, err);
    } else {
        status = want_config(choice->directory, err);
        /* The vocabulary before the weights: it is read in no time. */
        if (!status) status = dlg_tokenizer_open_directory(&out->tokenizer, choice->directory, err);
        if (!status) status = dlg_model_open(&out->model, choice->directory, choice->ways, err);
        if (!status) status = check_vocabulary(out, choice->directory, err);
        if (!status && choice->task && out->model->config.task != task)
            status = refuse_task(out, choice->directory, choice->task, err);
        if (!status && out->model->config.task == DLG_CAUSAL_LM)
            status = dlg_fail(err, DLG_EFORMAT,
                              "%s/config.json: want a masked LM or a classifier, found a causal LM, which can only be "
                              "a prior",
                              choice->directory);
    }
    if (status) dlg_source_close(out);
    return status;
}

static dlg_status compare_pieces(const dlg_source *source, const char *directory, const dlg_tokenizer *tokenizer,
                                 dlg_error *err)
{
    for (size_t i = 0; i <= dlg_tokenizer_size(tokenizer); i++) {
        const char *want = dlg_tokenizer_piece(tokenizer, (dlg_token)i),
                   *found = dlg_tokenizer_piece(source->tokenizer, (dlg_token)i);
        if ((!want && !found) || (want && found && !strcmp(want, found))) continue;
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: want the vocabulary of the attacked model, found another from piece %zu on", directory, i);
    }
    return DLG_OK;
}

dlg_status dlg_source_open_prior(dlg_source *out, const char *directory, const dlg_tokenizer *tokenizer, dlg_error *err)
{
    *out = (dlg_source){0};
    dlg_status status = want_config(directory, err);
    if (!status) status = dlg_model_open(&out->model, directory, DLG_FORWARD_ONLY, err);
    if (status) return status;
    const dlg_config *config = &out->model->config;
    const size_t n = dlg_tokenizer_size(tokenizer);
    const bool has_vocabulary = holds(directory, "vocab.txt") || holds(directory, "tokenizer.json");
    if (config->task == DLG_SEQUENCE_CLASSIFICATION) {
        status = refuse_task(out, directory, "mlm or clm", err);
    } else if (config->task == DLG_CAUSAL_LM && !has_vocabulary) {
        if (config->vocabulary_size != n)
            status = dlg_fail(err, DLG_EFORMAT, "%s/config.json: vocab_size: want the attacked model's %zu, found %zu",
                              directory, n, config->vocabulary_size);
    } else {
        status = dlg_tokenizer_open_directory(&out->tokenizer, directory, err);
        if (!status) status = check_vocabulary(out, directory, err);
        if (!status) status = compare_pieces(out, directory, tokenizer, err);
    }
    if (status) dlg_source_close(out);
    return status;
}

void dlg_source_close(dlg_source *source)
{
    dlg_model_free(source->model);
    dlg_tokenizer_close(source->tokenizer);
    *source = (dlg_source){0};
}

/* A model is made for as many classes as the file has numbers for, not for as many as it names. */
static dlg_status check_classes(const dlg_safetensors *file, uint64_t n_labels, dlg_error *err)
{
    const dlg_tensor *bias = dlg_safetensors_find(file, "classifier.bias");
    const size_t found = bias ? bias->n_items : 0;
    if (found == n_labels) return DLG_OK;
    return dlg_fail(err, DLG_EFORMAT,
                    "%s: metadata " DLG_METADATA_N_LABELS ": want the %zu classes of classifier.bias, found %llu",
                    dlg_safetensors_path(file), found, (unsigned long long)n_labels);
}

dlg_status dlg_source_choice_from_metadata(dlg_source_choice *out, const dlg_safetensors *file, dlg_error *err)
{
    const char *path = dlg_safetensors_path(file), *preset = dlg_safetensors_metadata(file, DLG_METADATA_MODEL),
               *seed = dlg_safetensors_metadata(file, DLG_METADATA_MODEL_SEED),
               *n_labels = dlg_safetensors_metadata(file, DLG_METADATA_N_LABELS);
    uint64_t labels = DLG_SOURCE_DEFAULT.n_labels;
    *out = DLG_SOURCE_DEFAULT;
    if (!preset)
        return dlg_fail(err, DLG_EFORMAT, "%s: want a model named in the metadata, found none; --model DIR names it",
                        path);
    if (!seed)
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: want a preset in the metadata, found the directory \"%.200s\"; --model DIR names it", path,
                        preset);
    out->preset = preset;
    out->task = dlg_safetensors_metadata(file, DLG_METADATA_TASK);
    if (!dlg_parse_whole(seed, 0, UINT64_MAX, &out->seed))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: metadata " DLG_METADATA_MODEL_SEED ": want a whole number, found \"%.60s\"", path, seed);
    if (n_labels && !dlg_parse_whole(n_labels, 1, SIZE_MAX, &labels))
        return dlg_fail(err, DLG_EFORMAT,
                        "%s: metadata " DLG_METADATA_N_LABELS ": want a whole number, found \"%.60s\"", path, n_labels);
    out->n_labels = (size_t)labels;
    return n_labels ? check_classes(file, labels, err) : DLG_OK;
}
