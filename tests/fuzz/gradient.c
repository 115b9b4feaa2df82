/*
 * A gradient file, from the participant to the end of --inspect and of a short attack. The bytes are a recipe: a small
 * or odd model, a batch on it, a defence, then what a stranger does to the values and the metadata of the file; so
 * whatever libFuzzer does to them parses, and reaches the code that computes with it. Nothing may crash, hang, take
 * more than 200 MB, or claim a token that the model has not.
 */
#define _XOPEN_SOURCE 700 /* setitimer */
#include "base/memory.h"
#include "analytic/inspect.h"
#include "attacks/table.h"
#include "defend/defence.h"
#include "gradient/gradient.h"
#include "library/metadata.h"
#include "math/blas.h"
#include "report/inspection.h"
#include "report/json_lines.h"
#include "report/progress.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    PAD,
    UNKNOWN,
    CLS,
    SEP,
    MASK,
    N_SPECIAL,
    MOST_SENTENCES = 3,
    MOST_TOKENS = 24,
    MOST_WORDS = 64,
    LONGEST_VOCABULARY = 512
};

/* A recipe longer than this says nothing new. What takes 20 seconds here takes one or two in a build that no sanitizer
 * slows down. */
enum { MOST_CHANGES = 16, SECONDS = 20 };

typedef struct {
    const uint8_t *at;
    size_t n;
} recipe;

/* The next byte as a number below `below`; 0 behind the end. */
static size_t take(recipe *r, size_t below)
{
    if (!r->n) return 0;
    r->n--;
    return *r->at++ % below;
}

/* ---- the model and the step ---- */

static dlg_config choose_config(recipe *r)
{
    static const size_t classes[] = {2, 3, 7, 1000};
    dlg_config config = {.task = take(r, 2) ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM,
                         .vocabulary_size = N_SPECIAL + take(r, MOST_WORDS - N_SPECIAL),
                         .hidden_size = 2 + take(r, 15),
                         .n_layers = 1 + take(r, 2),
                         .n_heads = 1,
                         .intermediate_size = 1 + take(r, 24),
                         .max_positions = 1 + take(r, MOST_TOKENS),
                         .n_token_types = 1 + take(r, 2),
                         .activation = DLG_GELU_ERF,
                         .layer_norm_eps = 1e-12,
                         .initializer_range = 0.3,
                         .tied_decoder = !take(r, 2)};
    config.n_labels = config.task == DLG_MASKED_LM ? 2 : classes[take(r, 4)];
    if (config.hidden_size % 2 == 0 && take(r, 2)) config.n_heads = 2;
    return config;
}

