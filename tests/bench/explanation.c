/*
 * bench_explanation: the table behind the tolerances of matching/explanation.c. For preset models, random weights and
 * random texts: what the true text leaves of its own gradient, which is rounding; and what a text leaves in which one
 * token is another, the one with the nearest embedding. Prints Markdown.
 */
#include "matching/explanation.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/random.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 30522, LENGTH = 20, SEEDS = 3, MOST_SENTENCES = 4, FIRST_WORD = 1000 };

typedef struct {
    const char *preset;
    dlg_task task;
    size_t n_sentences;
} setting;

static const setting settings[] = {
    {"tiny", DLG_MASKED_LM, 1},
    {"tiny", DLG_MASKED_LM, 4},
    {"tiny", DLG_SEQUENCE_CLASSIFICATION, 1},
    {"tiny", DLG_SEQUENCE_CLASSIFICATION, 4},
    {"mini", DLG_MASKED_LM, 1},
    {"mini", DLG_MASKED_LM, 4},
    {"mini", DLG_SEQUENCE_CLASSIFICATION, 4},
    {"base", DLG_MASKED_LM, 1},
    {"base", DLG_SEQUENCE_CLASSIFICATION, 4},
};

static void stop_if(dlg_status status, const dlg_error *err)
{
    if (!status) return;
    fprintf(stderr, "bench_explanation: %s\n", err->message);
    exit(1);
}

static void *allocate(size_t n, size_t bytes)
{
    const dlg_error err = {DLG_ENOMEM, "no memory"};
    void *block = dlg_allocate(n, bytes);
    stop_if(block ? DLG_OK : DLG_ENOMEM, &err);
    return block;
}

/* The token whose embedding is nearest to that token's. */
static uint32_t nearest(const dlg_model *model, uint32_t token)
{
    const dlg_real *words = dlg_model_word_embeddings(model);
    const size_t H = model->config.hidden_size;
    double least = INFINITY;
    uint32_t found = token;
    for (uint32_t v = 0; v < VOCABULARY; v++) {
        double apart = 0;
        for (size_t i = 0; i < H; i++) {
            const double d = (double)words[v * H + i] - (double)words[token * H + i];
            apart += d * d;
        }
        if (v != token && apart < least) least = apart, found = v;
    }
    return found;
}

typedef struct {
    dlg_model *model;
    dlg_batch batch;
    dlg_gradient gradient;
    uint32_t fed[MOST_SENTENCES * LENGTH];
    size_t labels[MOST_SENTENCES], rows[MOST_SENTENCES];
} step;

static void share(step *s, const setting *of, uint64_t seed)
{
    dlg_error err;
    dlg_config config;
    size_t lengths[MOST_SENTENCES];
    dlg_random random = dlg_random_at(seed, dlg_random_stream("explanation"));
    *s = (step){0};
    for (size_t b = 0; b < of->n_sentences; b++) lengths[b] = LENGTH;
    stop_if(dlg_config_preset(&config, of->preset, of->task, VOCABULARY, 3, &err), &err);
    stop_if(dlg_model_preset(&s->model, of->preset, &config, seed, &err), &err);
    stop_if(dlg_batch_create(&s->batch, of->task, of->n_sentences, lengths, &err), &err);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        s->fed[i] = FIRST_WORD + (uint32_t)(dlg_random_uniform(&random) * (VOCABULARY - FIRST_WORD));
    for (size_t b = 0; b < of->n_sentences; b++) {
        s->rows[b] = b * LENGTH + 5;
        s->labels[b] = of->task == DLG_MASKED_LM ? FIRST_WORD + 77 * b : b % 3;
    }
    if (of->task == DLG_MASKED_LM) stop_if(dlg_batch_predict(&s->batch, of->n_sentences, s->rows, &err), &err);
    stop_if(dlg_gradient_share(&s->gradient, NULL, s->model,
                               &(dlg_step){&s->batch, s->fed, s->labels, NULL, NULL, NULL}, &err),
            &err);
}

static dlg_explanation explain(const step *s, dlg_objective *objective, const dlg_real *share)
{
    const size_t H = s->model->config.hidden_size, n = s->batch.n_rows;
    const dlg_soft_labels labels = {s->batch.n_predicted, s->labels, share, NULL, NULL, false};
    dlg_real *x = allocate(n * H, sizeof *x), *rows = allocate(DLG_EXPLANATION_ROWS * H, sizeof *rows);
    for (size_t i = 0; i < n; i++)
        memcpy(x + i * H, dlg_model_word_embeddings(s->model) + (size_t)s->fed[i] * H, H * sizeof *x);
    (void)dlg_objective_distance(objective, &labels, x);
    const dlg_explanation found = dlg_explanation_find(objective, s->fed, rows);
    dlg_free(x);
    dlg_free(rows);
    return found;
}

static void measure(const setting *of)
{
    double whole = 0, worst = 0, text = 1, wrong_whole = INFINITY, wrong = INFINITY;
    char tensor[96] = "";
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        dlg_error err;
        dlg_objective *objective;
        step s;
        share(&s, of, seed);
        const size_t n = s.batch.n_predicted;
        dlg_real *certain = allocate(n * n, sizeof *certain);
        for (size_t i = 0; i < n; i++) certain[i * n + i] = 1;
        stop_if(dlg_objective_create(&objective, &s.gradient, &s.batch, n, &dlg_l2, &err), &err);
        dlg_explanation e = explain(&s, objective, certain);
        if (e.worst > worst) snprintf(tensor, sizeof tensor, "%s", e.tensor);
        whole = fmax(whole, e.whole);
        worst = fmax(worst, e.worst);
        text = fmin(text, e.text);
        s.fed[2] = nearest(s.model, s.fed[2]);
        e = explain(&s, objective, certain);
        wrong_whole = fmin(wrong_whole, e.whole);
        wrong = fmin(wrong, e.worst);
        dlg_objective_free(objective);
        dlg_free(certain);
        dlg_gradient_release(&s.gradient);
        dlg_batch_release(&s.batch);
        dlg_model_free(s.model);
    }
    printf("| %s, %s, %zu | %.1e | %.1e | %s | %.1e | %.1e | %.1e |\n", of->preset, dlg_task_name(of->task),
           of->n_sentences, whole, worst, tensor, text, wrong_whole, wrong);
    fflush(stdout);
}

int main(void)
{
    dlg_blas_start(2);
    printf("| preset, task, sentences | true text: of all | of one tensor, most | which | text's part, least | "
           "one token wrong: of all, least | of one, least |\n|---|---:|---:|---|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) measure(&settings[i]);
    return 0;
}
