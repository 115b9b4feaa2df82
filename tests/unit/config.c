/** config.json: Hugging Face's defaults, what is read, what is refused and by what name. */
#include "models/config.h"

#include "base/memory.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static dlg_status parse(dlg_config *out, const char *text, dlg_error *err)
{
    *err = (dlg_error){0};
    return dlg_config_parse(out, "dir/config.json", text, strlen(text), err);
}

static dlg_config parsed(const char *text)
{
    dlg_error err;
    dlg_config config;
    if (parse(&config, text, &err)) fail_msg("%s", err.message);
    return config;
}

static void defaults(void **state)
{
    (void)state;
    const dlg_config config = parsed("{}");
    assert_int_equal(config.task, DLG_MASKED_LM);
    assert_int_equal(config.vocabulary_size, 30522);
    assert_int_equal(config.hidden_size, 768);
    assert_int_equal(config.n_layers, 12);
    assert_int_equal(config.n_heads, 12);
    assert_int_equal(config.intermediate_size, 3072);
    assert_int_equal(config.max_positions, 512);
    assert_int_equal(config.n_token_types, 2);
    assert_int_equal(config.n_labels, 2);
    assert_int_equal(config.activation, DLG_GELU_ERF);
    assert_true(config.layer_norm_eps == 1e-12 && config.initializer_range == 0.02 && config.tied_decoder);
}

static void everything(void **state)
{
    (void)state;
    const dlg_config config = parsed(
        "{\"architectures\":[\"BertForSequenceClassification\"],\"model_type\":\"bert\",\"vocab_size\":99,\"hidden_"
        "size\":30,"
        "\"num_hidden_layers\":3,\"num_attention_heads\":5,\"intermediate_size\":37,\"hidden_act\":\"gelu_new\","
        "\"max_position_embeddings\":40,\"type_vocab_size\":1,\"layer_norm_eps\":1e-5,\"initializer_range\":0.5,"
        "\"tie_word_embeddings\":false,\"id2label\":{\"0\":\"a\",\"1\":\"b\",\"2\":\"c\"},\"num_labels\":3,"
        "\"problem_type\":\"single_label_classification\",\"position_embedding_type\":\"absolute\",\"is_decoder\":"
        "false,"
        "\"add_cross_attention\":false,\"pruned_heads\":{},\"quantization_config\":null,\"chunk_size_feed_forward\":7,"
        "\"classifier_dropout\":0.3,\"something_new\":[1]}");
    assert_int_equal(config.task, DLG_SEQUENCE_CLASSIFICATION);
    assert_int_equal(config.vocabulary_size, 99);
    assert_int_equal(config.hidden_size, 30);
    assert_int_equal(config.n_layers, 3);
    assert_int_equal(config.n_heads, 5);
    assert_int_equal(config.intermediate_size, 37);
    assert_int_equal(config.max_positions, 40);
    assert_int_equal(config.n_token_types, 1);
    assert_int_equal(config.n_labels, 3);
    assert_int_equal(config.activation, DLG_GELU_TANH);
    assert_true(config.layer_norm_eps == 1e-5 && config.initializer_range == 0.5 && !config.tied_decoder);
}

static void choices(void **state)
{
    (void)state;
    assert_int_equal(parsed("{\"architectures\":[\"BertForMaskedLM\"]}").task, DLG_MASKED_LM);
    assert_int_equal(parsed("{\"architectures\":null}").task, DLG_MASKED_LM);
    assert_int_equal(parsed("{\"architectures\":[]}").task, DLG_MASKED_LM);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu\"}").activation, DLG_GELU_ERF);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu_pytorch_tanh\"}").activation, DLG_GELU_TANH);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu_fast\"}").activation, DLG_GELU_TANH);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu_python_tanh\"}").activation, DLG_GELU_TANH);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu_accurate\"}").activation, DLG_GELU_TANH);
    assert_int_equal(parsed("{\"hidden_act\":\"gelu_python\"}").activation, DLG_GELU_ERF);
    assert_int_equal(parsed("{\"hidden_act\":\"relu\"}").activation, DLG_RELU);
    assert_int_equal(parsed("{\"num_labels\":5}").n_labels, 5);
    assert_string_equal(dlg_task_name(DLG_MASKED_LM), "mlm");
    assert_string_equal(dlg_task_name(DLG_SEQUENCE_CLASSIFICATION), "cls");
}

