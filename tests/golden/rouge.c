/** ROUGE: what Python's rouge_score says of the same texts (make_rouge.py). */
#include "report/rouge.h"

#include "base/json.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_score(const cJSON *pair, const char *name, dlg_rouge_score score)
{
    static const char *const parts[] = {"precision", "recall", "f1"};
    const double found[] = {score.precision, score.recall, score.f1};
    const cJSON *three = cJSON_GetObjectItemCaseSensitive(pair, name);
    assert_int_equal(cJSON_GetArraySize(three), 3);
    for (int i = 0; i < 3; i++) {
        const double wanted = cJSON_GetArrayItem(three, i)->valuedouble;
        if (!(fabs(found[i] - wanted) <= 1e-12))
            fail_msg("%s of \"%s\": %s: want %.17g, found %.17g", name,
                     cJSON_GetObjectItemCaseSensitive(pair, "wanted")->valuestring, parts[i], wanted, found[i]);
    }
}

static void all_pairs(void **state)
{
    (void)state;
    cJSON *pairs;
    dlg_error err;
    size_t n = 0;
    if (dlg_json_read(&pairs, DLG_SOURCE "/tests/golden/rouge.json", &err)) fail_msg("%s", err.message);
    for (const cJSON *pair = pairs->child; pair; pair = pair->next, n++) {
        dlg_rouge rouge;
        assert_int_equal(dlg_rouge_compute(&rouge, cJSON_GetObjectItemCaseSensitive(pair, "wanted")->valuestring,
                                           cJSON_GetObjectItemCaseSensitive(pair, "found")->valuestring, &err),
                         DLG_OK);
        assert_score(pair, "rouge1", rouge.one);
        assert_score(pair, "rouge2", rouge.two);
        assert_score(pair, "rougeL", rouge.longest);
    }
    assert_true(n >= 20);
    cJSON_Delete(pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_pairs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
