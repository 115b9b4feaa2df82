#define _GNU_SOURCE /* argp */
#include "cli/text_options.h"

#include "cli/help.h"
#include "cli/option.h"
#include "cli/training_options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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
    KEY_MINIMIZER,
    KEY_ITERATIONS,
    KEY_STARTS,
    KEY_EVALUATIONS,
    KEY_TIME,
    KEY_DESCEND,
    KEY_BEFORE,
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
    {.name = "grads",
     .key = KEY_GRADS,
     .arg = "FILE",
     .doc = "The shared gradient (safetensors, .pt or .npz); the same as FILE by itself"},
    {.name = "model",
     .key = KEY_MODEL,
     .arg = "DIR",
     .doc = "A Hugging Face directory: config.json, model.safetensors or pytorch_model.bin, vocab.txt"},
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
    {.doc = "What is shared, if no gradient (default: what the metadata say):", .group = 2},
    {.name = "update",
     .key = DLG_KEY_UPDATE,
     .arg = "WHAT",
     .doc = "weights (after training), difference (weights after less those before) or gradient (default)"},
    {.name = "before",
     .key = KEY_BEFORE,
     .arg = "DIR",
     .doc = "The weights from before the training (default: the model's)"},
    {.name = "optimizer",
     .key = DLG_KEY_OPTIMIZER,
     .arg = "NAME",
     .doc = "What the participant trained with: sgd or adamw, " DLG_OPTIMIZER_NUMBERS},
    {.name = "lr", .key = DLG_KEY_LR, .arg = "X", .doc = "The participant's learning rate"},
    {.name = "steps", .key = DLG_KEY_STEPS, .arg = "N", .doc = "Steps of the participant's training (default 1)"},
    {.doc = "Attack:", .group = 3},
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
    {.name = "minimizer",
     .key = KEY_MINIMIZER,
     .arg = "NAME",
     .doc = "What takes the steps, see below (default: the attack's)"},
    {.name = "iterations", .key = KEY_ITERATIONS, .arg = "N", .doc = "Iterations of each start, at most (default 150)"},
    {.name = "starts",
     .key = KEY_STARTS,
     .arg = "N",
     .doc = "Starts, at most: another begins when one stalls (default 12). dager gives up when it has looked around "
            "four times as many sentences in vain"},
    {.name = "descend",
     .key = KEY_DESCEND,
     .arg = "batch|sentence",
     .doc = "Whether the sentences of a batch descend together (default) or, as published, one an iteration"},
    {.name = "evaluations",
     .key = KEY_EVALUATIONS,
     .arg = "N",
     .doc = "Evaluations of the distance, at most, in all starts together (default: as many as they take)"},
    {.name = "time",
     .key = KEY_TIME,
     .arg = "SECONDS",
     .doc = "End after so many with the best so far; 0: as long as it takes (default: of auto's descent a minute)"},
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "Seed of the embeddings that a start begins with (default 0)"},
    {.doc = "Report:", .group = 4},
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
    {.doc = "General:", .group = 5},
    {.key = 'h', .flags = OPTION_HIDDEN}, /* as --help */
    {.name = "checkpoint",
     .key = KEY_CHECKPOINT,
     .arg = "FILE",
     .doc = "Write a journal there, with which a run that was killed goes on; it stays when the run has ended"},
    {.name = "resume", .key = KEY_RESUME, .doc = "Go on from the checkpoint, if there is one yet"},
    {.name = "memory", .key = KEY_MEMORY, .arg = "SIZE", .doc = DLG_MEMORY_HELP},
    {.name = "threads", .key = KEY_THREADS, .arg = "N", .doc = DLG_THREADS_HELP},
    {0}};

static void set_gradient(const struct argp_state *state, dlg_text_options *o, const char *path)
{
    if (o->gradient) argp_failure(state, DLG_EXIT_USAGE, 0, "want one gradient, found %s and %s", o->gradient, path);
    o->gradient = path;
}

/* --know WHAT:FILE: a piece of the truth that the user gives the attack. Nothing else of a truth ever reaches it. */
static void add_known(const struct argp_state *state, dlg_text_options *o, const char *spec)
{
    const char *names[DLG_N_KNOWN + 1] = {NULL};
    char list[64] = "";
    for (size_t what = 0; what < DLG_N_KNOWN; what++) {
        const char *name = names[what] = dlg_known_name((dlg_known)what);
        const size_t n = strlen(name);
        if (strncmp(spec, name, n) != 0 || spec[n] != ':' || !spec[n + 1]) continue;
        if (o->known[what]) argp_failure(state, DLG_EXIT_USAGE, 0, "--know: want %s once, found it twice", name);
        o->known[what] = spec + n + 1;
        return;
    }
    dlg_option_list(list, sizeof list, names);
    argp_failure(state, DLG_EXIT_USAGE, 0, "--know: want WHAT:FILE with WHAT %s, found \"%.200s\"", list, spec);
}

