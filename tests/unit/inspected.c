#include "inspected.h"

#include "defend/defence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 400 };

static const dlg_special_tokens special = {.cls = CLS, .sep = SEP, .mask = MASK};

dlg_model *inspected_preset(dlg_task task, bool tied)
{
    const dlg_config config = {.task = task,
                               .vocabulary_size = VOCABULARY,
                               .hidden_size = 64,
                               .n_layers = 2,
                               .n_heads = 2,
                               .intermediate_size = 128,
                               .max_positions = POSITIONS,
                               .n_token_types = 2,
                               .n_labels = CLASSES,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.05,
                               .tied_decoder = tied};
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, "small", &config, 1, NULL), DLG_OK);
    return model;
}

dlg_model *inspected_trained(const char *name)
{
    dlg_model *model = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/fixtures/%s", DLG_SHARED, name);
    if (dlg_model_load(&model, path, DLG_BOTH_WAYS, NULL)) return NULL;
    return model;
}

/* Words that differ from each other within a step, and between seeds. */
static uint32_t word(const dlg_model *model, size_t i, size_t seed)
{
    return (uint32_t)(10 + (37 * i + 101 * seed) % (model->config.vocabulary_size - 10));
}

void inspected_share(inspected *s, dlg_model *model, size_t n_sentences, const size_t *lengths, size_t n_labels,
                     size_t stride, size_t distinct)
{
    dlg_batch batch = {0};
    size_t rows[MOST_LABELS];
    *s = (inspected){.model = model};
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, s->n_rows++) {
            const bool inner = t > 0 && t + 1 < lengths[b];
            s->fed[s->n_rows] = t == 0 ? CLS : inner ? word(model, s->n_rows, 0) : SEP;
            if (!inner || t % stride || s->n_labels == n_labels) continue;
            rows[s->n_labels] = s->n_rows;
            s->fed[s->n_rows] = MASK;
            s->labels[s->n_labels] = word(model, s->n_labels % distinct, 7);
            s->n_labels++;
        }
    assert_int_equal(s->n_labels, n_labels);
    assert_int_equal(dlg_batch_create(&batch, model->config.task, n_sentences, lengths, NULL), DLG_OK);
    if (model->config.task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(&batch, n_labels, rows, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, model, &(dlg_step){&batch, s->fed, s->labels}, NULL),
                     DLG_OK);
    dlg_batch_release(&batch);
}

void inspected_share_classes(inspected *s, dlg_model *model, size_t n_sentences, const size_t *lengths,
                             const size_t *classes)
{
    dlg_batch batch = {0};
    *s = (inspected){.model = model, .n_labels = n_sentences};
    memcpy(s->labels, classes, n_sentences * sizeof *classes);
    for (size_t b = 0; b < n_sentences; b++)
        for (size_t t = 0; t < lengths[b]; t++, s->n_rows++)
            s->fed[s->n_rows] = t == 0 ? CLS : t + 1 < lengths[b] ? word(model, s->n_rows, 3) : SEP;
    assert_int_equal(dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, model, &(dlg_step){&batch, s->fed, classes}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

void inspected_release(inspected *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_model_free(s->model);
}

void inspected_defend(inspected *s, const char *spec)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(dlg_defence_apply(&defence, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), 1, NULL),
                         DLG_OK);
    }
}

void inspected_scale(inspected *s, double factor)
{
    for (size_t i = 0; i < s->gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&s->model->parameters[i]); k++)
            s->gradient.owned[i][k] = (dlg_real)(factor * (double)s->gradient.owned[i][k]);
}

dlg_inspection inspected_read(const inspected *s)
{
    dlg_inspection found;
    dlg_error err;
    if (dlg_inspect(&found, &s->gradient, special, &err)) fail_msg("%s", err.message);
    return found;
}

void inspected_assert_labels(const dlg_inspection *found, const inspected *s)
{
    bool used[MOST_LABELS] = {false};
    assert_int_equal(found->n_labels, s->n_labels);
    for (size_t i = 0; i < s->n_labels; i++) {
        size_t j = 0;
        while (j < s->n_labels && (used[j] || s->labels[j] != found->labels[i])) j++;
        if (j == s->n_labels) fail_msg("label %zu is none, or too often", found->labels[i]);
        used[j] = true;
    }
}

static bool was_fed(const inspected *s, uint32_t token)
{
    bool is_there = false;
    for (size_t i = 0; i < s->n_rows; i++) is_there = is_there || s->fed[i] == token;
    return is_there;
}

void inspected_assert_tokens(const dlg_inspection *found, const inspected *s)
{
    for (size_t i = 0; i < found->tokens.n; i++) {
        if (!was_fed(s, found->tokens.tokens[i])) fail_msg("token %u was not fed", found->tokens.tokens[i]);
        assert_true(!i || found->tokens.tokens[i] > found->tokens.tokens[i - 1]);
    }
    for (size_t i = 0; i < s->n_rows; i++) {
        bool is_there = false;
        for (size_t j = 0; j < found->tokens.n; j++) is_there = is_there || found->tokens.tokens[j] == s->fed[i];
        if (!is_there) fail_msg("token %u was fed and is not found", s->fed[i]);
    }
}

void inspected_assert_text(const dlg_inspection *found, const inspected *s)
{
    assert_non_null(found->text);
    assert_int_equal(found->length, s->n_rows);
    assert_memory_equal(found->text, s->fed, s->n_rows * sizeof *s->fed);
}
