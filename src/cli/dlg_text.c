/* dlg-text: the attacker. A shared gradient goes in, the text that it gives away comes out. */
#define _GNU_SOURCE /* argp */
#include "cli/help.h"
#include "cli/material.h"
#include "cli/option.h"
#include "cli/start.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "attacks/session/checkpoint.h"
#include "matching/oracle.h"
#include "attacks/table.h"
#include "math/blas.h"
#include "report/inspection.h"
#include "report/json_lines.h"
#include "report/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *gradient, *truth, *prior;
    dlg_source_choice source;
    bool has_preset, about_preset; /* --preset; an option that says more about one */
    const dlg_attack_class *attack;
    dlg_attack_options how;
    dlg_known known;
    int n_threads;
    size_t memory; /* bytes; 0: what is free */
    size_t every;
    dlg_color color;
    const char *checkpoint;
    bool json, quiet, inspect, resume;
} options;

enum {
    KEY_GRADS = 256,
    KEY_MODEL,
    KEY_PRESET,
    KEY_MODEL_SEED,
    KEY_NUM_LABELS,
    KEY_TASK,
    KEY_KNOW,
    KEY_ATTACK,
    KEY_DISTANCE,
    KEY_OPTIMIZER,
    KEY_ITERATIONS,
    KEY_STARTS,
    KEY_EVALUATIONS,
    KEY_UPDATE,
    KEY_SEED,
    KEY_MEMORY,
    KEY_THREADS,
    KEY_EVERY,
    KEY_JSON,
    KEY_TRUTH,
    KEY_INSPECT,
    KEY_CHECKPOINT,
    KEY_RESUME,
    KEY_PRIOR,
    KEY_COLOR
};

static const struct argp_option table[] = {
    {.doc = "Gradient and model:", .group = 1},
    {.name = "grads", .key = KEY_GRADS, .arg = "FILE", .doc = "The shared gradient; the same as FILE by itself"},
    {.name = "model",
     .key = KEY_MODEL,
     .arg = "DIR",
     .doc = "A Hugging Face directory: config.json, model.safetensors, vocab.txt"},
    {.name = "preset",
     .key = KEY_PRESET,
     .arg = "NAME",
     .doc = "Random weights, see below (default: the preset that the gradient's metadata name)"},
    {.name = "model-seed", .key = KEY_MODEL_SEED, .arg = "N", .doc = "Seed of the preset's weights (default 0)"},
    {.name = "num-labels", .key = KEY_NUM_LABELS, .arg = "N", .doc = "Classes of the preset's classifier (default 2)"},
    {.name = "task",
     .key = KEY_TASK,
     .arg = "mlm|cls",
     .doc = "Masked LM or classification (default: what model or metadata say)"},
    {.doc = "Attack:", .group = 2},
    {.name = "inspect",
     .key = KEY_INSPECT,
     .doc = "No attack: print what can be read off the gradient without any search, how sure each piece is, and what "
            "it is read off"},
    {.name = "know",
     .key = KEY_KNOW,
     .arg = "WHAT:FILE",
     .doc = "Give the attack a piece of the truth in FILE: batch, length, masked (positions) or labels; repeatable. "
            "Without it all is "
            "inferred from the gradient, but for what its metadata say"},
    {.name = "attack", .key = KEY_ATTACK, .arg = "NAME", .doc = "How to go about it, see below (default auto)"},
    {.name = "prior",
     .key = KEY_PRIOR,
     .arg = "DIR",
     .doc = "A masked LM or GPT-2 of the same vocabulary, for lamp to ask how likely a text is (default: the attacked "
            "model)"},
    {.name = "distance",
     .key = KEY_DISTANCE,
     .arg = "NAME",
     .doc = "Distance between gradients, see below (default: the attack's)"},
    {.name = "optimizer",
     .key = KEY_OPTIMIZER,
     .arg = "NAME",
     .doc = "What takes the steps, see below (default: the attack's)"},
    {.name = "iterations", .key = KEY_ITERATIONS, .arg = "N", .doc = "Iterations of each start, at most (default 150)"},
    {.name = "starts",
     .key = KEY_STARTS,
     .arg = "N",
     .doc = "Starts, at most: another begins when one stalls (default 12). dager gives up when it has looked around "
            "four times as many sentences in vain"},
    {.name = "update",
     .key = KEY_UPDATE,
     .arg = "batch|sentence",
     .doc = "Whether the sentences of a batch descend together (default) or, as published, one an iteration"},
    {.name = "evaluations",
     .key = KEY_EVALUATIONS,
     .arg = "N",
     .doc = "Evaluations of the distance, at most, in all starts together (default: as many as they take)"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "Seed of the embeddings that a start begins with (default 0)"},
    {.doc = "Report:", .group = 3},
    {.name = "every", .key = KEY_EVERY, .arg = "N", .doc = "Show the text every N iterations (default 1)"},
    {.name = "truth",
     .key = KEY_TRUTH,
     .arg = "FILE",
     .doc = "Score the result by this truth file, which is opened when the attack has ended"},
    {.name = "json",
     .key = KEY_JSON,
     .doc = "Print start, iterations and result as JSON on standard output, one object a line"},
    {.name = "color", .key = KEY_COLOR, .arg = DLG_COLOR_ARGUMENT, .doc = DLG_COLOR_HELP},
    {.name = "quiet", .key = 'q', .doc = "Only the result, or with --json only start and result"},
    {.doc = "General:", .group = 4},
    {.key = 'h', .flags = OPTION_HIDDEN}, /* as --help */
    {.name = "checkpoint",
     .key = KEY_CHECKPOINT,
     .arg = "FILE",
     .doc = "Write a journal there, with which a run that was killed goes on; it stays when the run has ended"},
    {.name = "resume", .key = KEY_RESUME, .doc = "Go on from the checkpoint, if there is one yet"},
    {.name = "memory",
     .key = KEY_MEMORY,
     .arg = "SIZE",
     .doc = "Take at most so many bytes (with K, M, G or T behind: units of 1,024); what needs more is refused "
            "(default: what is free)"},
    {.name = "threads",
     .key = KEY_THREADS,
     .arg = "N",
     .doc = "Threads of the matrix products (default: one a processor)"},
    {0}};

