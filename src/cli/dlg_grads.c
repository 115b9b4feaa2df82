/* dlg-grads: the participant of federated learning. Text goes in, the gradient that it would share comes out, and the
 * truth beside it. */
#define _GNU_SOURCE /* argp */
#include "cli/help.h"
#include "cli/option.h"
#include "cli/start.h"
#include "cli/training_options.h"
#include "cli/truth_path.h"
#include "dlg/dlg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the files that are written where none are named. */
#define DEFAULT_NAME "bert"

/* A text of the command line, or a file of texts, in the order in which they were given. */
typedef struct {
    const char *value;
    bool is_file, is_pair; /* the second text of the one before */
} text_source;

typedef struct {
    dlg_model_choice model;
    size_t n_texts, n_labels, n_defences;
    text_source *texts;
    uint64_t *labels;
    const char **defences;
    const char *step, *output, *truth;
    dlg_training_choice training; /* n_steps 0: a gradient is shared */
    bool about_training, weights_after;
    bool no_truth, quiet, json;
    bool about_text, about_preset;   /* an option was given that --step, or --model, leaves no room for */
    bool about_masks, about_classes; /* one that a classifier, or a masked LM, leaves no room for */
    double mask_rate, dropout;
    dlg_mask_style mask_style;
    dlg_dtype dtype;
    size_t max_length;
    uint64_t seed;
    int n_threads;
    size_t memory; /* bytes; 0: what is free */
    dlg_format color;
} options;

enum {
    KEY_TEXT = 256,
    KEY_PAIR,
    KEY_FILE,
    KEY_STEP,
    KEY_TRUTH,
    KEY_NO_TRUTH,
    KEY_MODEL,
    KEY_PRESET,
    KEY_MODEL_SEED,
    KEY_NUM_LABELS,
    KEY_TASK,
    KEY_LABEL,
    KEY_MASK_RATE,
    KEY_MASK_STYLE,
    KEY_DROPOUT,
    KEY_MAX_LENGTH,
    KEY_DTYPE,
    KEY_DEFEND,
    KEY_WEIGHTS_AFTER,
    KEY_SEED,
    KEY_MEMORY,
    KEY_THREADS,
    KEY_JSON,
    KEY_COLOR
};

