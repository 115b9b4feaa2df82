#define _POSIX_C_SOURCE 200809L
#include "cli/participant.h"

#include "base/file.h"
#include "base/memory.h"

#include <math.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- texts to a step ---- */

static dlg_status encode(dlg_tokens *out, const dlg_source *source, const dlg_text *text, size_t max_length,
                         FILE *notes, dlg_error *err)
{
    const size_t limit = source->model->config.max_positions;
    size_t full;
    dlg_error cause = {0};
    const dlg_status status =
        dlg_tokenizer_encode(source->tokenizer, out, text->bytes, text->n_bytes, true, max_length, &full, &cause);
    if (status) return dlg_fail(err, status, "%s: %s", text->origin, cause.message);
    if (out->n > limit)
        return dlg_fail(
            err, DLG_EFORMAT,
            "%s: want at most the %zu tokens that %s has positions for, found %zu; --max-length %zu cuts it",
            text->origin, limit, source->model->name, out->n, limit);
    if (full == 2) return dlg_fail(err, DLG_EFORMAT, "%s: want at least one token, found none", text->origin);
    if (full > out->n && notes) fprintf(notes, "%s: cut from %zu to %zu tokens\n", text->origin, full, out->n);
    return DLG_OK;
}

static dlg_status check_labels(const dlg_source *source, const dlg_texts *texts, const dlg_participation *how,
                               dlg_error *err)
{
    const dlg_config *config = &source->model->config;
    const size_t wanted = config->task == DLG_SEQUENCE_CLASSIFICATION ? texts->n : 0;
    if (how->n_labels != wanted)
        return dlg_fail(err, DLG_EARG, "labels: want one for each of the %zu texts of a classifier, found %zu", wanted,
                        how->n_labels);
    for (size_t b = 0; b < how->n_labels; b++)
        if (how->labels[b] >= config->n_labels)
            return dlg_fail(err, DLG_ESHAPE, "%s: label: want one of the %zu classes of %s, found %llu",
                            texts->items[b].origin, config->n_labels, source->model->name,
                            (unsigned long long)how->labels[b]);
    return DLG_OK;
}

static dlg_status fill(dlg_truth *out, const dlg_source *source, const dlg_tokens *tokens, const dlg_texts *texts,
                       const dlg_participation *how, dlg_error *err)
{
    const dlg_special_tokens special = dlg_tokenizer_special(source->tokenizer);
    const dlg_masking masking = {how->mask_rate, how->mask_style, special.mask, source->model->config.vocabulary_size};
    out->seed = how->seed;
    out->pad = special.pad;
    out->text = dlg_allocate(texts->n, sizeof *out->text);
    if (!out->text) return dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu texts", texts->n);
    for (size_t b = 0; b < texts->n; b++) {
        const size_t at = out->first[b], n = tokens[b].n;
        memcpy(out->ids + at, tokens[b].ids, n * sizeof *out->ids);
        memcpy(out->fed + at, tokens[b].ids, n * sizeof *out->fed);
        out->text[b] = dlg_copy_string(texts->items[b].bytes);
        if (!out->text[b]) return dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu texts", texts->n);
        if (out->is_classification) out->labels[b] = (int64_t)how->labels[b];
        const dlg_status status =
            out->is_classification ? DLG_OK
                                   : dlg_masking_apply(&masking, how->seed, b, n, out->fed + at, out->labels + at, err);
        if (status) return status;
    }
    return DLG_OK;
}

dlg_status dlg_participant_read(dlg_truth *out, const dlg_source *source, const dlg_texts *texts,
                                const dlg_participation *how, FILE *notes, dlg_error *err)
{
    *out = (dlg_truth){0};
    dlg_tokens *tokens = dlg_allocate(texts->n, sizeof *tokens);
    size_t *lengths = dlg_allocate(texts->n, sizeof *lengths);
    dlg_status status = DLG_OK;
    if (!tokens || !lengths) status = dlg_fail(err, DLG_ENOMEM, "texts: no memory for %zu", texts->n);
    if (!status) status = check_labels(source, texts, how, err);
    for (size_t b = 0; b < texts->n && !status; b++) {
        status = encode(&tokens[b], source, &texts->items[b], how->max_length, notes, err);
        lengths[b] = tokens[b].n;
    }
    if (!status)
        status =
            dlg_truth_create(out, source->model->config.task == DLG_SEQUENCE_CLASSIFICATION, texts->n, lengths, err);
    if (!status) status = fill(out, source, tokens, texts, how, err);
    if (status) dlg_truth_release(out);
    for (size_t b = 0; tokens && b < texts->n; b++) dlg_tokens_release(&tokens[b]);
    dlg_free(tokens);
    dlg_free(lengths);
    return status;
}

