#include "io/truth.h"

#include "base/memory.h"
#include "gradient/masking.h"
#include "library/fit.h"
#include "library/texts.h"
#include "models/model.h"

#include <string.h>

static void note_cut(const dlg_participation *how, const dlg_text *text, size_t full, size_t left)
{
    dlg_error line = {.status = DLG_OK}; /* as long as a message, and as fit to be shown */
    (void)dlg_fail(&line, DLG_OK, "%s: cut from %zu to %zu tokens", text->origin, full, left);
    how->note(how->payload, line.message);
}

/* The ids of one input; behind `middle`, the end between them, stands the second of a pair, which else is 0. */
typedef struct {
    dlg_tokens tokens, second;
    size_t middle;
} encoded;

/* Append the second's ids and another end. What is too long is cut a token at a time, off the longer one. */
static dlg_status join(encoded *out, const dlg_special_tokens *special, size_t most, dlg_error *err)
{
    dlg_tokens *a = &out->tokens;
    size_t n_first = a->n - 2, n_second = out->second.n;
    while (most && n_first + n_second + 3 > most && n_first + n_second > 0)
        (*(n_first > n_second ? &n_first : &n_second))--;
    const size_t n = n_first + n_second + 3;
    uint32_t *ids = dlg_reallocate(a->ids, a->n, n > a->capacity ? n : a->capacity, sizeof *ids);
    if (!ids) return dlg_fail(err, DLG_ENOMEM, "text: no memory for %zu tokens", n);
    a->ids = ids;
    a->capacity = n > a->capacity ? n : a->capacity;
    ids[out->middle = n_first + 1] = special->end;
    if (n_second) memcpy(ids + out->middle + 1, out->second.ids, n_second * sizeof *ids);
    ids[n - 1] = special->end;
    a->n = n;
    return DLG_OK;
}

static dlg_status encode_both(encoded *out, size_t *full, const dlg_model *model, const dlg_text *text, size_t most,
                              dlg_error *err)
{
    const dlg_special_tokens special = dlg_tokenizer_special(model->tokenizer);
    dlg_tokens *a = &out->tokens, *b = &out->second;
    size_t n_second = 0;
    dlg_status status =
        dlg_tokenizer_encode(model->tokenizer, a, text->bytes, text->n_bytes, true, text->pair ? 0 : most, full, err);
    if (status || !text->pair) return status;
    if (most && most < 5) return dlg_fail(err, DLG_EARG, "want room for at least 5 tokens of a pair, found %zu", most);
    status = dlg_tokenizer_encode(model->tokenizer, b, text->pair, strlen(text->pair), false, 0, &n_second, err);
    if (!status && *full > 2 && !n_second)
        return dlg_fail(err, DLG_EFORMAT, "second: want at least one token, found none");
    if (!status) *full += n_second + (*full > 2 ? 1 : 0);
    return status ? status : join(out, &special, most, err);
}

static dlg_status encode(encoded *both, const dlg_model *model, const dlg_text *text, const dlg_participation *how,
                         dlg_error *err)
{
    dlg_tokens *out = &both->tokens;
    const size_t limit = model->config.max_positions;
    size_t full;
    dlg_error cause = {0};
    const dlg_status status = encode_both(both, &full, model, text, how->max_length, &cause);
    if (status) return dlg_fail(err, status, "%s: %s", text->origin, cause.message);
    if (out->n > limit)
        return dlg_fail(
            err, DLG_EFORMAT,
            "%s: want at most the %zu tokens that %s has positions for, found %zu; --max-length %zu cuts it",
            text->origin, limit, model->name, out->n, limit);
    if (full == 2) return dlg_fail(err, DLG_EFORMAT, "%s: want at least one token, found none", text->origin);
    if (full > out->n && how->note) note_cut(how, text, full, out->n);
    return DLG_OK;
}

static dlg_status check_labels(const dlg_model *model, const dlg_texts *texts, const dlg_participation *how,
                               dlg_error *err)
{
    const dlg_config *config = &model->config;
    const size_t wanted = config->task == DLG_SEQUENCE_CLASSIFICATION ? texts->n : 0;
    if (how->n_labels != wanted)
        return dlg_fail(err, DLG_EARG, "labels: want one for each of the %zu texts of a classifier, found %zu", wanted,
                        how->n_labels);
    for (size_t b = 0; b < how->n_labels; b++)
        if (how->labels[b] >= config->n_labels)
            return dlg_fail(err, DLG_ESHAPE, "%s: label: want one of the %zu classes of %s, found %llu",
                            texts->items[b].origin, config->n_labels, model->name, (unsigned long long)how->labels[b]);
    return DLG_OK;
}

/* The types of a pair, where the model has two, and its second text. */
static dlg_status fill_pair(dlg_truth *out, const dlg_model *model, size_t b, size_t middle, const dlg_text *text,
                            dlg_error *err)
{
    size_t n_types;
    dlg_model_types(model, &n_types);
    for (size_t i = out->first[b] + middle + 1; n_types > 1 && i < out->first[b + 1]; i++) out->types[i] = 1;
    if (!out->pair) out->pair = dlg_allocate(out->n_sentences, sizeof *out->pair);
    if (out->pair) out->pair[b] = dlg_copy_string(text->pair);
    return out->pair && out->pair[b] ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "truth: no memory for %s", text->origin);
}

