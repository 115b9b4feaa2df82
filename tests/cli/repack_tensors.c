/*
 * repack_tensors npz|deflated|columns|list|pt|views|half IN OUT [MODEL]: the tensors of a file of 32-bit floats as
 * numpy and PyTorch write them: np.savez, np.savez_compressed, the same in column-major order, np.savez of a list (in
 * the order of MODEL's parameters), torch.save of a dict, of transposed views, of a dict of bfloat16.
 */
#include "archive.h"
#include "math/half.h"
#include "models/model.h"
#include "models/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 14 };

static archive out;
static archive_bytes npy, pickle;
static const char *kind;

static bool is(const char *name)
{
    return !strcmp(kind, name);
}

/* The numbers with the first dimension running fastest. */
static void turn(float *to, const float *from, const dlg_tensor *tensor)
{
    const size_t n_cols = tensor->n_dims == 2 ? tensor->shape[1] : 1, n_rows = tensor->n_items / n_cols;
    for (size_t i = 0; i < tensor->n_items; i++) to[i % n_cols * n_rows + i / n_cols] = from[i];
}

static void add_array(const char *name, const dlg_tensor *tensor)
{
    char member[128], dict[160], shape[64];
    float numbers[MOST];
    const bool is_columns = is("columns");
    if (is_columns) turn(numbers, tensor->bytes, tensor);
    else memcpy(numbers, tensor->bytes, tensor->n_items * sizeof *numbers);
    snprintf(shape, sizeof shape, tensor->n_dims == 1 ? "%zu," : "%zu, %zu", tensor->shape[0], tensor->shape[1]);
    snprintf(dict, sizeof dict, "{'descr': '<f4', 'fortran_order': %s, 'shape': (%s), }", is_columns ? "True" : "False",
             shape);
    snprintf(member, sizeof member, "%s.npy", name);
    npy.n = 0;
    archive_npy(&npy, dict, numbers, tensor->n_items * sizeof *numbers);
    archive_add(&out, member, npy.bytes, npy.n, is("deflated"));
}

static void add_storage(size_t i, const dlg_tensor *tensor)
{
    char member[32];
    float numbers[MOST];
    uint16_t codes[MOST];
    if (is("views")) turn(numbers, tensor->bytes, tensor);
    else memcpy(numbers, tensor->bytes, tensor->n_items * sizeof *numbers);
    for (size_t k = 0; k < tensor->n_items; k++) codes[k] = dlg_bf16_from_double((double)numbers[k]);
    snprintf(member, sizeof member, "archive/data/%zu", i);
    if (is("half")) archive_add(&out, member, codes, tensor->n_items * sizeof *codes, false);
    else archive_add(&out, member, numbers, tensor->n_items * sizeof *numbers, false);
}

static void add_view(size_t i, const dlg_tensor *tensor)
{
    char key[24];
    snprintf(key, sizeof key, "%zu", i);
    const bool is_turned = is("views") && tensor->n_dims == 2;
    archive_view view = {.class_name = is("half") ? "BFloat16Storage" : "FloatStorage",
                         .key = key,
                         .n = tensor->n_items,
                         .n_dims = tensor->n_dims,
                         .shape = {tensor->shape[0], tensor->shape[1]},
                         .strides = {tensor->n_dims == 2 ? tensor->shape[1] : 1, 1}};
    if (is_turned) view.strides[0] = 1, view.strides[1] = tensor->shape[0];
    archive_pickle_text(&pickle, tensor->name);
    archive_pickle_view(&pickle, &view);
}

static void pack_zip(const dlg_safetensors *in)
{
    for (size_t i = 0; i < dlg_safetensors_count(in); i++)
        add_array(dlg_safetensors_at(in, i)->name, dlg_safetensors_at(in, i));
}

static void pack_list(const dlg_safetensors *in, const dlg_model *model)
{
    const dlg_naming naming = dlg_naming_of(in);
    for (size_t i = 0; i < model->n_parameters; i++) {
        char name[32];
        snprintf(name, sizeof name, "arr_%zu", i);
        const dlg_tensor *tensor;
        if (dlg_naming_find(&tensor, &naming, &model->parameters[i], NULL)) abort();
        add_array(name, tensor);
    }
}

static void pack_pt(const dlg_safetensors *in)
{
    archive_put(&pickle, "\x80\2}(", 4);
    for (size_t i = 0; i < dlg_safetensors_count(in); i++) add_view(i, dlg_safetensors_at(in, i));
    archive_put(&pickle, "u.", 2);
    archive_add(&out, "archive/data.pkl", pickle.bytes, pickle.n, false);
    for (size_t i = 0; i < dlg_safetensors_count(in); i++) add_storage(i, dlg_safetensors_at(in, i));
}

int main(int argc, char **argv)
{
    dlg_safetensors *in = NULL;
    dlg_model *model = NULL;
    dlg_error err = {0};
    if (argc < 4) return 64;
    kind = argv[1];
    dlg_status status = dlg_safetensors_open(&in, argv[2], &err);
    if (!status && argc == 5) status = dlg_model_load(&model, argv[4], DLG_FORWARD_ONLY, &err);
    if (!status && model) pack_list(in, model);
    else if (!status && (is("pt") || is("views") || is("half"))) pack_pt(in);
    else if (!status) pack_zip(in);
    archive_end(&out, false);
    FILE *file = status ? NULL : fopen(argv[3], "wb");
    const bool is_written = file && fwrite(out.file.bytes, 1, out.file.n, file) == out.file.n && !fclose(file);
    if (status) fprintf(stderr, "repack_tensors: %s\n", err.message);
    dlg_model_free(model);
    dlg_safetensors_close(in);
    return !is_written;
}