static void gpt2(void **state)
{
    (void)state;
    dlg_config config = parsed("{\"model_type\":\"gpt2\"}");
    assert_int_equal(config.task, DLG_CAUSAL_LM);
    assert_int_equal(config.vocabulary_size, 50257);
    assert_int_equal(config.hidden_size, 768);
    assert_int_equal(config.n_layers, 12);
    assert_int_equal(config.n_heads, 12);
    assert_int_equal(config.intermediate_size, 3072);
    assert_int_equal(config.max_positions, 1024);
    assert_int_equal(config.n_token_types, 0);
    assert_int_equal(config.activation, DLG_GELU_TANH);
    assert_true(config.layer_norm_eps == 1e-5 && config.tied_decoder);
    config = parsed(
        "{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2LMHeadModel\"],\"vocab_size\":99,\"n_embd\":30,\"n_layer\":"
        "3,"
        "\"n_head\":5,\"n_inner\":null,\"n_positions\":40,\"activation_function\":\"gelu\",\"layer_norm_epsilon\":1e-3,"
        "\"tie_word_embeddings\":false,\"scale_attn_weights\":true,\"scale_attn_by_inverse_layer_idx\":false,"
        "\"reorder_and_upcast_attn\":false,\"hidden_size\":\"not its "
        "key\",\"id2label\":{\"0\":\"a\"},\"num_labels\":1}");
    assert_int_equal(config.vocabulary_size, 99);
    assert_int_equal(config.hidden_size, 30);
    assert_int_equal(config.n_layers, 3);
    assert_int_equal(config.n_heads, 5);
    assert_int_equal(config.intermediate_size, 120);
    assert_int_equal(config.max_positions, 40);
    assert_int_equal(config.activation, DLG_GELU_ERF);
    assert_true(config.layer_norm_eps == 1e-3 && !config.tied_decoder);
    assert_int_equal(parsed("{\"model_type\":\"gpt2\",\"n_inner\":7}").intermediate_size, 7);
    assert_string_equal(dlg_task_name(DLG_CAUSAL_LM), "clm");
}

typedef struct {
    const char *text, *object;
} refusal;

static void check_refused(size_t n, const refusal *cases)
{
    static const dlg_config empty;
    for (size_t i = 0; i < n; i++) {
        dlg_error err;
        dlg_config config;
        assert_refused(parse(&config, cases[i].text, &err), DLG_EFORMAT, &err, "dir/config.json: ", cases[i].object);
        assert_int_equal(config.hidden_size, empty.hidden_size);
    }
}

static void refused_models(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"", "want a value"},
        {"[]", "want a JSON object"},
        {"{\"vocab_size\":1,\"vocab_size\":2}", "\"vocab_size\" twice"},
        {"{\"model_type\":\"roberta\"}", "model_type: want bert or distilbert, or as a prior gpt2, found roberta"},
        {"{\"model_type\":3}", "model_type: want bert or distilbert, or as a prior gpt2, found 3"},
        {"{\"architectures\":[\"BertForPreTraining\"]}",
         "want BertForMaskedLM or BertForSequenceClassification, found BertForPre"},
        {"{\"architectures\":[\"BertModel\"]}", "found BertModel"},
        {"{\"architectures\":[\"BertForMaskedLM\",\"BertModel\"]}", "architectures: want a list of one name"},
        {"{\"architectures\":\"BertForMaskedLM\"}", "architectures: want a list of one name, found BertForMaskedLM"},
        {"{\"architectures\":[1]}", "architectures: want BertForMaskedLM or"},
        {"{\"architectures\":[\"GPT2LMHeadModel\"]}",
         "want BertForMaskedLM or BertForSequenceClassification, found GPT2LMHeadModel"},
        {"{\"position_embedding_type\":\"relative_key\"}",
         "position_embedding_type: want absolute, found relative_key"},
        {"{\"problem_type\":\"multi_label_classification\"}",
         "problem_type: want single_label_classification, found multi_label"},
        {"{\"problem_type\":\"regression\"}", "problem_type"},
        {"{\"is_decoder\":true}", "is_decoder: want false, found true"},
        {"{\"add_cross_attention\":true}", "add_cross_attention"},
        {"{\"is_encoder_decoder\":true}", "is_encoder_decoder"},
        {"{\"pruned_heads\":{\"0\":[1]}}", "pruned_heads: want none, found an object"},
        {"{\"quantization_config\":{\"bits\":8}}", "quantization_config"},
        {"{\"hidden_act\":\"gelu_10\"}", "hidden_act: want gelu, gelu_python, gelu_new, gelu_pytorch_tanh, "
                                         "gelu_python_tanh, gelu_accurate, gelu_fast or "
                                         "relu, found gelu_10"},
        {"{\"hidden_act\":null}", "hidden_act"},
    };
    check_refused(sizeof cases / sizeof *cases, cases);
}