static void set_gradient(const struct argp_state *state, options *o, const char *path)
{
    if (o->gradient) argp_failure(state, DLG_EXIT_USAGE, 0, "want one gradient, found %s and %s", o->gradient, path);
    o->gradient = path;
}

/* What can be told without looking at any file. */
static void check(const struct argp_state *state, const options *o)
{
    const char *wrong = NULL;
    if (!o->gradient) wrong = "want a gradient (--grads FILE), found none";
    else if (o->source.directory && (o->has_preset || o->about_preset)) wrong = "want --model or a preset, found both";
    else if (o->about_preset && !o->has_preset) wrong = "want --preset with --model-seed and --num-labels, found none";
    else if (o->resume && !o->checkpoint) wrong = "want --checkpoint with --resume, found none";
    else if (o->prior && !o->attack->asks_prior) wrong = "want --attack lamp with --prior, found another";
    if (o->inspect && o->checkpoint) wrong = "want --inspect without --checkpoint, found both";
    for (size_t i = 0; i < DLG_N_KNOWN && o->inspect; i++)
        if (o->truth || o->known.path[i]) wrong = "want --inspect without --know and --truth, found both";
    if (wrong) argp_failure(state, DLG_EXIT_USAGE, 0, "%s", wrong);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const tasks[] = {"mlm", "cls", NULL}, *const updates[] = {"batch", "sentence", NULL};
    options *o = state->input;
    dlg_error err;
    o->about_preset |= key == KEY_MODEL_SEED || key == KEY_NUM_LABELS;
    switch (key) {
    case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
    case KEY_GRADS:
    case ARGP_KEY_ARG: set_gradient(state, o, arg); break;
    case KEY_MODEL: o->source.directory = arg; break;
    case KEY_PRESET:
        o->source.preset = arg;
        o->has_preset = true;
        break;
    case KEY_MODEL_SEED: o->source.seed = dlg_option_whole(state, "model-seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_NUM_LABELS: o->source.n_labels = (size_t)dlg_option_whole(state, "num-labels", arg, 1, UINT32_MAX); break;
    case KEY_TASK: o->source.task = tasks[dlg_option_name(state, "task", arg, tasks)]; break;
    case KEY_KNOW:
        if (dlg_known_add(&o->known, arg, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "--know: %s", err.message);
        break;
    case KEY_ATTACK:
        if (dlg_attack_find(&o->attack, arg, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "--%s", err.message);
        break;
    case KEY_PRIOR: o->prior = arg; break;
    case KEY_DISTANCE:
        if (dlg_distance_find(&o->how.distance, arg, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "--%s", err.message);
        break;
    case KEY_OPTIMIZER:
        if (dlg_minimiser_find(&o->how.minimiser, arg, &err))
            argp_failure(state, DLG_EXIT_USAGE, 0, "--%s", err.message);
        break;
    case KEY_ITERATIONS: o->how.max_iterations = (size_t)dlg_option_whole(state, "iterations", arg, 1, 1000000); break;
    case KEY_STARTS: o->how.max_starts = (size_t)dlg_option_whole(state, "starts", arg, 1, 1000000); break;
    case KEY_UPDATE: o->how.update = (dlg_update)dlg_option_name(state, "update", arg, updates); break;
    case KEY_EVALUATIONS:
        o->how.max_evaluations = (size_t)dlg_option_whole(state, "evaluations", arg, 1, 1000000000);
        break;
    case KEY_SEED: o->how.seed = dlg_option_whole(state, "seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_EVERY: o->every = (size_t)dlg_option_whole(state, "every", arg, 1, UINT32_MAX); break;
    case KEY_TRUTH: o->truth = arg; break;
    case KEY_MEMORY: o->memory = dlg_option_bytes(state, "memory", arg); break;
    case KEY_THREADS: o->n_threads = (int)dlg_option_whole(state, "threads", arg, 1, 1024); break;
    case KEY_CHECKPOINT: o->checkpoint = arg; break;
    case KEY_RESUME: o->resume = true; break;
    case KEY_JSON: o->json = true; break;
    case KEY_COLOR: o->color = dlg_option_color(state, arg); break;
    case KEY_INSPECT: o->inspect = true; break;
    case 'q': o->quiet = true; break;
    case ARGP_KEY_END:
        check(state, o);
        if (o->inspect) o->source.ways = DLG_FORWARD_ONLY;
        if (!o->how.distance) o->how.distance = o->attack->distance;
        if (!o->how.minimiser) o->how.minimiser = o->attack->minimiser;
        break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static char *help(int key, const char *text, void *input)
{
    (void)input;
    dlg_line tables = {.used = 0};
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
    dlg_help_heading(&tables, "Attacks", "--attack=NAME");
    for (size_t i = 0; dlg_attacks[i]; i++) dlg_help_row(&tables, dlg_attacks[i]->name, dlg_attacks[i]->help);
    dlg_help_heading(&tables, "Distances", "--distance=NAME");
    for (size_t i = 0; dlg_distances[i]; i++) dlg_help_row(&tables, dlg_distances[i]->name, dlg_distances[i]->help);
    dlg_help_heading(&tables, "Optimizers", "--optimizer=NAME");
    for (size_t i = 0; dlg_minimisers[i]; i++) dlg_help_row(&tables, dlg_minimisers[i]->name, dlg_minimisers[i]->help);
    dlg_help_presets(&tables);
    return dlg_help_finish(&tables, text);
}

/* ---- who watches it ---- */

typedef struct {
    const options *o;
    const dlg_subject *subject;
    const dlg_attack_result *result; /* being made: says from the first iteration on how many targets are dense */
    dlg_progress progress;
    dlg_status status; /* what went wrong on the way, and ends the attack */
    dlg_error *err;
} watcher;

/* The attack may have replaced what it was not told. */
static dlg_subject subject_of(const dlg_subject *begun, const dlg_attack_state *state)
{
    dlg_subject subject = *begun;
    if (state->knowledge) subject.knowledge = state->knowledge;
    return subject;
}

/* A person has seen it before the run was killed; a program gets all lines again. */
static bool is_past(const watcher *w)
{
    return !w->o->json && dlg_journal_is_recalling(w->subject->options->journal);
}

static void watch_iteration(void *payload, const dlg_attack_state *state)
{
    watcher *w = payload;
    /* Iteration 0 is what was read off before any descent. */
    const bool is_left_out = state->iteration && (state->iteration - 1) % w->o->every;
    if (w->o->quiet || w->status || is_past(w) || is_left_out) return;
    const dlg_subject subject = subject_of(w->subject, state);
    if (w->o->json) w->status = dlg_json_iteration(stdout, &subject, state, w->err);
    else dlg_progress_iteration(&w->progress, state, w->result->n_dense, w->result->n_targets);
}

static void watch_note(void *payload, const char *line)
{
    const watcher *w = payload;
    if (!w->o->quiet && !is_past(w)) dlg_progress_note(&w->progress, line);
}

static bool watch_interrupts(void *payload)
{
    const watcher *w = payload;
    return dlg_is_interrupted() || w->status;
}

/* ---- the program ---- */

static dlg_status report_result(const options *o, const dlg_subject *subject, const dlg_attack_result *result,
                                const dlg_scores *scores, dlg_error *err)
{
    const dlg_screen screen = dlg_screen_of(stdout, o->color);
    if (o->json) return dlg_json_result(stdout, subject, result, scores, err);
    dlg_progress_result(&screen, subject, result, scores);
    if (fflush(stdout) || ferror(stdout)) return dlg_fail(err, DLG_EIO, "standard output: %s", strerror(errno));
    return DLG_OK;
}

/* The result is reported even when there turns out to be no truth to score it by: it may have cost hours. */
static dlg_status conclude(const options *o, const dlg_subject *subject, const dlg_attack_result *result,
                           dlg_error *err)
{
    const dlg_config *config = &subject->model->config;
    dlg_truth truth = {0};
    dlg_scores scores = {0};
    dlg_status truth_status = DLG_OK;
    if (o->truth) truth_status = dlg_truth_read(&truth, o->truth, err);
    if (o->truth && !truth_status)
        truth_status =
            dlg_truth_check(&truth, o->truth, config->vocabulary_size, config->n_labels, config->max_positions, err);
    if (o->truth && !truth_status)
        truth_status = dlg_scores_compute(&scores, result, subject->knowledge, &truth, subject->tokenizer, err);
    const bool has_scores = o->truth && !truth_status;
    dlg_truth_release(&truth);
    const dlg_status status = report_result(o, subject, result, has_scores ? &scores : NULL, truth_status ? NULL : err);
    return truth_status ? truth_status : status;
}

static dlg_status watch_attack(dlg_attack_end *end, const options *o, const dlg_material *m, const dlg_subject *subject,
                               dlg_error *err)
{
    dlg_attack_result result = {0};
    watcher w = {.o = o, .subject = subject, .result = &result, .err = err};
    const dlg_attack_observer observer = {watch_iteration, watch_note, watch_interrupts, &w};
    dlg_status status = dlg_progress_create(&w.progress, subject, dlg_screen_of(stderr, o->color), err);
    if (!status && o->json) status = dlg_json_start(stdout, subject, err);
    else if (!status && !o->quiet) dlg_progress_start(&w.progress);
    if (!status) status = dlg_attack(o->attack, &result, m->analysis, &m->knowledge, subject->options, &observer, err);
    if (!status) status = w.status;
    *end = result.end;
    dlg_subject ended = subject_of(subject, &result.state);
    ended.told = subject->knowledge;
    if (!status) status = conclude(o, &ended, &result, err);
    dlg_attack_result_release(&result);
    dlg_progress_release(&w.progress);
    return status;
}

/* Nothing to attack is a result like any other. */
static dlg_status report_unreadable(dlg_attack_end *end, const options *o, const dlg_material *m,
                                    const dlg_subject *subject, dlg_error *err)
{
    const dlg_attack_result result = {.end = DLG_UNREADABLE, .reason = m->unreadable.message};
    const dlg_progress progress = {.subject = subject, .screen = dlg_screen_of(stderr, o->color)};
    dlg_status status = DLG_OK;
    *end = result.end;
    if (o->json) status = dlg_json_start(stdout, subject, err);
    else if (!o->quiet) dlg_progress_start(&progress);
    return status ? status : conclude(o, subject, &result, err);
}

static dlg_status inspect(const options *o, const dlg_material *m, const dlg_subject *subject, dlg_error *err)
{
    const dlg_screen screen = dlg_screen_of(stdout, o->color);
    const double begun_s = dlg_attack_now();
    dlg_inspection found = {0};
    dlg_error inner = {0};
    dlg_status status = dlg_inspect(&found, m->analysis, &inner);
    if (status) return dlg_fail(err, status, "%s: %s", o->gradient, inner.message);
    const double seconds = dlg_attack_now() - begun_s;
    if (o->json) {
        status = dlg_inspection_json(stdout, subject, &found, seconds, err);
    } else {
        dlg_inspection_print(&screen, subject, &found, seconds);
        if (fflush(stdout) || ferror(stdout)) status = dlg_fail(err, DLG_EIO, "standard output: %s", strerror(errno));
    }
    dlg_inspection_release(&found);
    return status;
}

/* What is too much is refused before any of it is taken. */
static dlg_status count_memory(dlg_subject *subject, const dlg_material *m, dlg_error *err)
{
    dlg_status status = dlg_attack_count_bytes(&subject->memory.wanted, &m->gradient, &m->knowledge, err);
    subject->memory.held = dlg_memory_used();
    subject->memory.limit = dlg_memory_limit();
    const size_t left = subject->memory.limit - subject->memory.held;
    if (!status && subject->memory.wanted > left)
        status = dlg_fail(err, DLG_ENOMEM, "%s: a batch of %zu: want %zu MB of memory more, found %zu MB", m->path,
                          m->knowledge.n_sentences, subject->memory.wanted >> 20, left >> 20);
    return status;
}

static dlg_status run(dlg_attack_end *end, const options *o, dlg_error *err)
{
    dlg_material m = {0};
    dlg_source prior = {0};
    *end = DLG_INTERRUPTED;
    if (o->truth && access(o->truth, R_OK)) return dlg_fail(err, DLG_EIO, "%s: %s", o->truth, strerror(errno));
    const char *blas = NULL;
    dlg_status status = dlg_program_begin(&blas, o->memory, o->n_threads, err);
    if (!status) status = dlg_material_open(&m, o->gradient, &o->source, o->has_preset, err);
    if (!status && !o->inspect) status = dlg_material_know(&m, &o->known, err);
    if (!status && o->prior) status = dlg_source_open_prior(&prior, o->prior, m.source.tokenizer, err);
    dlg_attack_options how = o->how;
    how.prior = prior.model;
    if (!status && o->checkpoint && !m.unreadable.status)
        status = dlg_checkpoint_open(&how.journal, o->checkpoint, o->resume, (dlg_build){DLG_VERSION, blas}, o->attack,
                                     &m.gradient, &m.knowledge, &how, err);
    dlg_subject subject = {
        .version = DLG_VERSION,
        .gradient = o->gradient,
        .attack = o->attack->name,
        .asks_prior = o->attack->asks_prior,
        .defence = m.file ? dlg_safetensors_metadata(m.file, DLG_METADATA_DEFENCE) : NULL,
        .is_preset = !m.choice.directory,
        .model_seed = m.choice.seed,
        .model = m.source.model,
        .tokenizer = m.source.tokenizer,
        .knowledge = &m.knowledge,
        .options = &how,
        .blas = blas,
        .n_threads = dlg_blas_threads(),
        .checkpoint = o->checkpoint,
        .n_resumed = dlg_oracle_left(how.journal),
    };
    if (!status && !o->inspect && !m.unreadable.status) status = count_memory(&subject, &m, err);
    if (!status) status = dlg_check_interrupt(err);
    if (!status && o->inspect) {
        *end = DLG_EXPLAINED;
        status = inspect(o, &m, &subject, err);
    } else if (!status && m.unreadable.status) {
        status = report_unreadable(end, o, &m, &subject, err);
    } else if (!status) {
        status = watch_attack(end, o, &m, &subject, err);
    }
    dlg_journal_close(how.journal);
    dlg_source_close(&prior);
    dlg_material_release(&m);
    return status;
}

const char *argp_program_version = "dlg-text " DLG_VERSION;

int main(int argc, char **argv)
{
    dlg_program_start(argv, DLG_CALLS_GO_ON);
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "[FILE]",
        .help_filter = help,
        .doc = "Recover the text behind a shared gradient. The result goes to standard output, what happens on the way "
               "to standard error.\v"
               "An interrupt ends the attack with the best text so far; a second one ends the program at once.\n\n"
               "Exit status: 0 the attack ran to its end, whether it recovered the text or not (the result says "
               "which), 1 failed, 64 wrong "
               "usage, 130 interrupted.",
    };
    options o = {.source = DLG_SOURCE_DEFAULT,
                 .attack = dlg_attacks[0],
                 .every = 1,
                 .how = {.max_iterations = 150, .max_starts = 12}};
    dlg_error err = {0};
    dlg_attack_end end = DLG_INTERRUPTED;
    argp_err_exit_status = DLG_EXIT_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
    const dlg_status status = run(&end, &o, &err);
    if (status) return dlg_report_failure(&err);
    const bool is_cut_short = end == DLG_INTERRUPTED || (end == DLG_PARTLY && dlg_is_interrupted());
    return is_cut_short ? DLG_EXIT_INTERRUPTED : DLG_EXIT_DONE;
}
