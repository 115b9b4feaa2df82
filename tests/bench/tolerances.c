/*
 * bench_tolerances [MODEL-DIRECTORY...]: the table behind the bounds of math/tolerance.h. For preset models with random
 * weights, and trained masked LMs where their folders are named, on random texts: the most that the truth leaves, and
 * the least that the nearest wrong hypothesis does. In a double build both for numbers in double and for the same
 * rounded to single precision, as most files have them. Prints Markdown.
 */
#include "residuals.h"

#include "math/blas.h"
#include "math/random.h"
#include "math/tolerance.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VOCABULARY = 30522, LENGTH = 20, SEEDS = 3, MOST_SENTENCES = 4, FIRST_WORD = 1000 };

static const dlg_special_tokens special = {.begin = 101, .end = 102, .mask = 103};

typedef struct {
    const char *preset, *folder; /* one of them */
    dlg_task task;
    size_t n_sentences;
} setting;

static const setting settings[] = {
    {"tiny", NULL, DLG_MASKED_LM, 1},
    {"tiny", NULL, DLG_MASKED_LM, 4},
    {"tiny", NULL, DLG_SEQUENCE_CLASSIFICATION, 1},
    {"tiny", NULL, DLG_SEQUENCE_CLASSIFICATION, 3}, /* each class once: the parts all but cancel */
    {"tiny", NULL, DLG_SEQUENCE_CLASSIFICATION, 4},
    {"mini", NULL, DLG_MASKED_LM, 1},
    {"mini", NULL, DLG_MASKED_LM, 4},
    {"mini", NULL, DLG_SEQUENCE_CLASSIFICATION, 4},
    {"base", NULL, DLG_MASKED_LM, 1},
    {"base", NULL, DLG_SEQUENCE_CLASSIFICATION, 4},
};

static void stop_if(dlg_status status, const dlg_error *err)
{
    if (!status) return;
    fprintf(stderr, "bench_tolerances: %s\n", err->message);
    exit(1);
}

typedef struct {
    dlg_model *model;
    dlg_batch batch;
    dlg_gradient gradient;
    uint32_t fed[MOST_SENTENCES * LENGTH];
    size_t labels[MOST_SENTENCES], rows[MOST_SENTENCES];
} step;

static void open_model(step *s, const setting *of, uint64_t seed)
{
    dlg_error err;
    dlg_config config;
    if (of->folder) {
        stop_if(dlg_model_open(&s->model, &(dlg_model_choice){.directory = of->folder}, &err), &err);
        return;
    }
    stop_if(dlg_config_preset(&config, of->preset, of->task, VOCABULARY, 3, &err), &err);
    stop_if(dlg_model_preset(&s->model, of->preset, &config, seed, &err), &err);
}

static void share(step *s, const setting *of, uint64_t seed)
{
    dlg_error err;
    size_t lengths[MOST_SENTENCES];
    dlg_random random = dlg_random_at(seed, dlg_random_stream("tolerances"));
    *s = (step){0};
    open_model(s, of, seed);
    const size_t n_words = s->model->config.vocabulary_size - FIRST_WORD;
    for (size_t b = 0; b < of->n_sentences; b++) lengths[b] = LENGTH;
    stop_if(dlg_batch_create(&s->batch, of->task, of->n_sentences, lengths, &err), &err);
    for (size_t i = 0; i < s->batch.n_rows; i++)
        s->fed[i] = FIRST_WORD + (uint32_t)(dlg_random_uniform(&random) * (double)n_words);
    for (size_t b = 0; b < of->n_sentences; b++) {
        s->fed[b * LENGTH] = special.begin;
        s->fed[b * LENGTH + LENGTH - 1] = special.end;
        s->rows[b] = b * LENGTH + 5;
        if (of->task == DLG_MASKED_LM) s->fed[s->rows[b]] = special.mask;
        s->labels[b] = of->task == DLG_MASKED_LM ? FIRST_WORD + 77 * b : b % 3;
    }
    if (of->task == DLG_MASKED_LM) stop_if(dlg_batch_predict(&s->batch, of->n_sentences, s->rows, &err), &err);
    stop_if(dlg_gradient_share(&s->gradient, NULL, s->model,
                               &(dlg_step){&s->batch, s->fed, s->labels, NULL, NULL, NULL}, &err),
            &err);
}

static void release(step *s)
{
    dlg_gradient_release(&s->gradient);
    dlg_batch_release(&s->batch);
    dlg_model_free(s->model);
}

static void round_to_single(dlg_gradient *gradient)
{
    for (size_t i = 0; i < gradient->n; i++)
        for (size_t k = 0; k < dlg_parameter_items(&gradient->model->parameters[i]); k++)
            gradient->owned[i][k] = (dlg_real)(float)gradient->owned[i][k];
    gradient->roundoff = DLG_SINGLE_ROUNDOFF;
}

/* The most of the truth and the least of what is wrong, of two. */
static void take_worse(residual *out, const residual *r)
{
    for (size_t i = 0; i < RESIDUALS; i++) {
        if (*r[i].name) out[i].name = r[i].name, out[i].bound = r[i].bound;
        out[i].truth = fmax(out[i].truth, r[i].truth); /* of a NaN the other */
        out[i].wrong = fmin(out[i].wrong, r[i].wrong);
    }
}

static void print_number(double x)
{
    if (isnan(x)) printf(" |");
    else printf(" %.1e |", x);
}

static void measure(const setting *of, bool is_single)
{
    residual all[RESIDUALS], r[RESIDUALS];
    for (size_t i = 0; i < RESIDUALS; i++) all[i] = (residual){"", NAN, NAN, NAN};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        dlg_error err;
        step s;
        share(&s, of, seed);
        if (is_single) round_to_single(&s.gradient);
        stop_if(residuals_find(r, &s.gradient, &s.batch, s.fed, s.labels, special, FIRST_WORD, &err), &err);
        take_worse(all, r);
        release(&s);
    }
    const char *name = of->folder && strrchr(of->folder, '/') ? strrchr(of->folder, '/') + 1 : of->folder;
    for (size_t i = 0; i < RESIDUALS; i++) {
        if (!*all[i].name) continue;
        printf("| %s | %s, %s, %zu%s |", all[i].name, of->preset ? of->preset : name, dlg_task_name(of->task),
               of->n_sentences, is_single ? "" : ", double");
        print_number(all[i].truth);
        print_number(all[i].bound);
        print_number(all[i].wrong);
        printf("\n");
    }
    fflush(stdout);
}

static void measure_both(const setting *of)
{
    measure(of, true);
    if (dlg_roundoff < DLG_SINGLE_ROUNDOFF) measure(of, false);
}

int main(int argc, char **argv)
{
    dlg_blas_start(2);
    printf("| what | model, task, sentences | truth, most | bound | wrong, least |\n|---|---|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) measure_both(&settings[i]);
    for (int i = 1; i < argc; i++)
        for (size_t n = 1; n <= MOST_SENTENCES; n += MOST_SENTENCES - 1)
            measure_both(&(setting){NULL, argv[i], DLG_MASKED_LM, n});
    return 0;
}