static dlg_status fill(dlg_truth *out, const dlg_model *model, const encoded *inputs, const dlg_texts *texts,
                       const dlg_participation *how, dlg_error *err)
{
    const dlg_special_tokens special = dlg_tokenizer_special(model->tokenizer);
    const dlg_masking masking = {how->mask_rate, how->mask_style, special.mask, model->config.vocabulary_size};
    out->seed = how->seed;
    out->pad = special.pad;
    out->text = dlg_allocate(texts->n, sizeof *out->text);
    if (!out->text) return dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu texts", texts->n);
    for (size_t b = 0; b < texts->n; b++) {
        const dlg_tokens *tokens = &inputs[b].tokens;
        const size_t at = out->first[b], n = tokens->n, middle = inputs[b].middle;
        memcpy(out->ids + at, tokens->ids, n * sizeof *out->ids);
        memcpy(out->fed + at, tokens->ids, n * sizeof *out->fed);
        out->text[b] = dlg_copy_string(texts->items[b].bytes);
        if (!out->text[b]) return dlg_fail(err, DLG_ENOMEM, "truth: no memory for %zu texts", texts->n);
        if (out->is_classification) out->labels[b] = (int64_t)how->labels[b];
        dlg_status status = middle ? fill_pair(out, model, b, middle, &texts->items[b], err) : DLG_OK;
        if (!status && !out->is_classification)
            status = dlg_masking_apply(&masking, how->seed, b, n, middle, out->fed + at, out->labels + at, err);
        if (status) return status;
    }
    return DLG_OK;
}

/* What a seed of a truth file can be, as JSON's numbers are exact up to there. */
static const uint64_t largest_seed = UINT64_C(1) << 53;

static dlg_status check_how(const dlg_participation *how, dlg_error *err)
{
    if (!(how->mask_rate >= 0 && how->mask_rate <= 1))
        return dlg_fail(err, DLG_EARG, "mask rate: want a number from 0 to 1, found %g", how->mask_rate);
    if (!(how->dropout >= 0 && how->dropout < 1))
        return dlg_fail(err, DLG_EARG, "dropout: want a number from 0 to below 1, found %g", how->dropout);
    if (how->max_length && how->max_length < 3)
        return dlg_fail(err, DLG_EARG, "maximal length: want at least 3 tokens, found %zu", how->max_length);
    if ((unsigned)how->mask_style > DLG_MASK_BERT)
        return dlg_fail(err, DLG_EARG, "mask style: want a dlg_mask_style, found %d", (int)how->mask_style);
    if (how->seed > largest_seed)
        return dlg_fail(err, DLG_EARG, "seed: want at most 2^53, found %llu", (unsigned long long)how->seed);
    return DLG_OK;
}

static dlg_status read_texts(dlg_truth *out, const dlg_model *model, const dlg_texts *texts,
                             const dlg_participation *how, dlg_error *err)
{
    const bool is_classifier = model->config.task == DLG_SEQUENCE_CLASSIFICATION;
    encoded *inputs = dlg_allocate(texts->n, sizeof *inputs);
    size_t *lengths = dlg_allocate(texts->n, sizeof *lengths);
    dlg_status status = DLG_OK;
    if (!inputs || !lengths) status = dlg_fail(err, DLG_ENOMEM, "texts: no memory for %zu", texts->n);
    if (!status && !texts->n) status = dlg_fail(err, DLG_EARG, "texts: want at least one, found none");
    if (!status) status = check_labels(model, texts, how, err);
    for (size_t b = 0; b < texts->n && !status; b++) {
        status = encode(&inputs[b], model, &texts->items[b], how, err);
        lengths[b] = inputs[b].tokens.n;
    }
    if (!status) status = dlg_truth_create(out, is_classifier, texts->n, lengths, err);
    if (!status) status = fill(out, model, inputs, texts, how, err);
    for (size_t b = 0; inputs && b < texts->n; b++) {
        dlg_tokens_release(&inputs[b].tokens);
        dlg_tokens_release(&inputs[b].second);
    }
    dlg_free(inputs);
    dlg_free(lengths);
    return status;
}

/* Hand the truth over when all went well, else free it. */
static dlg_status finish(dlg_truth **out, dlg_truth *truth, dlg_status status)
{
    if (status) dlg_truth_free(truth);
    *out = status ? NULL : truth;
    return status;
}

dlg_status dlg_truth_of_texts(dlg_truth **out, const dlg_model *model, const dlg_texts *texts,
                              const dlg_participation *how, dlg_error *err)
{
    static const dlg_participation by_default = DLG_PARTICIPATION_INIT;
    dlg_truth *truth = dlg_allocate(1, sizeof *truth);
    dlg_status status = truth ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "truth: no memory");
    if (!how) how = &by_default;
    if (!status) status = dlg_fit_trained(model, err);
    if (!status) status = check_how(how, err);
    if (!status) status = read_texts(truth, model, texts, how, err);
    if (!status) {
        truth->dropped = how->dropout;
        truth->dropout = how->dropout > 0;
    }
    return finish(out, truth, status);
}

dlg_status dlg_truth_open(dlg_truth **out, const char *path, dlg_error *err)
{
    dlg_truth *truth = dlg_allocate(1, sizeof *truth);
    dlg_status status = truth ? dlg_truth_read(truth, path, err) : dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    if (!status) truth->name = dlg_copy_string(path);
    if (!status && !truth->name) status = dlg_fail(err, DLG_ENOMEM, "%s: no memory", path);
    return finish(out, truth, status);
}

void dlg_truth_free(dlg_truth *truth)
{
    if (truth) dlg_truth_release(truth);
    dlg_free(truth);
}

const char *dlg_truth_task(const dlg_truth *truth)
{
    return dlg_task_name(truth->is_classification ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM);
}
