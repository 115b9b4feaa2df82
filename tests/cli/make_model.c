/*
 * make_model DIRECTORY mlm|cls|clm|distilbert|wide [SEED]: a small Hugging Face model (24 positions, 40 pieces, 3
 * classes) for the cases to try, and to damage. clm is a GPT-2, of which the vocabulary is not written, distilbert a
 * masked LM, wide a masked LM with 1,100 embeddings for its 40 pieces. Another seed draws other weights.
 */
#include "base/memory.h"
#include "models/architecture.h"
#include "models/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char VOCABULARY[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n.\n,\na\nb\nc\nd\ne\nf\ng\nh\ni\n"
    "##a\n##b\n##c\n##d\n##e\n##f\n##g\n##h\n##i\n"
    "the\na\xc3\xa9\nred\nblue\ngreen\nfish\nbird\ntree\nswims\nflies\ngrows\nin\nunder\nover\nsea\n";

static int put(const char *directory, const char *name, const char *text)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    const int failed = !file || fputs(text, file) < 0;
    return (file && fclose(file)) || failed;
}

static dlg_status put_weights(const char *directory, const dlg_config *config, uint64_t seed, dlg_error *err)
{
    char path[4096];
    dlg_model *model = NULL;
    dlg_tensor_source *tensors = NULL;
    snprintf(path, sizeof path, "%s/model.safetensors", directory);
    dlg_status status = dlg_model_preset(&model, "test", config, seed, err);
    if (!status && !(tensors = dlg_allocate(model->n_parameters, sizeof *tensors)))
        status = dlg_fail(err, DLG_ENOMEM, "no memory");
    for (size_t i = 0; !status && i < model->n_parameters; i++) {
        const dlg_parameter *p = &model->parameters[i];
        const size_t rows = p->is_transposed ? p->n_cols : p->n_rows,
                     columns = p->is_transposed ? p->n_rows : p->n_cols;
        tensors[i] = (dlg_tensor_source){p->name, p->n_dims, {p->n_dims == 2 ? rows : columns, columns}, p->value};
    }
    if (!status) status = dlg_safetensors_write(path, model->n_parameters, tensors, DLG_F32, 0, NULL, err);
    dlg_free(tensors);
    dlg_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    dlg_error err = {0};
    char text[1024];
    if (argc != 3 && argc != 4) return 64;
    const bool classifier = !strcmp(argv[2], "cls"), causal = !strcmp(argv[2], "clm"),
               distilled = !strcmp(argv[2], "distilbert"), wide = !strcmp(argv[2], "wide");
    const dlg_task task = causal ? DLG_CAUSAL_LM : classifier ? DLG_SEQUENCE_CLASSIFICATION : DLG_MASKED_LM;
    const dlg_config config = {.architecture = causal      ? &dlg_gpt2
                                               : distilled ? &dlg_distilbert
                                                           : &dlg_bert,
                               .task = task,
                               .vocabulary_size = wide ? 1100 : 40,
                               .hidden_size = 16,
                               .n_layers = 1,
                               .n_heads = 2,
                               .intermediate_size = 32,
                               .max_positions = 24,
                               .n_token_types = 2,
                               .n_labels = 3,
                               .layer_norm_eps = 1e-12,
                               .initializer_range = 0.02,
                               .tied_decoder = true};
    snprintf(
        text, sizeof text,
        "{\"model_type\": \"bert\", \"architectures\": [\"%s\"], \"vocab_size\": %zu, \"hidden_size\": 16, "
        "\"num_hidden_layers\": 1,\n"
        " \"num_attention_heads\": 2, \"intermediate_size\": 32, \"max_position_embeddings\": 24,\n"
        " \"id2label\": {\"0\": \"x\", \"1\": \"y\", \"2\": \"z\"}, \"label2id\": {\"x\": 0, \"y\": 1, \"z\": 2}}\n",
        classifier ? "BertForSequenceClassification" : "BertForMaskedLM", config.vocabulary_size);
    if (causal)
        snprintf(text, sizeof text,
                 "{\"model_type\": \"gpt2\", \"vocab_size\": 40, \"n_embd\": 16, \"n_layer\": 1, \"n_head\": 2,\n"
                 " \"n_inner\": 32, \"n_positions\": 24}\n");
    if (distilled)
        snprintf(text, sizeof text,
                 "{\"model_type\": \"distilbert\", \"vocab_size\": 40, \"dim\": 16, \"n_layers\": 1, \"n_heads\": 2,\n"
                 " \"hidden_dim\": 32, \"max_position_embeddings\": 24}\n");
    if (put(argv[1], "config.json", text) || (!causal && put(argv[1], "vocab.txt", VOCABULARY))) return 1;
    if (!put_weights(argv[1], &config, argc == 4 ? strtoull(argv[3], NULL, 10) : 7, &err)) return 0;
    fprintf(stderr, "make_model: %s\n", err.message);
    return 1;
}