static dlg_status make_tokenizer(dlg_tokenizer **out, size_t n_words, dlg_error *err)
{
    char text[LONGEST_VOCABULARY] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
    size_t used = strlen(text);
    for (size_t v = N_SPECIAL; v < n_words; v++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu\n", v % 3 ? "w" : "##", v);
    return dlg_tokenizer_create(out, "words", (const unsigned char *)text, used, DLG_UNCASED, err);
}

static dlg_status share(dlg_gradient *out, recipe *r, const dlg_model *model, dlg_error *err)
{
    const dlg_config *config = &model->config;
    const size_t n_sentences = 1 + take(r, MOST_SENTENCES);
    size_t lengths[MOST_SENTENCES], n = 0, rows[MOST_SENTENCES * MOST_TOKENS], labels[MOST_SENTENCES * MOST_TOKENS],
                                    n_rows = 0;
    uint32_t fed[MOST_SENTENCES * MOST_TOKENS];
    const bool is_mlm = config->task == DLG_MASKED_LM;
    for (size_t b = 0; b < n_sentences; n += lengths[b++]) {
        lengths[b] = 1 + take(r, config->max_positions);
        for (size_t t = 0; t < lengths[b]; t++) {
            fed[n + t] = t == 0 ? CLS : t + 1 == lengths[b] ? SEP : (uint32_t)take(r, config->vocabulary_size);
            if (is_mlm && (fed[n + t] == MASK || (!b && !t))) rows[n_rows++] = n + t;
        }
    }
    const size_t n_labels = is_mlm ? n_rows : n_sentences,
                 n_classes = is_mlm ? config->vocabulary_size : config->n_labels;
    for (size_t i = 0; i < n_labels; i++) labels[i] = take(r, n_classes);
    dlg_batch batch;
    double loss;
    dlg_status status = dlg_batch_create(&batch, config->task, n_sentences, lengths, err);
    if (!status && is_mlm) status = dlg_batch_predict(&batch, n_rows, rows, err);
    if (!status)
        status = dlg_gradient_share(out, &loss, model, &(dlg_step){&batch, fed, labels, NULL, NULL, NULL}, err);
    dlg_batch_release(&batch);
    return status;
}

/* ---- what a stranger does to it ---- */

static void scale(size_t n, dlg_real *g, double factor)
{
    for (size_t i = 0; i < n; i++) g[i] = (dlg_real)fmax(-1e30, fmin(1e30, (double)g[i] * factor));
}

static const double sizes[] = {1, 1e-44, 1e-30, 1e-12, -1, 2, 65536, 1e13, 9.3e18, 1e30};
enum { N_SIZES = sizeof sizes / sizeof *sizes };

static void change(dlg_real *g, size_t n_rows, size_t n_cols, size_t what, recipe *r)
{
    const size_t a = take(r, n_rows), b = take(r, n_rows), n = n_rows * n_cols;
    const double size = sizes[take(r, N_SIZES)];
    switch (what) {
    case 0: scale(n, g, size); break;
    case 1: scale(n_cols, g + a * n_cols, size); break;
    case 2: memcpy(g + a * n_cols, g + b * n_cols, n_cols * sizeof *g); break; /* equal rows */
    case 3: memset(g + a * n_cols, 0, n_cols * sizeof *g); break;
    case 4: memset(g, 0, n * sizeof *g); break;
    case 5: g[take(r, n)] = (dlg_real)size; break;
    case 6: g[take(r, n)] = (dlg_real)-size; break;
    case 7: /* of rank one */
        for (size_t i = 1; i < n_rows; i++) memcpy(g + i * n_cols, g, n_cols * sizeof *g);
        break;
    case 8: /* upside down */
        for (size_t i = 0; i < n / 2; i++) {
            const dlg_real last = g[i];
            g[i] = g[n - 1 - i];
            g[n - 1 - i] = last;
        }
        break;
    }
}

/* As a parameter that was not trained. */
static void freeze(dlg_gradient *gradient, size_t i)
{
    dlg_free(gradient->owned[i]);
    gradient->owned[i] = NULL;
    gradient->values[i] = NULL;
}

static dlg_status spoil(dlg_gradient *gradient, recipe *r, dlg_error *err)
{
    static const char *const specs[] = {"prune:0.5", "prune:0.99",    "prune:0.9999", "int8",
                                        "fp16",      "gaussian:0.01", "gaussian:10"};
    const size_t n_specs = sizeof specs / sizeof *specs, which = take(r, 2 * n_specs);
    dlg_defence defence;
    dlg_status status = which < n_specs ? dlg_defence_parse(&defence, specs[which], err) : DLG_OK;
    for (size_t i = 0; which < n_specs && !status && i < gradient->n; i++) {
        const dlg_parameter *p = &gradient->model->parameters[i];
        status = dlg_defence_apply(&defence, 1, p->name, gradient->owned[i], dlg_parameter_items(p), 1, err);
    }
    const double size = sizes[take(r, N_SIZES)]; /* of all */
    for (size_t i = 0; !status && size != 1 && i < gradient->n; i++)
        scale(dlg_parameter_items(&gradient->model->parameters[i]), gradient->owned[i], size);
    for (size_t k = 0; !status && r->n && k < MOST_CHANGES; k++) {
        const size_t i = take(r, gradient->n), what = take(r, 10);
        const dlg_parameter *p = &gradient->model->parameters[i];
        if (what == 9) freeze(gradient, i);
        else if (gradient->owned[i]) change(gradient->owned[i], p->n_rows, p->n_cols, what, r);
    }
    return status;
}

/* ---- to the end ---- */

static void check_result(const dlg_attack_result *result, const dlg_model *model)
{
    for (size_t i = 0; result->state.tokens && i < result->n_rows; i++)
        if (result->state.tokens[i] >= model->config.vocabulary_size ||
            result->state.fed[i] >= model->config.vocabulary_size)
            abort();
    if (isnan(result->state.distance_of_tokens) || isnan(result->state.scale)) abort();
}

static void report(const dlg_subject *subject, const dlg_attack_result *result)
{
    FILE *nowhere = fopen("/dev/null", "w");
    if (!nowhere) abort();
    const dlg_screen screen = {.stream = nowhere, .width = 40};
    dlg_progress_result(&screen, subject, result, NULL);
    if (dlg_json_result(nowhere, subject, result, NULL, NULL) == DLG_EARG) abort();
    fclose(nowhere);
}

static dlg_status attack(dlg_subject subject, dlg_analysis *analysis, const dlg_attack_class *class, size_t n_sentences,
                         dlg_error *err)
{
    const dlg_attack_options options = {.distance = class->distance,
                                        .minimiser = class->minimiser,
                                        .max_iterations = 2,
                                        .max_starts = 2,
                                        .max_evaluations = 60};
    dlg_knowledge knowledge = {.n_sentences = n_sentences, .sentences_from = n_sentences ? DLG_METADATA : DLG_ASSUMED};
    dlg_attack_result result = {0};
    dlg_status status = dlg_knowledge_infer(&knowledge, analysis, err);
    if (!status) status = dlg_attack_class_run(class, &result, analysis, &knowledge, &options, NULL, err);
    if (!status) {
        subject.attack = class->name;
        subject.knowledge = result.state.knowledge ? result.state.knowledge : &knowledge;
        subject.told = &knowledge;
        subject.options = &options;
        check_result(&result, subject.model);
        report(&subject, &result);
    }
    dlg_attack_result_release(&result);
    dlg_knowledge_release(&knowledge);
    return status;
}

static dlg_status inspect(const dlg_subject *subject, dlg_analysis *analysis, dlg_error *err)
{
    dlg_inspection found;
    FILE *nowhere = fopen("/dev/null", "w");
    if (!nowhere) abort();
    const dlg_screen screen = {.stream = nowhere};
    dlg_status status = dlg_inspect(&found, analysis, err);
    if (!status) {
        dlg_inspection_print(&screen, subject, &found, 0);
        status = dlg_inspection_json(nowhere, subject, &found, 0, err);
        dlg_inspection_release(&found);
    }
    fclose(nowhere);
    return status;
}

static dlg_status run(recipe *r, const char *path, dlg_error *err)
{
    static const char *const batches[] = {NULL, "1", "2", "3", "17", "1024"};
    static const size_t sentences[] = {0, 1, 2, 3, 17, 1024};
    size_t n_attacks = 0;
    while (dlg_attacks[n_attacks]) n_attacks++;
    dlg_model *model = NULL;
    dlg_tokenizer *tokenizer = NULL;
    dlg_safetensors *file = NULL;
    dlg_gradient made = {0}, read = {0};
    const dlg_attack_class *class = dlg_attacks[take(r, n_attacks)];
    const size_t batch = take(r, sizeof batches / sizeof *batches);
    const dlg_config config = choose_config(r);
    dlg_status status = dlg_model_preset(&model, "odd", &config, take(r, 256), err);
    if (!status) status = make_tokenizer(&tokenizer, config.vocabulary_size, err);
    if (!status) status = share(&made, r, model, err);
    if (!status) status = spoil(&made, r, err);
    const dlg_metadata metadata = {DLG_METADATA_BATCH_SIZE, batches[batch]};
    if (!status) status = dlg_gradient_save(&made, path, DLG_F32, batches[batch] != NULL, &metadata, err);
    if (!status) status = dlg_safetensors_open(&file, path, err);
    if (!status) status = dlg_gradient_open(&read, file, model, err);
    const dlg_subject subject = {
        .version = "0", .gradient = path, .model = model, .tokenizer = tokenizer, .blas = "", .n_threads = 1};
    dlg_analysis *analysis = NULL;
    if (!status)
        status =
            dlg_analysis_create(&analysis, &read, (dlg_special_tokens){.begin = CLS, .end = SEP, .mask = MASK}, err);
    if (!status) status = inspect(&subject, analysis, err);
    if (!status) status = attack(subject, analysis, class, sentences[batch], err);
    dlg_analysis_free(analysis);
    dlg_gradient_release(&read);
    dlg_safetensors_close(file);
    dlg_gradient_release(&made);
    dlg_tokenizer_close(tokenizer);
    dlg_model_free(model);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    recipe r = {data, size};
    dlg_error err = {0};
    dlg_blas_start(1);
    dlg_memory_set_limit((size_t)200 << 20);
    snprintf(path, sizeof path, "/tmp/dlg-fuzz-%ld.g", (long)getpid());
    /* of its own time: SIGPROF ends it */
    setitimer(ITIMER_PROF, &(struct itimerval){.it_value = {.tv_sec = SECONDS}}, NULL);
    const dlg_status status = run(&r, path, &err);
    setitimer(ITIMER_PROF, &(struct itimerval){{0}, {0}}, NULL);
    unlink(path);
    if (status == DLG_EARG || status == DLG_EIO || status == DLG_ECANCELLED || (status && !*err.message) ||
        strchr(err.message, '\n'))
        abort();
    return 0;
}