static void refused_gpt2(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"{\"model_type\":\"gpt2\",\"architectures\":[\"GPT2ForSequenceClassification\"]}",
         "want GPT2LMHeadModel, found GPT2ForSeq"},
        {"{\"model_type\":\"gpt2\",\"architectures\":[\"BertForMaskedLM\"]}",
         "want GPT2LMHeadModel, found BertForMaskedLM"},
        {"{\"model_type\":\"gpt2\",\"activation_function\":\"silu\"}", "activation_function: want gelu,"},
        {"{\"model_type\":\"gpt2\",\"scale_attn_weights\":false}", "scale_attn_weights: want true, found false"},
        {"{\"model_type\":\"gpt2\",\"scale_attn_by_inverse_layer_idx\":true}",
         "scale_attn_by_inverse_layer_idx: want false, found true"},
        {"{\"model_type\":\"gpt2\",\"add_cross_attention\":true}", "add_cross_attention"},
        {"{\"model_type\":\"gpt2\",\"n_embd\":30}", "n_embd: want a multiple of n_head (12), found 30"},
        {"{\"model_type\":\"gpt2\",\"n_embd\":null}", "n_embd: want a whole number, found null"},
        {"{\"model_type\":\"gpt2\",\"n_inner\":0}", "n_inner: want 1 to 262144, found 0"},
        {"{\"model_type\":\"gpt2\",\"n_positions\":1048577}", "n_positions: want 1 to 1048576, found 1048577"},
        {"{\"model_type\":\"gpt2\",\"layer_norm_epsilon\":0}", "layer_norm_epsilon: want a number above 0"},
    };
    check_refused(sizeof cases / sizeof *cases, cases);
}

static void refused_numbers(void **state)
{
    (void)state;
    static const refusal cases[] = {
        {"{\"hidden_size\":\"768\"}", "hidden_size: want a whole number, found 768"},
        {"{\"hidden_size\":768.5}", "hidden_size: want a whole number, found 768.5"},
        {"{\"hidden_size\":-768}", "hidden_size: want a whole number, found -768"},
        {"{\"hidden_size\":null}", "hidden_size: want a whole number, found null"},
        {"{\"hidden_size\":0}", "hidden_size: want 1 to 65536, found 0"},
        {"{\"hidden_size\":770}", "hidden_size: want a multiple of num_attention_heads (12), found 770"},
        {"{\"vocab_size\":16777217}", "vocab_size: want 1 to 16777216, found 16777217"},
        {"{\"vocab_size\":9007199254740994}", "vocab_size: want a whole number"},
        {"{\"num_hidden_layers\":2000}", "num_hidden_layers"},
        {"{\"num_attention_heads\":0}", "num_attention_heads"},
        {"{\"intermediate_size\":0}", "intermediate_size"},
        {"{\"max_position_embeddings\":1e15}", "max_position_embeddings"},
        {"{\"type_vocab_size\":0}", "type_vocab_size"},
        {"{\"id2label\":[\"a\"]}", "id2label: want an object, found a list"},
        {"{\"id2label\":{}}", "num_labels: want 1 to 16777216, found 0"},
        {"{\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"num_labels\":3}",
         "num_labels: want as many as id2label has, found 3"},
        {"{\"layer_norm_eps\":0}", "layer_norm_eps: want a number above 0"},
        {"{\"layer_norm_eps\":1e999}", "layer_norm_eps"},
        {"{\"initializer_range\":\"wide\"}", "initializer_range"},
        {"{\"tie_word_embeddings\":1}", "tie_word_embeddings: want true or false, found 1"},
    };
    check_refused(sizeof cases / sizeof *cases, cases);
}

