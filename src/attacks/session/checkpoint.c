#include "attacks/session/checkpoint.h"

#include "base/hash.h"
#include "math/blas.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FACTS = 24, LONGEST_VALUE = 256 };

typedef struct {
    size_t n;
    dlg_journal_fact list[MOST_FACTS];
    char values[MOST_FACTS][LONGEST_VALUE];
} facts;

static void DLG_PRINTF(3, 4) add(facts *f, const char *name, const char *format, ...)
{
    va_list args;
    assert(f->n < MOST_FACTS);
    va_start(args, format);
    vsnprintf(f->values[f->n], LONGEST_VALUE, format, args);
    va_end(args);
    f->list[f->n] = (dlg_journal_fact){name, f->values[f->n]};
    f->n++;
}

static uint64_t hash_size(size_t value, uint64_t hash)
{
    const uint64_t wide = value;
    return dlg_hash(&wide, sizeof wide, hash);
}

static uint64_t hash_sizes(size_t n, const size_t *values, uint64_t hash)
{
    hash = hash_size(n, hash);
    for (size_t i = 0; i < n; i++) hash = hash_size(values[i], hash);
    return hash;
}

/* Two models of the same parameters may still differ in what is done with them. */
static uint64_t hash_model(const dlg_model *model)
{
    const dlg_config *c = &model->config;
    uint64_t hash =
        hash_sizes(4, (const size_t[]){(size_t)c->task, c->n_heads, (size_t)c->activation, c->tied_decoder}, 0);
    hash = dlg_hash(&c->layer_norm_eps, sizeof c->layer_norm_eps, hash);
    for (size_t i = 0; i < model->n_parameters; i++) {
        const dlg_parameter *p = &model->parameters[i];
        hash = dlg_hash(p->name, strlen(p->name), hash);
        hash = hash_sizes(2, (const size_t[]){p->n_rows, p->n_cols}, hash);
        hash = dlg_hash(p->value, dlg_parameter_items(p) * sizeof *p->value, hash);
    }
    dlg_safetensors_rest(model->file);
    return hash;
}

static uint64_t hash_gradient(const dlg_gradient *gradient)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < gradient->n; i++) {
        const size_t n = gradient->values[i] ? dlg_parameter_items(&gradient->model->parameters[i]) : 0;
        hash = hash_size(n, hash);
        hash = dlg_hash(gradient->values[i], n * sizeof **gradient->values, hash);
    }
    dlg_safetensors_rest(gradient->file);
    return hash;
}

static uint64_t hash_knowledge(const dlg_knowledge *k)
{
    uint64_t hash = hash_sizes(k->lengths ? k->n_sentences : 0, k->lengths, 0);
    hash = hash_sizes(k->n_labels, k->labels, hash);
    hash = hash_sizes(k->n_rows, k->rows, hash);
    return hash_sizes(2, (const size_t[]){k->placed, k->masks_are_seen}, hash);
}

static void add_told(facts *f, const dlg_knowledge *k)
{
    const struct {
        const char *name;
        dlg_origin from;
    } pieces[] = {{"batch", k->sentences_from},
                  {"length", k->lengths_from},
                  {"labels", k->labels_from},
                  {"masked", k->rows_from}};
    char names[64] = "";
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        const size_t used = strlen(names);
        if (pieces[i].from == DLG_TOLD)
            snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "", pieces[i].name);
    }
    add(f, "told", "%s", *names ? names : "nothing");
    /* What is assumed is searched for, what the metadata say is not. */
    add(f, "known from", "%s, %s, %s, %s", dlg_origin_name(k->sentences_from), dlg_origin_name(k->lengths_from),
        dlg_origin_name(k->labels_from), dlg_origin_name(k->rows_from));
}

static const char *byte_order(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first ? "little-endian" : "big-endian";
}

dlg_status dlg_checkpoint_open(dlg_journal **out, const char *path, bool resume, dlg_build build,
                               const dlg_attack_class *class, const dlg_gradient *gradient,
                               const dlg_knowledge *knowledge, const dlg_attack_options *options, dlg_error *err)
{
    facts f = {.n = 0};
    add(&f, "version", "%s", build.version);
    add(&f, "numbers", DLG_REAL_NAME ", %s", byte_order());
    add(&f, "products", "%s", build.products);
    add(&f, "threads", "%d", dlg_blas_threads());
    add(&f, "attack", "%s", class->name);
    add(&f, "distance", "%s", options->distance->name);
    add(&f, "optimizer", "%s", options->minimiser->name);
    add(&f, "iterations", "%zu", options->max_iterations);
    add(&f, "starts", "%zu", options->max_starts);
    add(&f, "update", "%s", dlg_update_name(options->update));
    add(&f, "evaluations", "%zu", options->max_evaluations);
    add(&f, "seed", "%llu", (unsigned long long)options->seed);
    add(&f, "model", "%016llx", (unsigned long long)hash_model(gradient->model));
    if (options->prior) add(&f, "prior", "%016llx", (unsigned long long)hash_model(options->prior));
    add(&f, "gradient", "%016llx", (unsigned long long)hash_gradient(gradient));
    add_told(&f, knowledge);
    add(&f, "known", "%016llx", (unsigned long long)hash_knowledge(knowledge));
    return dlg_journal_open(out, path, resume, f.n, f.list, err);
}
