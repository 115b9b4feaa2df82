/* dlg-text: the attacker. A shared gradient goes in, the text that it gives away comes out. */
#define _POSIX_C_SOURCE 200809L
#include "cli/option.h"
#include "cli/start.h"
#include "cli/text_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- who watches it ---- */

typedef struct {
    const dlg_text_options *o;
    dlg_attack *attack;
    dlg_status status; /* what went wrong on the way, and ends the attack */
    dlg_error *err;
} watcher;

static dlg_format format_of(const dlg_text_options *o)
{
    return o->json ? DLG_JSON : o->color;
}

/* A person has seen it before the run was killed; a program gets all lines again. */
static bool is_past(const watcher *w)
{
    return !w->o->json && dlg_attack_is_recalling(w->attack);
}

static void watch_iteration(void *payload, dlg_attack *attack)
{
    watcher *w = payload;
    const size_t iteration = dlg_attack_numbers_of(attack).iteration;
    /* Iteration 0 is what was read off before any descent. */
    const bool is_left_out = iteration && (iteration - 1) % w->o->every;
    if (w->o->quiet || w->status || is_past(w) || is_left_out) return;
    if (w->o->json) w->status = dlg_attack_print_iteration(attack, stdout, DLG_JSON, w->err);
    else (void)!dlg_attack_print_iteration(attack, stderr, w->o->color, NULL);
}

static void watch_note(void *payload, const char *line)
{
    const watcher *w = payload;
    if (!w->o->quiet && !is_past(w)) (void)!dlg_attack_print_note(w->attack, stderr, line, NULL);
}

static void watch_doing(void *payload, const char *what)
{
    const watcher *w = payload;
    if (!w->o->quiet && !w->o->json) (void)!dlg_attack_print_doing(w->attack, stderr, what, NULL);
}

static bool watch_status(void *payload)
{
    watch_doing(payload, NULL); /* the time goes on */
    return ((const watcher *)payload)->status;
}

/* ---- the program ---- */

/* The result is reported even when there turns out to be no truth to score it by: it may have cost hours. */
static dlg_status conclude(const dlg_text_options *o, const dlg_attack *attack, dlg_error *err)
{
    dlg_truth *truth = NULL;
    dlg_scores scores;
    dlg_status truth_status = DLG_OK;
    if (o->truth) truth_status = dlg_truth_open(&truth, o->truth, err);
    if (o->truth && !truth_status) truth_status = dlg_attack_score(&scores, attack, truth, err);
    const bool has_scores = o->truth && !truth_status;
    dlg_truth_free(truth);
    const dlg_status status =
        dlg_attack_print_result(attack, has_scores ? &scores : NULL, stdout, format_of(o), truth_status ? NULL : err);
    return truth_status ? truth_status : status;
}

static dlg_status watch_attack(const dlg_text_options *o, dlg_attack *attack, dlg_error *err)
{
    watcher w = {.o = o, .attack = attack, .err = err};
    const dlg_observer observer = {watch_iteration, watch_note, watch_doing, watch_status, &w};
    dlg_status status = DLG_OK;
    if (o->json) status = dlg_attack_print_start(attack, stdout, DLG_JSON, err);
    else if (!o->quiet) (void)!dlg_attack_print_start(attack, stderr, o->color, NULL);
    if (!status) status = dlg_attack_run(attack, &observer, err);
    watch_doing(&w, ""); /* what comes now is the result */
    if (!status) status = w.status;
    return status ? status : conclude(o, attack, err);
}

static dlg_status tell(dlg_attack *attack, const dlg_text_options *o, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (size_t what = 0; what < DLG_N_KNOWN && !status; what++) {
        dlg_truth *truth = NULL;
        if (!o->known[what]) continue;
        status = dlg_truth_open(&truth, o->known[what], err);
        if (!status) status = dlg_attack_tell_truth(attack, (dlg_known)what, truth, err);
        dlg_truth_free(truth);
    }
    return status;
}

static dlg_status attack_gradient(int *exit_status, const dlg_text_options *o, const dlg_gradient *gradient,
                                  const dlg_model *prior, dlg_error *err)
{
    dlg_attack *attack = NULL;
    dlg_attack_choice how = o->how;
    how.prior = prior;
    dlg_status status = dlg_attack_create(&attack, gradient, &how, err);
    if (!status) status = tell(attack, o, err);
    if (!status) status = dlg_attack_prepare(attack, err);
    if (!status) status = watch_attack(o, attack, err);
    if (!status) {
        const dlg_attack_end end = dlg_attack_end_of(attack);
        const bool is_cut_short = end == DLG_INTERRUPTED || (end == DLG_PARTLY && dlg_is_interrupted());
        *exit_status = is_cut_short ? DLG_EXIT_INTERRUPTED : DLG_EXIT_DONE;
    }
    dlg_attack_free(attack);
    return status;
}

static dlg_status inspect(const dlg_text_options *o, const dlg_gradient *gradient, dlg_error *err)
{
    dlg_leakage *leakage = NULL;
    dlg_status status = dlg_gradient_inspect(&leakage, gradient, err);
    if (!status) status = dlg_leakage_print(leakage, stdout, format_of(o), err);
    dlg_leakage_free(leakage);
    return status;
}

static dlg_status run(int *exit_status, const dlg_text_options *o, dlg_error *err)
{
    dlg_model *model = NULL, *prior = NULL;
    dlg_gradient *gradient = NULL;
    *exit_status = DLG_EXIT_DONE;
    if (o->truth && access(o->truth, R_OK)) return dlg_fail(err, DLG_EIO, "%s: %s", o->truth, strerror(errno));
    dlg_status status = dlg_machine_start(o->memory, o->n_threads, err);
    if (!status) status = dlg_model_open_for(&model, o->gradient, &o->model, err);
    if (!status) status = dlg_gradient_read_update(&gradient, model, o->gradient, &o->training, err);
    if (!status && o->prior) status = dlg_model_open_prior(&prior, o->prior, model, err);
    if (!status)
        status = o->inspect ? inspect(o, gradient, err) : attack_gradient(exit_status, o, gradient, prior, err);
    dlg_gradient_free(gradient);
    dlg_model_free(prior);
    dlg_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    dlg_program_start(argv, DLG_CALLS_GO_ON);
    const dlg_text_options o = dlg_text_options_parse(argc, argv);
    dlg_error err = {0};
    int exit_status;
    return run(&exit_status, &o, &err) ? dlg_report_failure(&err) : exit_status;
}
