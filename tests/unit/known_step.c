#include "known_step.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

dlg_model *known_model(dlg_task task)
{
    dlg_config config = step_config(task, VOCABULARY, 64, POSITIONS);
    config.initializer_range = 0.02;
    return step_model(&config, 1);
}

void known_share_masked(shared_step *s)
{
    step_begin(s, known_model(DLG_MASKED_LM), 1, &(size_t){LENGTH});
    for (uint32_t i = 1; i < LENGTH - 1; i++) s->fed[i] = 20 + 7 * i;
    for (size_t i = 0; i < N_MASKS; i++) s->fed[positions[i]] = MASK;
    memcpy(s->labels, labels, sizeof labels);
    step_share(s, N_MASKS, positions);
}

void known_share_classified(shared_step *s, size_t n_sentences, const size_t *classes)
{
    step_begin(s, known_model(DLG_SEQUENCE_CLASSIFICATION), n_sentences, (const size_t[]){LENGTH, LENGTH, LENGTH});
    for (uint32_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = 20 + 5 * i;
    memcpy(s->labels, classes, n_sentences * sizeof *classes);
    step_share(s, 0, NULL);
}

void known_share_two(shared_step *s, dlg_task task, size_t first, size_t second)
{
    const bool is_masked = task == DLG_MASKED_LM;
    const size_t rows[] = {2, first + 3}, named[] = {77, 150}, classes[] = {1, 1};
    step_begin(s, known_model(task), 2, (const size_t[]){first, second});
    for (uint32_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = 20 + i * 37 % 160;
    for (size_t i = 0; i < 2 && is_masked; i++) s->fed[rows[i]] = MASK;
    memcpy(s->labels, is_masked ? named : classes, sizeof named);
    step_share(s, is_masked ? 2 : 0, rows);
}

void assert_numbers(size_t n, const size_t *found, size_t n_wanted, const size_t *wanted)
{
    assert_int_equal(n, n_wanted);
    for (size_t i = 0; i < n; i++) assert_int_equal(found[i], wanted[i]);
}
