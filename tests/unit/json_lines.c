/** --json: each line is one object that parses, with its fields, and no number that JSON cannot hold. */
#include "report/json_lines.h"

#include "base/json.h"
#include "small_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char VOCABULARY[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nfish\nred\n\"\n";

/* Two sentences of 3 and 4 tokens; red is masked in the second. */
static size_t lengths[] = {3, 4}, first[] = {0, 3, 7}, labels[] = {6}, rows[] = {4};
static const uint32_t fed[] = {2, 7, 3, 2, 4, 5, 3}, tokens[] = {2, 7, 3, 2, 6, 5, 3};
static const bool predicted[] = {false, false, false, false, true, false, false};
static const dlg_evidence evidence[] = {
    {DLG_FROM_READING, 1, NAN, NAN, 0, NAN},    {DLG_FROM_READING, 4, NAN, NAN, 0, NAN},
    {DLG_FROM_DESCENT, 0, 0.5, 0.125, 0, NAN},  {DLG_FROM_DESCENT, 0, 1, 0.75, 0, NAN},
    {DLG_FROM_DESCENT, 0, 0.75, 0.625, 0, NAN}, {DLG_FROM_DESCENT, 2, 0.5, 0.375, 0, NAN},
    {DLG_FROM_DESCENT, 1, 0.25, NAN, 0, NAN},
};

static const dlg_attack_result settled = {.end = DLG_SETTLED,
                                          .n_rows = 7,
                                          .first = first,
                                          .n_sentences = 2,
                                          .n_dense = 1,
                                          .n_targets = 9,
                                          .state = {.start = 1,
                                                    .iteration = 3,
                                                    .iterations = 8,
                                                    .evaluations = 4,
                                                    .distance = 0.5,
                                                    .scale = 2,
                                                    .distance_of_tokens = NAN,
                                                    .seconds = 3,
                                                    .evaluating_seconds = 2,
                                                    .fed = fed,
                                                    .tokens = tokens,
                                                    .predicted = predicted,
                                                    .evidence = evidence}};
static const dlg_scores scores = {.n_right = 6,
                                  .n_tokens = 8,
                                  .n_exact = 1,
                                  .n_sentences = 2,
                                  .n_in_bag = 7,
                                  .n_bag = 8,
                                  .n_labels_right = 1,
                                  .n_labels = 2,
                                  .rouge = {.two = {0.25, 0.5, 0.125}},
                                  .rouge_special = {.longest = {.recall = 1}}};

typedef struct {
    small_model model;
    dlg_tokenizer *tokenizer;
    dlg_knowledge knowledge;
    dlg_attack_options options;
    dlg_subject subject;
} fixture;

static void open_fixture(fixture *f)
{
    memset(f, 0, sizeof *f);
    small_model_create(&f->model, DLG_MASKED_LM);
    assert_int_equal(
        dlg_tokenizer_create(&f->tokenizer, "vocabulary", VOCABULARY, sizeof VOCABULARY - 1, DLG_UNCASED, NULL),
        DLG_OK);
    assert_int_equal(dlg_distance_find(&f->options.distance, "l2", NULL), DLG_OK);
    f->options.minimiser = &dlg_lbfgs;
    f->knowledge = (dlg_knowledge){.n_sentences = 2,
                                   .lengths = lengths,
                                   .n_labels = 1,
                                   .labels = labels,
                                   .n_rows = 1,
                                   .rows = rows,
                                   .sentences_from = DLG_METADATA,
                                   .lengths_from = DLG_TOLD,
                                   .labels_from = DLG_INFERRED,
                                   .rows_from = DLG_INFERRED};
    f->subject = (dlg_subject){.version = "1",
                               .gradient = "a \"b\".g",
                               .attack = "dlg",
                               .is_preset = true,
                               .model_seed = 3,
                               .model = f->model.model,
                               .tokenizer = f->tokenizer,
                               .knowledge = &f->knowledge,
                               .options = &f->options,
                               .blas = "BLAS",
                               .n_threads = 2};
}

static void close_fixture(fixture *f)
{
    dlg_tokenizer_close(f->tokenizer);
    small_model_release(&f->model);
}

/* What was printed, as a value; it must be one line. */
static cJSON *read_line(FILE *stream)
{
    static char text[65536];
    cJSON *root = NULL;
    dlg_error err = {0};
    rewind(stream);
    const size_t n = fread(text, 1, sizeof text - 1, stream);
    fclose(stream);
    text[n] = 0;
    assert_true(n > 1);
    assert_ptr_equal(strchr(text, '\n'), text + n - 1);
    if (dlg_json_parse(&root, "line", text, n, &err)) fail_msg("%s", err.message);
    return root;
}

