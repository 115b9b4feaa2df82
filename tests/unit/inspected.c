#include "inspected.h"
#include "analysed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 400 };

dlg_model *inspected_preset(dlg_task task, bool tied)
{
    dlg_config config = step_config(task, VOCABULARY, 64, POSITIONS);
    config.n_labels = CLASSES;
    config.initializer_range = 0.05;
    config.tied_decoder = tied;
    return step_model(&config, 1);
}

dlg_model *inspected_trained(const char *name)
{
    dlg_model *model = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/fixtures/%s", DLG_SHARED, name);
    if (dlg_model_open(&model, path, DLG_BOTH_WAYS, NULL)) return NULL;
    return model;
}

/* Words that differ from each other within a step, and between seeds. */
static uint32_t word(const dlg_model *model, size_t i, size_t seed)
{
    return (uint32_t)(10 + (37 * i + 101 * seed) % (model->config.vocabulary_size - 10));
}

void inspected_share(shared_step *s, dlg_model *model, size_t n_sentences, const size_t *lengths, size_t n_labels,
                     size_t stride, size_t distinct)
{
    size_t rows[STEP_ROWS], n = 0;
    step_begin(s, model, n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++) {
        if (s->fed[i]) continue;
        s->fed[i] = word(model, i, 0);
        if (s->batch.position[i] % stride || n == n_labels) continue;
        s->fed[i] = MASK;
        s->labels[n] = word(model, n % distinct, 7);
        rows[n++] = i;
    }
    assert_int_equal(n, n_labels);
    step_share(s, n, rows);
}

void inspected_share_classes(shared_step *s, dlg_model *model, size_t n_sentences, const size_t *lengths,
                             const size_t *classes)
{
    step_begin(s, model, n_sentences, lengths);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = word(model, i, 3);
    memcpy(s->labels, classes, n_sentences * sizeof *classes);
    step_share(s, 0, NULL);
}

void inspected_scale(shared_step *s, double factor)
{
    for (size_t i = 0; i < s->gradient.n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&s->model->parameters[i]); k++)
            s->gradient.owned[i][k] = (dlg_real)(factor * (double)s->gradient.owned[i][k]);
}

dlg_inspection inspected_read(const shared_step *s)
{
    dlg_inspection found;
    dlg_error err;
    if (analysed_inspection(&found, &s->gradient, &err)) fail_msg("%s", err.message);
    return found;
}

void inspected_assert_labels(const dlg_inspection *found, const shared_step *s)
{
    bool used[STEP_ROWS] = {false};
    assert_int_equal(found->n_labels, s->batch.n_predicted);
    for (size_t i = 0; i < s->batch.n_predicted; i++) {
        size_t j = 0;
        while (j < s->batch.n_predicted && (used[j] || s->labels[j] != found->labels[i])) j++;
        if (j == s->batch.n_predicted) fail_msg("label %zu is none, or too often", found->labels[i]);
        used[j] = true;
    }
}

static bool was_fed(const shared_step *s, uint32_t token)
{
    bool is_there = false;
    for (size_t i = 0; i < s->batch.n_rows; i++) is_there = is_there || s->fed[i] == token;
    return is_there;
}

void inspected_assert_tokens(const dlg_inspection *found, const shared_step *s)
{
    for (size_t i = 0; i < found->tokens.n; i++) {
        if (!was_fed(s, found->tokens.tokens[i])) fail_msg("token %u was not fed", found->tokens.tokens[i]);
        assert_true(!i || found->tokens.tokens[i] > found->tokens.tokens[i - 1]);
    }
    for (size_t i = 0; i < s->batch.n_rows; i++) {
        bool is_there = false;
        for (size_t j = 0; j < found->tokens.n; j++) is_there = is_there || found->tokens.tokens[j] == s->fed[i];
        if (!is_there) fail_msg("token %u was fed and is not found", s->fed[i]);
    }
}

void inspected_assert_text(const dlg_inspection *found, const shared_step *s)
{
    assert_non_null(found->text);
    assert_int_equal(found->length, s->batch.n_rows);
    assert_memory_equal(found->text, s->fed, s->batch.n_rows * sizeof *s->fed);
}