/* ---- a step to its gradient ---- */

static dlg_status share_step(dlg_gradient *out, const dlg_model *model, dlg_truth *truth, dlg_error *err)
{
    dlg_batch batch = {0};
    dlg_status status = DLG_OK;
    size_t n_predicted = 0;
    size_t *lengths = dlg_allocate(truth->n_sentences, sizeof *lengths),
           *rows = dlg_allocate(truth->n_rows, sizeof *rows), *labels = dlg_allocate(truth->n_rows, sizeof *labels);
    if (!lengths || !rows || !labels) {
        status = dlg_fail(err, DLG_ENOMEM, "step: no memory for %zu tokens", truth->n_rows);
        goto out;
    }
    for (size_t b = 0; b < truth->n_sentences; b++) lengths[b] = truth->first[b + 1] - truth->first[b];
    const size_t n_labels = truth->is_classification ? truth->n_sentences : truth->n_rows;
    for (size_t i = 0; i < n_labels; i++) {
        if (truth->labels[i] == DLG_NO_LABEL) continue;
        rows[n_predicted] = i; /* a classifier's rows are the batch's own */
        labels[n_predicted++] = (size_t)truth->labels[i];
    }
    status = dlg_batch_create(&batch, model->config.task, truth->n_sentences, lengths, err);
    if (!status && !truth->is_classification) status = dlg_batch_predict(&batch, n_predicted, rows, err);
    if (!status) status = dlg_gradient_share(out, &truth->loss, model, &(dlg_step){&batch, truth->fed, labels}, err);
    if (!status && !isfinite(truth->loss)) {
        status = dlg_fail(err, DLG_ENONFINITE, "%s: want a finite loss, found %g", model->name, truth->loss);
        dlg_gradient_release(out);
    }
out:
    dlg_batch_release(&batch);
    dlg_free(lengths);
    dlg_free(rows);
    dlg_free(labels);
    return status;
}

dlg_status dlg_participant_share(dlg_gradient *out, const dlg_model *model, dlg_truth *step, size_t n_defences,
                                 const dlg_defence *defences, uint64_t seed, dlg_error *err)
{
    *out = (dlg_gradient){0};
    dlg_status status = share_step(out, model, step, err);
    for (size_t i = 0; i < out->n && !status; i++)
        status = dlg_defence_apply(defences, n_defences, model->parameters[i].name, out->owned[i],
                                   dlg_parameter_items(&model->parameters[i]), seed, err);
    if (status) dlg_gradient_release(out);
    return status;
}

/* ---- both to files ---- */

static dlg_status save_gradient(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, size_t n_metadata,
                                const dlg_metadata *metadata, dlg_error *err)
{
    dlg_tensor_source *tensors = dlg_allocate(gradient->n, sizeof *tensors);
    if (!tensors) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    for (size_t i = 0; i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        const size_t rows_and_columns[] = {p->n_rows, p->n_cols};
        tensors[i] = (dlg_tensor_source){.name = p->name, .n_dims = p->n_dims, .values = gradient->values[i]};
        memcpy(tensors[i].shape, rows_and_columns + (2 - p->n_dims), p->n_dims * sizeof *rows_and_columns);
    }
    const dlg_status status = dlg_safetensors_write(path, gradient->n, tensors, dtype, n_metadata, metadata, err);
    dlg_free(tensors);
    return status;
}

dlg_status dlg_participant_save(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, size_t n_metadata,
                                const dlg_metadata *metadata, const dlg_truth *truth, const char *truth_path,
                                dlg_error *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    dlg_status status = DLG_OK;
    dlg_file_writer *writer = NULL;
    /* A pipe may wait for its reader: what is written through cannot be whole or not at all anyway. */
    const bool waits = dlg_file_is_written_through(path) || (truth_path && dlg_file_is_written_through(truth_path));
    sigset_t interrupts, before;
    sigemptyset(&interrupts);
    for (size_t i = 0; !waits && i < sizeof signals / sizeof *signals; i++) sigaddset(&interrupts, signals[i]);
    sigprocmask(SIG_BLOCK, &interrupts, &before);
    /* The truth is all but there before the gradient appears: what is left to go wrong with it is its renaming. */
    if (truth_path) status = dlg_file_create(&writer, truth_path, err);
    if (!status && truth_path) status = dlg_truth_append(truth, writer, err);
    if (!status) status = save_gradient(gradient, path, dtype, n_metadata, metadata, err);
    if (status) {
        dlg_file_abandon(writer);
    } else if (truth_path) {
        status = dlg_file_commit(writer, err);
        if (status && !dlg_file_is_written_through(path)) unlink(path);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