/* A field as JSON text. */
static void assert_field(const cJSON *root, const char *key, const char *wanted)
{
    char text[1024] = "nothing";
    cJSON *item = cJSON_GetObjectItemCaseSensitive(root, key);
    if (item) assert_true(cJSON_PrintPreallocated(item, text, sizeof text, 0));
    if (strcmp(text, wanted) != 0) fail_msg("%s: want %s, found %s", key, wanted, text);
}

static void start(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    assert_int_equal(dlg_json_start(stream, &f.subject, NULL), DLG_OK);
    cJSON *root = read_line(stream);
    assert_field(root, "event", "\"start\"");
    assert_field(root, "gradient", "\"a \\\"b\\\".g\"");
    assert_field(root, "model_seed", "3");
    assert_field(root, "task", "\"mlm\"");
    assert_field(root, "defence", "null");
    assert_field(root, "knowledge", "[\"length\"]");
    assert_field(root, "origins",
                 "{\"batch\":\"metadata\",\"length\":\"told\",\"labels\":\"inferred\",\"masked\":\"inferred\"}");
    assert_field(root, "inferred",
                 "{\"batch_size\":2,\"length\":null,\"labels\":[6],\"unsure\":[],\"masked\":[[],[1]]}");
    assert_field(root, "blas", "\"BLAS\"");
    assert_field(root, "threads", "2");
    assert_field(root, "distance_name", "\"l2\"");
    cJSON_Delete(root);
    f.knowledge.rows_from = DLG_ASSUMED;
    f.subject.is_preset = false;
    stream = tmpfile();
    assert_int_equal(dlg_json_start(stream, &f.subject, NULL), DLG_OK);
    root = read_line(stream);
    assert_field(root, "model_seed", "nothing");
    assert_field(root, "inferred", "{\"batch_size\":2,\"length\":null,\"labels\":[6],\"unsure\":[],\"masked\":null}");
    cJSON_Delete(root);
    close_fixture(&f);
}

static void iteration(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    const dlg_attack_state now = {
        .start = 2, .iteration = 5, .distance = INFINITY, .seconds = 1.5, .fed = fed, .tokens = tokens};
    assert_int_equal(dlg_json_iteration(stream, &f.subject, &now, NULL), DLG_OK);
    cJSON *root = read_line(stream);
    assert_field(root, "event", "\"iteration\"");
    assert_field(root, "start", "2");
    assert_field(root, "iteration", "5");
    assert_field(root, "distance", "null");
    assert_field(root, "seconds", "1.5");
    assert_field(root, "tokens", "[[2,7,3],[2,6,5,3]]");
    assert_field(root, "text", "[\"\\\"\",\"red fish\"]");
    cJSON_Delete(root);
    close_fixture(&f);
}

static void result(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    f.subject.defence = "int8";
    assert_int_equal(dlg_json_result(stream, &f.subject, &settled, &scores, NULL), DLG_OK);
    cJSON *root = read_line(stream);
    assert_field(root, "event", "\"result\"");
    assert_field(root, "version", "\"1\"");
    assert_field(root, "gradient", "\"a \\\"b\\\".g\"");
    assert_field(root, "model_type", "\"bert\"");
    assert_field(root, "model_seed", "3");
    assert_field(root, "task", "\"mlm\"");
    assert_field(root, "defence", "\"int8\"");
    assert_field(root, "threads", "2");
    assert_field(root, "attack", "\"dlg\"");
    assert_field(root, "distance_name", "\"l2\"");
    assert_field(root, "optimizer", "\"lbfgs\"");
    assert_field(root, "end", "\"settled\"");
    assert_field(root, "recovered", "true");
    assert_field(root, "iterations", "8");
    assert_field(root, "evaluations", "4");
    assert_field(root, "seconds", "3");
    assert_field(root, "seconds_per_evaluation", "0.5");
    assert_field(root, "distance", "0.25"); /* of a zero gradient's, as on the screen */
    assert_field(root, "scale", "2");
    assert_field(root, "distance_of_tokens", "null");
    assert_field(root, "knowledge", "[\"length\"]");
    assert_field(root, "fed_tokens", "[[2,7,3],[2,4,5,3]]");
    assert_field(root, "tokens", "[[2,7,3],[2,6,5,3]]");
    assert_field(root, "evidence",
                 "{\"from\":[[\"read\",\"read\",\"descent\"],[\"descent\",\"label\",\"descent\",\"descent\"]],"
                 "\"sure\":[[\"likely\",\"guess\",\"guess\"],[\"likely\",\"likely\",\"likely\",\"likely\"]],"
                 "\"choices\":[[1,4,null],[null,null,2,1]],\"cosine\":[[null,null,0.5],[1,0.75,0.5,0.25]],"
                 "\"margin\":[[null,null,0.125],[0.75,0.625,0.375,null]],"
                 "\"lead\":[[null,null,null],[null,null,null,null]]}");
    assert_field(root, "labels", "[6]");
    assert_field(root, "part", "null");
#define ZEROS "{\"precision\":0,\"recall\":0,\"f1\":0}"
    assert_field(root, "metrics",
                 "{\"token_accuracy\":0.75,\"exact_match\":false,\"exact_sentences\":1,\"bag_similarity\":0.875,"
                 "\"label_accuracy\":0.5,"
                 "\"rouge\":{\"rouge1\":" ZEROS
                 ",\"rouge2\":{\"precision\":0.25,\"recall\":0.5,\"f1\":0.125},\"rougeL\":" ZEROS "},"
                 "\"rouge_special\":{\"rouge1\":" ZEROS ",\"rouge2\":" ZEROS
                 ",\"rougeL\":{\"precision\":0,\"recall\":1,\"f1\":0}}}");
    cJSON_Delete(root);
    close_fixture(&f);
}

