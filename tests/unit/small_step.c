#include "small_step.h"

#include "defend/defence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

dlg_model *small_step_model(size_t vocabulary_size, size_t hidden_size, size_t max_positions)
{
    const dlg_config config = {.task = DLG_MASKED_LM,
                               .vocabulary_size = vocabulary_size,
                               .hidden_size = hidden_size,
                               .n_layers = 2,
                               .n_heads = 2,
                               .intermediate_size = 32,
                               .max_positions = max_positions,
                               .n_token_types = 2,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.2,
                               .tied_decoder = true};
    dlg_model *model;
    assert_int_equal(dlg_model_preset(&model, "small", &config, 1, NULL), DLG_OK);
    return model;
}

void small_step_share(small_step *step, dlg_model *model, size_t n_sentences, const size_t *lengths,
                      const uint32_t *fed, size_t n_predicted, const size_t *rows, const size_t *labels)
{
    *step = (small_step){.model = model};
    assert_int_equal(dlg_batch_create(&step->batch, DLG_MASKED_LM, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&step->batch, n_predicted, rows, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&step->gradient, NULL, model, &(dlg_step){&step->batch, fed, labels}, NULL),
                     DLG_OK);
}

void small_step_defend(small_step *step, const char *spec)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < step->gradient.n; i++) {
        const dlg_parameter *p = &step->model->parameters[i];
        assert_int_equal(
            dlg_defence_apply(&defence, 1, p->name, step->gradient.owned[i], dlg_parameter_items(p), 3, NULL), DLG_OK);
    }
}

void small_step_release(small_step *step)
{
    dlg_gradient_release(&step->gradient);
    dlg_batch_release(&step->batch);
    dlg_model_free(step->model);
}
