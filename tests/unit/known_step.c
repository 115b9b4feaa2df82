#include "known_step.h"

#include "defend/defence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void known_create_model(dlg_model **out, dlg_task task)
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
                               .initializer_range = 0.02,
                               .tied_decoder = true};
    assert_int_equal(dlg_model_preset(out, "small", &config, 1, NULL), DLG_OK);
}

void known_share_masked(known_step *s, uint32_t *out)
{
    const size_t length = LENGTH;
    dlg_batch batch = {0};
    uint32_t fed[LENGTH];
    known_create_model(&s->model, DLG_MASKED_LM);
    for (uint32_t i = 0; i < LENGTH; i++) fed[i] = 20 + 7 * i;
    fed[0] = CLS;
    fed[LENGTH - 1] = SEP;
    for (size_t i = 0; i < N_MASKS; i++) fed[positions[i]] = MASK;
    if (out) memcpy(out, fed, sizeof fed);
    assert_int_equal(dlg_batch_create(&batch, DLG_MASKED_LM, 1, &length, NULL), DLG_OK);
    assert_int_equal(dlg_batch_predict(&batch, N_MASKS, positions, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &(dlg_step){&batch, fed, labels}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

void known_share_classified(known_step *s, size_t n_sentences, const size_t *classes)
{
    const size_t lengths[] = {LENGTH, LENGTH, LENGTH};
    dlg_batch batch = {0};
    uint32_t fed[3 * LENGTH];
    known_create_model(&s->model, DLG_SEQUENCE_CLASSIFICATION);
    for (uint32_t i = 0; i < 3 * LENGTH; i++)
        fed[i] = i % LENGTH == 0 ? CLS : i % LENGTH == LENGTH - 1 ? SEP : 20 + 5 * i;
    assert_int_equal(dlg_batch_create(&batch, DLG_SEQUENCE_CLASSIFICATION, n_sentences, lengths, NULL), DLG_OK);
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &(dlg_step){&batch, fed, classes}, NULL), DLG_OK);
    dlg_batch_release(&batch);
}

void known_release(known_step *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_model_free(s->model);
}

void known_defend(known_step *s, const char *spec, uint64_t seed)
{
    dlg_defence defence;
    assert_int_equal(dlg_defence_parse(&defence, spec, NULL), DLG_OK);
    for (size_t i = 0; i < s->gradient.n; i++) {
        const dlg_parameter *p = &s->model->parameters[i];
        assert_int_equal(
            dlg_defence_apply(&defence, 1, p->name, s->gradient.owned[i], dlg_parameter_items(p), seed, NULL), DLG_OK);
    }
}

void assert_numbers(size_t n, const size_t *found, size_t n_wanted, const size_t *wanted)
{
    assert_int_equal(n, n_wanted);
    for (size_t i = 0; i < n; i++) assert_int_equal(found[i], wanted[i]);
}

void known_share_two(known_step *s, dlg_task task, size_t first, size_t second)
{
    const size_t lengths[] = {first, second}, rows[] = {2, first + 3}, named[] = {77, 150}, classes[] = {1, 1};
    dlg_batch batch = {0};
    uint32_t fed[2 * POSITIONS];
    known_create_model(&s->model, task);
    for (uint32_t i = 0; i < first + second; i++) fed[i] = 20 + i * 37 % 160;
    fed[0] = fed[first] = CLS;
    fed[first - 1] = fed[first + second - 1] = SEP;
    for (size_t i = 0; i < 2 && task == DLG_MASKED_LM; i++) fed[rows[i]] = MASK;
    assert_int_equal(dlg_batch_create(&batch, task, 2, lengths, NULL), DLG_OK);
    if (task == DLG_MASKED_LM) assert_int_equal(dlg_batch_predict(&batch, 2, rows, NULL), DLG_OK);
    const dlg_step step = {&batch, fed, task == DLG_MASKED_LM ? named : classes};
    assert_int_equal(dlg_gradient_share(&s->gradient, NULL, s->model, &step, NULL), DLG_OK);
    dlg_batch_release(&batch);
}
