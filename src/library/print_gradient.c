#include "dlg/machine.h"
#include "dlg/print.h"
#include "dlg/version.h"
#include "gradient/gradient.h"
#include "io/truth.h"
#include "library/format.h"
#include "math/blas.h"
#include "report/json_object.h"
#include "report/line.h"

#include <string.h>

static const char *defence_of(const dlg_gradient *gradient)
{
    return gradient->defence ? gradient->defence : "none";
}

static dlg_status print_words(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, const dlg_truth *step,
                              const char *truth_path, const dlg_screen *screen, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    const size_t n_name = strlen(path);
    dlg_line line = {.used = 0};
    bool is_name[sizeof line.text];
    for (size_t i = 0; i < sizeof line.text; i++) is_name[i] = i < n_name;
    dlg_line_append(&line, "%s: gradient of %zu text%s, %zu tokens, ", path, step->n_sentences,
                    step->n_sentences == 1 ? "" : "s", step->n_rows);
    if (step->is_classification) dlg_line_append(&line, "%zu classes", model->config.n_labels);
    else dlg_line_append(&line, "%zu masked", dlg_truth_count_labels(step));
    dlg_line_append(&line, ", loss %.6f; model %s, %zu parameters as %s; defence %s%s%s", step->loss, model->name,
                    dlg_model_size(model), dlg_dtype_name(dtype), defence_of(gradient), truth_path ? "; truth in " : "",
                    truth_path ? truth_path : "");
    dlg_screen_print(screen, (dlg_layout){.hang = 2, .mark = DLG_BOLD}, line.text, is_name);
    return dlg_screen_flush(screen->stream, err);
}

static void add_lengths(dlg_object *o, const dlg_truth *step)
{
    cJSON *list = dlg_object_add_new(o, o->root, "length", cJSON_CreateArray());
    for (size_t b = 0; b < step->n_sentences && !o->failed; b++)
        dlg_object_append(o, list, dlg_json_number((double)(step->first[b + 1] - step->first[b])));
}

static dlg_status print_json(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, const dlg_truth *step,
                             const char *truth_path, FILE *stream, dlg_error *err)
{
    const dlg_model *model = gradient->model;
    dlg_object o = dlg_object_begin(NULL, "gradient");
    dlg_object_add_string(&o, "version", DLG_VERSION);
    dlg_object_add_string(&o, "output", path);
    dlg_object_add_string(&o, "truth", truth_path);
    dlg_object_add_string(&o, "model", model->name);
    if (!model->file) dlg_object_add_number(&o, "model_seed", (double)model->seed);
    dlg_object_add_number(&o, "n_parameters", (double)dlg_model_size(model));
    dlg_object_add_string(&o, "task", dlg_model_task(model));
    dlg_object_add_number(&o, "batch_size", (double)step->n_sentences);
    add_lengths(&o, step);
    dlg_object_add_number(&o, "n_predicted", (double)dlg_truth_count_labels(step));
    dlg_object_add_number(&o, "loss", step->loss);
    dlg_object_add_string(&o, "defence", defence_of(gradient));
    dlg_object_add_string(&o, "dtype", dlg_dtype_name(dtype));
    dlg_object_add_number(&o, "seed", (double)gradient->seed);
    dlg_object_add_string(&o, "blas", dlg_machine_products());
    dlg_object_add_number(&o, "threads", dlg_blas_threads());
    return dlg_object_finish(&o, stream, err);
}

dlg_status dlg_gradient_print(const dlg_gradient *gradient, const char *path, dlg_dtype dtype, const dlg_truth *step,
                              const char *truth_path, FILE *stream, dlg_format format, dlg_error *err)
{
    const dlg_screen screen = dlg_format_screen(stream, format);
    if (format == DLG_JSON) return print_json(gradient, path, dtype, step, truth_path, stream, err);
    return print_words(gradient, path, dtype, step, truth_path, &screen, err);
}