static void truncated(void **state)
{
    (void)state;
    static const char text[] = "{\"architectures\":[\"BertForMaskedLM\"],\"hidden_size\":64,\"num_attention_heads\":1,"
                               "\"layer_norm_eps\":1e-12}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        dlg_error err;
        dlg_config config;
        assert_refused(dlg_config_read(&config, scratch_file("cut.json", text, n), &err), DLG_EFORMAT, &err,
                       "cut.json: byte", "want");
    }
    dlg_error err;
    dlg_config config;
    assert_int_equal(dlg_config_read(&config, scratch_text("cut.json", text), &err), DLG_OK);
    assert_int_equal(config.hidden_size, 64);
    assert_refused(dlg_config_read(&config, scratch_path("none.json"), &err), DLG_EIO, &err, "none.json",
                   "No such file");
}

static void presets(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t hidden, layers, heads;
    } cases[] = {
        {"tiny", 128, 2, 2}, {"mini", 256, 4, 4}, {"small", 512, 4, 8}, {"medium", 512, 8, 8}, {"base", 768, 12, 12}};
    dlg_error err;
    dlg_config config;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(dlg_config_preset(&config, cases[i].name, DLG_SEQUENCE_CLASSIFICATION, 8192, 5, &err), DLG_OK);
        assert_int_equal(config.task, DLG_SEQUENCE_CLASSIFICATION);
        assert_int_equal(config.hidden_size, cases[i].hidden);
        assert_int_equal(config.n_layers, cases[i].layers);
        assert_int_equal(config.n_heads, cases[i].heads);
        assert_int_equal(config.intermediate_size, 4 * cases[i].hidden);
        assert_int_equal(config.vocabulary_size, 8192);
        assert_int_equal(config.n_labels, 5);
        assert_int_equal(config.max_positions, 512);
        assert_true(config.tied_decoder && config.initializer_range == 0.02);
    }
    assert_int_equal(dlg_config_preset(&config, "tiny", DLG_MASKED_LM, 10, 0, &err), DLG_OK);
    dlg_status status = dlg_config_preset(&config, "huge", DLG_MASKED_LM, 10, 0, &err);
    assert_refused(status, DLG_EARG, &err, "\"huge\"", "tiny, mini, small, medium or base");
    status = dlg_config_preset(&config, "tiny", DLG_MASKED_LM, 0, 0, &err);
    assert_refused(status, DLG_EARG, &err, "tiny: vocab_size", "found 0");
}

static void out_of_memory(void **state)
{
    (void)state;
    dlg_status status = DLG_ENOMEM;
    for (size_t k = 1; status; k++) {
        dlg_error err;
        dlg_config config;
        dlg_allocation_fail_from(k);
        status = parse(&config, "{\"id2label\":{\"0\":\"a\",\"1\":\"b\"},\"hidden_size\":12}", &err);
        dlg_allocation_fail_from(0);
        if (status) assert_refused(status, DLG_ENOMEM, &err, "dir/config.json", "no memory");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),        cmocka_unit_test(everything),
        cmocka_unit_test(choices),         cmocka_unit_test(gpt2),
        cmocka_unit_test(refused_models),  cmocka_unit_test(refused_gpt2),
        cmocka_unit_test(refused_numbers), cmocka_unit_test(truncated),
        cmocka_unit_test(presets),         cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