static void some_of_the_sentences(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    dlg_attack_result r = settled;
    r.end = DLG_PARTLY;
    r.part = (dlg_part){.n_least = 3, .n_accounted = 5, .n_directions = 9};
    f.knowledge.special.mask = 5; /* one is left */
    r.state.knowledge = &f.knowledge;
    const dlg_knowledge told = {
        .n_sentences = 4, .sentences_from = DLG_METADATA, .n_labels = 4, .labels_from = DLG_TOLD};
    f.subject.told = &told;
    assert_int_equal(dlg_json_result(stream, &f.subject, &r, NULL, NULL), DLG_OK);
    cJSON *root = read_line(stream);
    assert_field(root, "end", "\"partly\"");
    assert_field(root, "recovered", "false");
    assert_field(root, "part", "{\"sentences\":2,\"sentences_at_least\":3,\"directions\":5,\"directions_of_all\":9}");
    assert_field(root, "knowledge", "[\"labels\"]");
    assert_field(cJSON_GetObjectItemCaseSensitive(root, "origins"), "batch", "\"metadata\"");
    assert_field(cJSON_GetObjectItemCaseSensitive(root, "evidence"), "sure",
                 "[[\"certain\",\"certain\",\"certain\"],[\"certain\",\"certain\",\"not seen\",\"certain\"]]");
    cJSON_Delete(root);
    close_fixture(&f);
}

static void no_text(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    dlg_attack_result r = settled;
    r.end = DLG_EXHAUSTED;
    r.state = (dlg_attack_state){0};
    assert_int_equal(dlg_json_result(stream, &f.subject, &r, NULL, NULL), DLG_OK);
    cJSON *root = read_line(stream);
    assert_field(root, "recovered", "false");
    assert_field(root, "seconds_per_evaluation", "null");
    assert_field(root, "distance", "null");
    assert_field(root, "tokens", "[]");
    assert_field(root, "text", "[]");
    assert_field(root, "evidence", "{\"from\":[],\"sure\":[],\"choices\":[],\"cosine\":[],\"margin\":[],\"lead\":[]}");
    assert_field(root, "metrics", "nothing");
    cJSON_Delete(root);
    close_fixture(&f);
}

/* cJSON's own allocations fail from the k-th on. */
static size_t allocations_left;

static void *scarce_malloc(size_t n)
{
    if (!allocations_left) return NULL;
    allocations_left--;
    return malloc(n);
}

static void no_memory(void **state)
{
    (void)state;
    fixture f;
    FILE *stream = tmpfile();
    open_fixture(&f);
    dlg_status status = DLG_ENOMEM;
    cJSON_InitHooks(&(cJSON_Hooks){scarce_malloc, free});
    for (size_t k = 0; status != DLG_OK; k++) {
        dlg_error err = {0};
        allocations_left = k;
        assert_true(k < 1000);
        status = dlg_json_start(stream, &f.subject, &err);
        assert_true(status == DLG_OK || status == DLG_ENOMEM);
        assert_int_equal(err.status, status);
    }
    cJSON_InitHooks(NULL);
    cJSON_Delete(read_line(stream)); /* only the last one printed anything */
    close_fixture(&f);
}

static void disk_full(void **state)
{
    (void)state;
    fixture f;
    dlg_error err = {0};
    FILE *stream = fopen("/dev/full", "w");
    if (!stream) skip();
    open_fixture(&f);
    assert_int_equal(dlg_json_start(stream, &f.subject, &err), DLG_EIO);
    fclose(stream);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start),     cmocka_unit_test(iteration),
        cmocka_unit_test(result),    cmocka_unit_test(some_of_the_sentences),
        cmocka_unit_test(no_text),   cmocka_unit_test(no_memory),
        cmocka_unit_test(disk_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
