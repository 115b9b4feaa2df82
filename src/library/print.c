#include "dlg/print.h"

#include "dlg/machine.h"
#include "dlg/version.h"
#include "library/attack.h"
#include "library/format.h"
#include "library/inspect.h"
#include "library/metadata.h"
#include "math/blas.h"
#include "report/inspection.h"
#include "report/json_lines.h"

static dlg_subject subject_of_gradient(const dlg_gradient *gradient)
{
    const dlg_model *model = gradient->model;
    return (dlg_subject){.version = DLG_VERSION,
                         .gradient = dlg_gradient_name(gradient),
                         .defence =
                             gradient->file ? dlg_safetensors_metadata(gradient->file, DLG_METADATA_DEFENCE) : NULL,
                         .frozen = dlg_frozen_of(gradient),
                         .update.gradient = gradient,
                         .is_preset = !model->file,
                         .model_seed = model->seed,
                         .model = model,
                         .tokenizer = model->tokenizer,
                         .blas = dlg_machine_products(),
                         .n_threads = dlg_blas_threads()};
}

/* ---- an attack ---- */

static dlg_subject subject_of(const dlg_attack *attack)
{
    dlg_subject subject = subject_of_gradient(attack->gradient);
    subject.attack = attack->class->name;
    subject.asks_prior = attack->class->asks_prior;
    if (attack->gradient->training.shared) subject.update.found = attack->update;
    subject.knowledge = dlg_attack_knowledge(attack);
    subject.told = &attack->told;
    subject.options = &attack->options;
    subject.memory.held = attack->memory.held;
    subject.memory.wanted = attack->memory.wanted;
    subject.memory.limit = attack->memory.limit;
    subject.checkpoint = attack->checkpoint;
    subject.n_resumed = attack->n_resumed;
    return subject;
}

/* What a person sees of it, on this stream. */
static dlg_progress *progress_of(dlg_attack *attack, FILE *stream, dlg_format format)
{
    attack->subject = subject_of(attack);
    attack->progress.subject = &attack->subject;
    attack->progress.screen = dlg_format_screen(stream, format);
    dlg_doing_clear(&attack->progress.doing);
    return &attack->progress;
}

dlg_status dlg_attack_print_start(dlg_attack *attack, FILE *stream, dlg_format format, dlg_error *err)
{
    const dlg_progress *progress = progress_of(attack, stream, format);
    if (!attack->is_prepared)
        return dlg_fail(err, DLG_EARG, "attack: want one that is prepared, found one that is not");
    if (format == DLG_JSON) return dlg_json_start(stream, &attack->subject, err);
    dlg_progress_start(progress);
    return dlg_screen_flush(stream, err);
}

dlg_status dlg_attack_print_iteration(dlg_attack *attack, FILE *stream, dlg_format format, dlg_error *err)
{
    dlg_progress *progress = progress_of(attack, stream, format);
    if (!attack->now) return dlg_fail(err, DLG_EARG, "attack: want one whose observer is called, found another");
    if (format == DLG_JSON) return dlg_json_iteration(stream, &attack->subject, attack->now, err);
    dlg_progress_iteration(progress, attack->now, attack->result.n_dense, attack->result.n_targets);
    return dlg_screen_flush(stream, err);
}

dlg_status dlg_attack_print_note(dlg_attack *attack, FILE *stream, const char *line, dlg_error *err)
{
    dlg_progress_note(progress_of(attack, stream, DLG_WORDS), line);
    return dlg_screen_flush(stream, err);
}

dlg_status dlg_attack_print_doing(dlg_attack *attack, FILE *stream, const char *what, dlg_error *err)
{
    const dlg_screen screen = dlg_format_screen(stream, DLG_WORDS_UNMARKED);
    const double left_s = dlg_attack_numbers_of(attack).seconds_left;
    if (what && *what) dlg_doing_say(&attack->progress.doing, &screen, what, left_s);
    else if (what) dlg_doing_clear(&attack->progress.doing);
    else dlg_doing_go_on(&attack->progress.doing, &screen, left_s);
    return dlg_screen_flush(stream, err);
}

dlg_status dlg_attack_print_result(const dlg_attack *attack, const dlg_scores *scores, FILE *stream, dlg_format format,
                                   dlg_error *err)
{
    const dlg_subject subject = subject_of(attack);
    const dlg_screen screen = dlg_format_screen(stream, format);
    if (!attack->has_run) return dlg_fail(err, DLG_EARG, "attack: want one that ran, found one that did not");
    if (format == DLG_JSON) return dlg_json_result(stream, &subject, &attack->result, scores, err);
    dlg_progress_result(&screen, &subject, &attack->result, scores);
    return dlg_screen_flush(stream, err);
}

/* ---- what a gradient leaks ---- */

dlg_status dlg_leakage_print(const dlg_leakage *leakage, FILE *stream, dlg_format format, dlg_error *err)
{
    const dlg_subject subject = subject_of_gradient(leakage->gradient);
    const dlg_screen screen = dlg_format_screen(stream, format);
    if (format == DLG_JSON) return dlg_inspection_json(stream, &subject, &leakage->found, leakage->seconds, err);
    dlg_inspection_print(&screen, &subject, &leakage->found, leakage->seconds);
    return dlg_screen_flush(stream, err);
}