static const struct argp_option table[] = {
    {.doc = "Text (standard input, one text a line, when there is none):", .group = 1},
    {.name = "text", .key = KEY_TEXT, .arg = "TEXT", .doc = "One text of the batch; the same as TEXT by itself"},
    {.name = "pair",
     .key = KEY_PAIR,
     .arg = "TEXT",
     .doc = "The second text of the one before it: both are one input, as of a question and its answer"},
    {.name = "file", .key = KEY_FILE, .arg = "FILE", .doc = "One text a line; - is standard input"},
    {.name = "max-length",
     .key = KEY_MAX_LENGTH,
     .arg = "N",
     .doc = "Cut longer texts to N tokens, begin and end included"},
    {.name = "step",
     .key = KEY_STEP,
     .arg = "FILE",
     .doc = "Instead of text: repeat the step that a truth file records, masks and all"},
    {.doc = "Model:", .group = 2},
    {.name = "model",
     .key = KEY_MODEL,
     .arg = "DIR",
     .doc = "A Hugging Face directory: config.json, model.safetensors or pytorch_model.bin, vocab.txt"},
    {.name = "preset", .key = KEY_PRESET, .arg = "NAME", .doc = "Random weights, see below (default mini)"},
    {.name = "model-seed", .key = KEY_MODEL_SEED, .arg = "N", .doc = "Seed of the preset's weights (default 0)"},
    {.name = "num-labels", .key = KEY_NUM_LABELS, .arg = "N", .doc = "Classes of the preset's classifier (default 2)"},
    {.doc = "Task:", .group = 3},
    {.name = "task",
     .key = KEY_TASK,
     .arg = "mlm|cls",
     .doc = "Masked LM or classification (default: the model's; mlm for a preset)"},
    {.name = "label",
     .key = KEY_LABEL,
     .arg = "N",
     .doc = "The class of a text; once for each, in order. Implies --task=cls"},
    {.name = "mask-rate",
     .key = KEY_MASK_RATE,
     .arg = "R",
     .doc = "Share of the tokens to be predicted, at least one (default 0.15)"},
    {.name = "mask-style",
     .key = KEY_MASK_STYLE,
     .arg = "all|bert",
     .doc = "all: they are masked (default); bert: 80 % do, 10 % a random token, 10 % stay"},
    {.name = "dropout",
     .key = KEY_DROPOUT,
     .arg = "P",
     .doc = "Drop that share of the numbers behind embeddings and layers, as in training (default 0)"},
    {.doc = "Sharing:", .group = 4},
    {.name = "defend",
     .key = KEY_DEFEND,
     .arg = "SPEC",
     .doc = "What is done to the gradient, see below; repeated ones are applied in order (default: nothing)"},
    {.name = "local-steps",
     .key = DLG_KEY_STEPS,
     .arg = "N",
     .doc = "Train for N steps, the whole batch at each, and share by how much the weights differ then"},
    {.name = "optimizer",
     .key = DLG_KEY_OPTIMIZER,
     .arg = "NAME",
     .doc = "Train with sgd (default) or adamw, " DLG_OPTIMIZER_NUMBERS},
    {.name = "lr", .key = DLG_KEY_LR, .arg = "X", .doc = "At that learning rate"},
    {.name = "weights-after", .key = KEY_WEIGHTS_AFTER, .doc = "Share the weights after training themselves"},
    {.name = "output", .key = 'o', .arg = "FILE", .doc = "The gradient (default " DEFAULT_NAME ".g)"},
    {.name = "dtype", .key = KEY_DTYPE, .arg = "TYPE", .doc = "f32 (default), f64, f16 or bf16"},
    {.name = "truth",
     .key = KEY_TRUTH,
     .arg = "FILE",
     .doc = "The truth: text and labels (default: " DEFAULT_NAME ".truth.json for " DEFAULT_NAME ".g)"},
    {.name = "no-truth", .key = KEY_NO_TRUTH, .doc = "Write no truth"},
    {.doc = "General:", .group = 5},
    {.key = 'h', .flags = OPTION_HIDDEN}, /* as --help */
    {.name = "seed", .key = KEY_SEED, .arg = "N", .doc = "Seed of masks, dropout and the defences' noise (default 0)"},
    {.name = "memory", .key = KEY_MEMORY, .arg = "SIZE", .doc = DLG_MEMORY_HELP},
    {.name = "threads", .key = KEY_THREADS, .arg = "N", .doc = DLG_THREADS_HELP},
    {.name = "json", .key = KEY_JSON, .doc = "Print the result as one JSON object"},
    {.name = "color", .key = KEY_COLOR, .arg = DLG_COLOR_ARGUMENT, .doc = DLG_COLOR_HELP},
    {.name = "quiet", .key = 'q', .doc = "No notes on standard error"},
    {0}};

static void add_text(options *o, const char *value, bool is_file)
{
    o->texts[o->n_texts++] = (text_source){value, is_file, false};
}

static void add_pair(const struct argp_state *state, options *o, const char *value)
{
    const text_source *last = o->n_texts ? &o->texts[o->n_texts - 1] : NULL;
    if (!last || last->is_file || last->is_pair)
        argp_failure(state, DLG_EXIT_USAGE, 0, "--pair: want a text before it, found %s",
                     !last           ? "none"
                     : last->is_file ? "a file"
                                     : "another pair");
    o->texts[o->n_texts++] = (text_source){value, false, true};
}

