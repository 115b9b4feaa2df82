#include "small_model.h"

#include "math/random.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char config_text[] =
    "{\"model_type\": \"bert\", \"architectures\": [\"%s\"], \"vocab_size\": 11, \"hidden_size\": 8, "
    "\"num_hidden_layers\": 1, \"num_attention_heads\": 2, \"intermediate_size\": 12, "
    "\"max_position_embeddings\": 9, \"type_vocab_size\": 2, \"id2label\": {\"0\": \"a\", \"1\": \"b\", "
    "\"2\": \"c\"}}";

static const char gpt2_config[] =
    "{\"model_type\": \"gpt2\", \"vocab_size\": 11, \"n_embd\": 8, \"n_layer\": 1, \"n_head\": 2, "
    "\"n_inner\": 12, \"n_positions\": 9}";

static void write_config_text(dlg_task task, char *out, size_t n_bytes)
{
    if (task == DLG_CAUSAL_LM) snprintf(out, n_bytes, "%s", gpt2_config);
    else
        snprintf(out, n_bytes, config_text,
                 task == DLG_MASKED_LM ? "BertForMaskedLM" : "BertForSequenceClassification");
}

void small_model_write_config(dlg_task task)
{
    char text[1024];
    write_config_text(task, text, sizeof text);
    scratch_text("config.json", text);
}

static void append(small_model *small, const char *name, size_t n_dims, size_t n_rows, size_t n_cols)
{
    const size_t i = small->n++;
    assert_true(i < SMALL_TENSORS);
    snprintf(small->names[i], sizeof small->names[i], "%s", name);
    small->numbers[i] = malloc((n_rows + 1) * n_cols * sizeof *small->numbers[i]);
    assert_non_null(small->numbers[i]);
    dlg_random_normal_fill(small->numbers[i], (n_rows + 1) * n_cols, 0.5, 7, (uint32_t)i);
    small->tensors[i] = (dlg_tensor_source){.name = small->names[i], .n_dims = n_dims, .values = small->numbers[i]};
    small->tensors[i].shape[0] = n_dims == 1 ? n_cols : n_rows;
    small->tensors[i].shape[1] = n_cols;
}

void small_model_create(small_model *small, dlg_task task)
{
    char text[1024];
    dlg_config config;
    *small = (small_model){0};
    write_config_text(task, text, sizeof text);
    assert_int_equal(dlg_config_parse(&config, "config", text, strlen(text), NULL), DLG_OK);
    assert_int_equal(dlg_model_preset(&small->model, "small", &config, 1, NULL), DLG_OK);
    for (size_t i = 0; i < small->model->n_parameters; i++) {
        const dlg_parameter *p = &small->model->parameters[i];
        append(small, p->name, p->n_dims, p->is_transposed ? p->n_cols : p->n_rows,
               p->is_transposed ? p->n_rows : p->n_cols);
    }
}

void small_model_release(small_model *small)
{
    for (size_t i = 0; i < small->n; i++) free(small->numbers[i]);
    dlg_model_free(small->model);
}

size_t small_model_find(const small_model *small, const char *name)
{
    for (size_t i = 0; i < small->n; i++)
        if (!strcmp(small->names[i], name)) return i;
    fail_msg("no tensor %s", name);
    return 0;
}

void small_model_drop(small_model *small, const char *name)
{
    const size_t i = small_model_find(small, name), last = --small->n;
    free(small->numbers[i]);
    small->numbers[i] = small->numbers[last];
    small->tensors[i] = small->tensors[last];
    memcpy(small->names[i], small->names[last], sizeof small->names[i]);
    small->tensors[i].name = small->names[i];
}

void small_model_rename(small_model *small, const char *name, const char *new_name)
{
    const size_t i = small_model_find(small, name);
    snprintf(small->names[i], sizeof small->names[i], "%s", new_name);
}

void small_model_rename_all(small_model *small, const char *from, const char *to)
{
    for (size_t i = 0; i < small->n; i++) {
        char name[sizeof small->names[i]];
        memcpy(name, small->names[i], sizeof name);
        const char *at = strstr(name, from);
        if (at)
            snprintf(small->names[i], sizeof small->names[i], "%.*s%s%s", (int)(at - name), name, to,
                     at + strlen(from));
    }
}

void small_model_add(small_model *small, const char *name, size_t n)
{
    append(small, name, 1, 1, n);
}

size_t small_model_copy(small_model *small, const char *name, const char *copy_name)
{
    const dlg_tensor_source from = small->tensors[small_model_find(small, name)];
    const size_t n_cols = from.shape[from.n_dims - 1], n_rows = from.n_dims == 1 ? 1 : from.shape[0], i = small->n;
    append(small, copy_name, from.n_dims, n_rows, n_cols);
    memcpy(small->numbers[i], from.values, n_rows * n_cols * sizeof *from.values);
    return i;
}

const char *small_model_write(const small_model *small, const char *file, dlg_dtype dtype)
{
    dlg_error err;
    const char *path = scratch_path(file);
    if (dlg_safetensors_write(path, small->n, small->tensors, dtype, 0, NULL, &err)) fail_msg("%s", err.message);
    return path;
}

void small_model_patch(const char *path, const void *from, const void *to, size_t n)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    unsigned char bytes[65536];
    const size_t n_bytes = fread(bytes, 1, sizeof bytes, file);
    size_t at = 0;
    while (at + n <= n_bytes && memcmp(bytes + at, from, n) != 0) at++;
    assert_true(at + n <= n_bytes);
    assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
    assert_int_equal(fwrite(to, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}