/* A name that there is not is wrong usage. */
static void check_names(const struct argp_state *state, const dlg_text_options *o)
{
    dlg_error err;
    if (dlg_attack_choice_check(&o->how, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "--%s", err.message);
}

static bool asks_prior(const dlg_text_options *o)
{
    dlg_entry attack;
    for (size_t i = 0; o->how.attack && dlg_catalogue_at(DLG_ATTACKS, i, &attack); i++)
        if (!strcmp(attack.name, o->how.attack)) return attack.asks_prior;
    return false;
}

/* What can be told without looking at any file. */
static void check(const struct argp_state *state, const dlg_text_options *o)
{
    const char *wrong = NULL;
    if (!o->gradient) wrong = "want a gradient (--grads FILE), found none";
    else if (o->model.directory && (o->has_preset || o->about_preset)) wrong = "want --model or a preset, found both";
    else if (o->about_preset && !o->has_preset) wrong = "want --preset with --model-seed and --num-labels, found none";
    else if (o->model.weights && !o->model.directory) wrong = "want --model with --before, found none";
    else if (o->how.resume && !o->how.checkpoint) wrong = "want --checkpoint with --resume, found none";
    else if (o->prior && !asks_prior(o)) wrong = "want --attack lamp with --prior, found another";
    if (o->inspect && o->how.checkpoint) wrong = "want --inspect without --checkpoint, found both";
    for (size_t i = 0; i < DLG_N_KNOWN && o->inspect; i++)
        if (o->truth || o->known[i]) wrong = "want --inspect alone, found --know or --truth beside it";
    if (wrong) argp_failure(state, DLG_EXIT_USAGE, 0, "%s", wrong);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const tasks[] = {"mlm", "cls", NULL}, *const updates[] = {"batch", "sentence", NULL};
    dlg_text_options *o = state->input;
    o->about_preset |= key == KEY_MODEL_SEED || key == KEY_NUM_LABELS;
    switch (key) {
    case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
    case KEY_GRADS:
    case ARGP_KEY_ARG: set_gradient(state, o, arg); break;
    case KEY_MODEL: o->model.directory = arg; break;
    case KEY_PRESET:
        o->model.preset = arg;
        o->has_preset = true;
        break;
    case KEY_MODEL_SEED: o->model.seed = dlg_option_whole(state, "model-seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_NUM_LABELS: o->model.n_labels = (size_t)dlg_option_whole(state, "num-labels", arg, 1, UINT32_MAX); break;
    case KEY_TASK: o->model.task = tasks[dlg_option_name(state, "task", arg, tasks)]; break;
    case KEY_KNOW: add_known(state, o, arg); break;
    case KEY_ATTACK:
        o->how.attack = arg;
        check_names(state, o);
        break;
    case KEY_PRIOR: o->prior = arg; break;
    case KEY_DISTANCE:
        o->how.distance = arg;
        check_names(state, o);
        break;
    case KEY_MINIMIZER:
        o->how.optimizer = arg;
        check_names(state, o);
        break;
    case KEY_ITERATIONS: o->how.max_iterations = (size_t)dlg_option_whole(state, "iterations", arg, 1, 1000000); break;
    case KEY_STARTS: o->how.max_starts = (size_t)dlg_option_whole(state, "starts", arg, 1, 1000000); break;
    case KEY_DESCEND: o->how.update = (dlg_update)dlg_option_name(state, "descend", arg, updates); break;
    case KEY_BEFORE: o->model.weights = arg; break;
    case KEY_EVALUATIONS:
        o->how.max_evaluations = (size_t)dlg_option_whole(state, "evaluations", arg, 1, 1000000000);
        break;
    case KEY_TIME:
        o->how.max_seconds = (double)dlg_option_whole(state, "time", arg, 0, 1000000000);
        if (!(o->how.max_seconds > 0)) o->how.max_seconds = INFINITY;
        break;
    case KEY_SEED: o->how.seed = dlg_option_whole(state, "seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_EVERY: o->every = (size_t)dlg_option_whole(state, "every", arg, 1, UINT32_MAX); break;
    case KEY_TRUTH: o->truth = arg; break;
    case KEY_MEMORY: o->memory = dlg_option_bytes(state, "memory", arg); break;
    case KEY_THREADS: o->n_threads = (int)dlg_option_whole(state, "threads", arg, 1, 1024); break;
    case KEY_CHECKPOINT: o->how.checkpoint = arg; break;
    case KEY_RESUME: o->how.resume = true; break;
    case KEY_JSON: o->json = true; break;
    case KEY_COLOR: o->color = dlg_option_color(state, arg); break;
    case KEY_INSPECT: o->inspect = true; break;
    case 'q': o->quiet = true; break;
    case ARGP_KEY_END:
        check(state, o);
        o->model.only_inspects = o->inspect;
        break;
    default: return dlg_training_option(key, arg, state, "steps", &o->training);
    }
    return 0;
}

static char *help(int key, const char *text, void *input)
{
    static const dlg_help_table tables[] = {{DLG_ATTACKS, "Attacks", "--attack=NAME"},
                                            {DLG_DISTANCES, "Distances", "--distance=NAME"},
                                            {DLG_OPTIMIZERS, "Minimizers", "--minimizer=NAME"},
                                            {DLG_PRESETS, "Presets", "--preset=NAME"}};
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
    return dlg_help_with(sizeof tables / sizeof *tables, tables, text);
}

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

const char *argp_program_version = "dlg-text " DLG_VERSION;

dlg_text_options dlg_text_options_parse(int argc, char **argv)
{
    dlg_text_options o = {.every = 1};
    argp_err_exit_status = DLG_EXIT_USAGE;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
    return o;
}
