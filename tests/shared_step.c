#include "shared_step.h"

#include "defend/defence.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

dlg_config step_config(dlg_task task, size_t vocabulary_size, size_t hidden_size, size_t max_positions)
{
    return (dlg_config){.task = task,
                        .vocabulary_size = vocabulary_size,
                        .hidden_size = hidden_size,
                        .n_layers = 2,
                        .n_heads = 2,
                        .intermediate_size = 2 * hidden_size,
                        .max_positions = max_positions,
                        .n_token_types = 2,
                        .n_labels = 3,
                        .layer_norm_eps = 1e-12,
                        .initializer_range = 0.2,
                        .tied_decoder = true};
}

dlg_model *step_model(const dlg_config *config, uint64_t seed)
{
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, "small", config, seed, NULL), DLG_OK);
    return model;
}

void step_begin(shared_step *s, dlg_model *model, size_t n_sentences, const size_t *lengths)
{
    *s = (shared_step){.model = model};
    assert_int_equal(dlg_batch_create(&s->batch, model->config.task, n_sentences, lengths, NULL), DLG_OK);
    assert_true(s->batch.n_rows <= STEP_ROWS);
    for (size_t b = 0; b < n_sentences; b++) {
        s->fed[s->batch.first[b]] = CLS;
        s->fed[s->batch.first[b + 1] - 1] = SEP;
    }
}

void step_share(shared_step *s, size_t n_predicted, const size_t *rows)
{
    if (n_predicted) assert_int_equal(dlg_batch_predict(&s->batch, n_predicted, rows, NULL), DLG_OK);
    const dlg_step step = {&s->batch, s->fed, s->labels, NULL, NULL, NULL};
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &step, NULL), DLG_OK);
}

void step_share_sentence(shared_step *s, dlg_task task)
{
    const dlg_config config = step_config(task, STEP_WORDS, 64, 20);
    const bool is_mlm = task == DLG_MASKED_LM;
    step_begin(s, step_model(&config, 2), 1, (const size_t[]){STEP_LENGTH});
    for (uint32_t i = 1; i + 1 < STEP_LENGTH; i++) s->fed[i] = 10 + 13 * i;
    if (is_mlm) s->fed[STEP_MASKED] = MASK;
    s->labels[0] = is_mlm ? STEP_LABEL : 1;
    step_share(s, is_mlm, (const size_t[]){STEP_MASKED});
}

void step_defend(shared_step *s, const char *spec, uint64_t seed)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(
            dlg_defence_apply(&defence, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), seed, NULL), DLG_OK);
    }
}

void step_release(shared_step *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_batch_release(&s->batch);
    dlg_model_free(s->model);
}