static void add_defence(const struct argp_state *state, options *o, const char *spec)
{
    dlg_error err;
    if (dlg_defence_check(spec, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "%s", err.message);
    o->defences[o->n_defences++] = spec;
}

/* What can be told without looking at any file. */
static void check(const struct argp_state *state, options *o)
{
    const char *wrong = NULL;
    const bool is_cls = o->n_labels || (o->model.task && !strcmp(o->model.task, "cls"));
    if (o->model.directory && o->about_preset) wrong = "want --model or a preset, found both";
    else if (o->step && (o->n_texts || o->about_text))
        wrong = "want --step or text and how to mask or label it, found both";
    else if (o->truth && o->no_truth) wrong = "want --truth or --no-truth, found both";
    else if (o->n_labels && o->model.task && strcmp(o->model.task, "cls") != 0)
        wrong = "want --label with --task=cls, found --task=mlm";
    else if (o->about_masks && is_cls) wrong = "want --mask-rate and --mask-style with --task=mlm, found a classifier";
    else if (o->about_classes && !is_cls && !o->step) wrong = "want --num-labels with --task=cls, found --task=mlm";
    else if (o->about_training && !o->training.n_steps)
        wrong = "want --local-steps with --optimizer, --lr and --weights-after, found none";
    else if (o->training.n_steps && !(o->training.lr > 0)) wrong = "want --lr with --local-steps, found none";
    else if (!*o->output) wrong = "--output: want a file, found an empty name";
    if (wrong) argp_failure(state, DLG_EXIT_USAGE, 0, "%s", wrong);
    if (o->n_labels) o->model.task = "cls";
    o->training.shared = o->weights_after ? "weights" : "difference";
    if (!o->training.optimizer) o->training.optimizer = "sgd";
    if (!o->n_texts && !o->step) add_text(o, "-", true);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    static const char *const tasks[] = {"mlm", "cls", NULL}, *const styles[] = {"all", "bert", NULL},
                             *const dtypes[] = {"f64", "f32", "f16", "bf16", NULL};
    options *o = state->input;
    o->about_text |= key == KEY_LABEL || key == KEY_MASK_RATE || key == KEY_MASK_STYLE || key == KEY_MAX_LENGTH ||
                     key == KEY_DROPOUT;
    o->about_training |= key == DLG_KEY_OPTIMIZER || key == DLG_KEY_LR || key == KEY_WEIGHTS_AFTER;
    o->about_masks |= key == KEY_MASK_RATE || key == KEY_MASK_STYLE;
    o->about_classes |= key == KEY_NUM_LABELS;
    o->about_preset |= key == KEY_PRESET || key == KEY_MODEL_SEED || key == KEY_NUM_LABELS;
    switch (key) {
    case 'h': argp_state_help(state, stdout, ARGP_HELP_STD_HELP); break;
    case KEY_TEXT: add_text(o, arg, false); break;
    case KEY_PAIR: add_pair(state, o, arg); break;
    case ARGP_KEY_ARG: add_text(o, arg, !strcmp(arg, "-")); break;
    case KEY_FILE: add_text(o, arg, true); break;
    case KEY_MAX_LENGTH: o->max_length = (size_t)dlg_option_whole(state, "max-length", arg, 3, UINT32_MAX); break;
    case KEY_STEP: o->step = arg; break;
    case KEY_MODEL: o->model.directory = arg; break;
    case KEY_PRESET: o->model.preset = arg; break;
    case KEY_MODEL_SEED: o->model.seed = dlg_option_whole(state, "model-seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_NUM_LABELS: o->model.n_labels = (size_t)dlg_option_whole(state, "num-labels", arg, 1, UINT32_MAX); break;
    case KEY_TASK: o->model.task = tasks[dlg_option_name(state, "task", arg, tasks)]; break;
    case KEY_LABEL: o->labels[o->n_labels++] = dlg_option_whole(state, "label", arg, 0, UINT32_MAX); break;
    case KEY_MASK_RATE: o->mask_rate = dlg_option_real(state, "mask-rate", arg, 0, 1); break;
    case KEY_MASK_STYLE:
        o->mask_style = dlg_option_name(state, "mask-style", arg, styles) ? DLG_MASK_BERT : DLG_MASK_ALL;
        break;
    case KEY_DROPOUT: o->dropout = dlg_option_real(state, "dropout", arg, 0, 0.9); break;
    case KEY_DTYPE: o->dtype = (dlg_dtype)dlg_option_name(state, "dtype", arg, dtypes); break;
    case KEY_DEFEND: add_defence(state, o, arg); break;
    case KEY_WEIGHTS_AFTER: o->weights_after = true; break;
    case 'o': o->output = arg; break;
    case KEY_TRUTH: o->truth = arg; break;
    case KEY_NO_TRUTH: o->no_truth = true; break;
    case KEY_SEED: o->seed = dlg_option_whole(state, "seed", arg, 0, DLG_SEED_MAX); break;
    case KEY_MEMORY: o->memory = dlg_option_bytes(state, "memory", arg); break;
    case KEY_THREADS: o->n_threads = (int)dlg_option_whole(state, "threads", arg, 1, 1024); break;
    case KEY_JSON: o->json = true; break;
    case KEY_COLOR: o->color = dlg_option_color(state, arg); break;
    case 'q': o->quiet = true; break;
    case ARGP_KEY_END: check(state, o); break;
    default: return dlg_training_option(key, arg, state, "local-steps", &o->training);
    }
    return 0;
}

static char *help(int key, const char *text, void *input)
{
    static const dlg_help_table tables[] = {{DLG_DEFENCES, "Defences", "--defend=SPEC"},
                                            {DLG_PRESETS, "Presets", "--preset=NAME"}};
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
    return dlg_help_with(sizeof tables / sizeof *tables, tables, text);
}

/* ---- the program ---- */

static void note(void *payload, const char *line)
{
    fprintf(payload, "%s\n", line);
}

static dlg_status read_texts(dlg_texts **out, const options *o, dlg_error *err)
{
    dlg_status status = dlg_texts_create(out, err);
    for (size_t i = 0; i < o->n_texts && !status; i++) {
        if (o->texts[i].is_file && !strcmp(o->texts[i].value, "-") && isatty(STDIN_FILENO) && !o->quiet)
            fputs("Texts, one a line; Ctrl-D ends them:\n", stderr);
        const text_source *text = &o->texts[i];
        status = text->is_file   ? dlg_texts_add_file(*out, text->value, err)
                 : text->is_pair ? dlg_texts_add_pair(*out, text->value, err)
                                 : dlg_texts_add(*out, text->value, err);
    }
    return status;
}

/* A step on record says which task it was. */
static dlg_status read_record(dlg_truth **out, options *o, dlg_error *err)
{
    const dlg_status status = dlg_truth_open(out, o->step, err);
    if (status) return status;
    const char *task = dlg_truth_task(*out);
    if (o->model.task && strcmp(o->model.task, task) != 0)
        return dlg_fail(err, DLG_EFORMAT, "%s: task: want %s, found %s", o->step, o->model.task, task);
    o->model.task = task;
    return DLG_OK;
}

static dlg_status make_step(dlg_truth **out, const options *o, const dlg_model *model, const dlg_texts *texts,
                            dlg_error *err)
{
    const dlg_participation how = {.mask_rate = o->mask_rate,
                                   .mask_style = o->mask_style,
                                   .max_length = o->max_length,
                                   .seed = o->seed,
                                   .n_labels = o->n_labels,
                                   .labels = o->labels,
                                   .note = o->quiet ? NULL : note,
                                   .payload = stderr,
                                   .dropout = o->dropout};
    return dlg_truth_of_texts(out, model, texts, &how, err);
}

static bool is_no_file(const char *path)
{
    struct stat info;
    return path && !stat(path, &info) && !S_ISREG(info.st_mode);
}

/* An interrupt waits until both files are there. But a pipe may wait for its reader: what is written through cannot be
 * whole or not at all anyway. */
static dlg_status save(const options *o, const dlg_gradient *gradient, const dlg_truth *step, const char *truth_path,
                       dlg_error *err)
{
    if (is_no_file(o->output) || is_no_file(truth_path))
        return dlg_gradient_write(gradient, o->output, o->dtype, step, truth_path, err);
    const sigset_t before = dlg_interrupts_hold();
    const dlg_status status = dlg_gradient_write(gradient, o->output, o->dtype, step, truth_path, err);
    dlg_interrupts_release(before);
    return status;
}

static dlg_status share(const options *o, const dlg_model *model, dlg_truth *step, const char *truth_path,
                        dlg_error *err)
{
    dlg_gradient *gradient = NULL;
    dlg_status status =
        o->training.n_steps
            ? dlg_gradient_train(&gradient, model, step, &o->training, o->n_defences, o->defences, o->seed, err)
            : dlg_gradient_compute(&gradient, model, step, o->n_defences, o->defences, o->seed, err);
    if (!status && dlg_is_interrupted()) status = dlg_fail(err, DLG_ECANCELLED, "interrupted");
    if (!status) status = save(o, gradient, step, truth_path, err);
    if (!status)
        status = dlg_gradient_print(gradient, o->output, o->dtype, step, truth_path, stdout,
                                    o->json ? DLG_JSON : o->color, err);
    dlg_gradient_free(gradient);
    return status;
}

static dlg_status run(options *o, dlg_error *err)
{
    dlg_model *model = NULL;
    dlg_texts *texts = NULL;
    dlg_truth *step = NULL;
    dlg_status status = DLG_OK;
    char *made = o->no_truth || o->truth ? NULL : dlg_truth_path_of(o->output);
    const char *truth_path = made ? made : o->truth;
    if (!truth_path && !o->no_truth) status = dlg_fail(err, DLG_ENOMEM, "options: no memory");
    if (!status && truth_path && !strcmp(truth_path, o->output))
        status = dlg_fail(err, DLG_EARG, "output: want two files for gradient and truth, found %s for both", o->output);
    if (!status) status = o->step ? read_record(&step, o, err) : read_texts(&texts, o, err);
    if (!status) status = dlg_machine_start(o->memory, o->n_threads, err);
    if (!status) status = dlg_model_open(&model, &o->model, err);
    if (!status && !o->step) status = make_step(&step, o, model, texts, err);
    if (!status) status = share(o, model, step, truth_path, err);
    dlg_truth_free(step);
    dlg_texts_free(texts);
    dlg_model_free(model);
    free(made);
    return status;
}

const char *argp_program_version = "dlg-grads " DLG_VERSION;

int main(int argc, char **argv)
{
    dlg_program_start(argv, DLG_CALLS_END);
    static const struct argp argp = {
        .options = table,
        .parser = parse,
        .args_doc = "[TEXT...]",
        .help_filter = help,
        .doc = "Compute the gradient that a participant of federated learning would share for these texts (one batch), "
               "and write it, "
               "with the truth beside it for the attack to be judged by.\v"
               "Exit status: 0 done, 1 failed, 64 wrong usage, 130 interrupted. Files are written whole or not at all; "
               "a pipe or a device is "
               "written to.",
    };
    const size_t n = (size_t)argc + 1; /* no list is longer than the command line; one more for standard input */
    options o = {.output = DEFAULT_NAME ".g", .mask_rate = 0.15, .dtype = DLG_F32};
    dlg_error err = {0};
    dlg_status status = DLG_OK;
    argp_err_exit_status = DLG_EXIT_USAGE;
    o.texts = calloc(n, sizeof *o.texts);
    o.labels = calloc(n, sizeof *o.labels);
    o.defences = calloc(n, sizeof *o.defences);
    if (!o.texts || !o.labels || !o.defences) {
        status = dlg_fail(&err, DLG_ENOMEM, "options: no memory");
    } else {
        argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o);
        status = run(&o, &err);
    }
    free(o.texts);
    free(o.labels);
    free(o.defences);
    return status ? dlg_report_failure(&err) : DLG_EXIT_DONE;
}
