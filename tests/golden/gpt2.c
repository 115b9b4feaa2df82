/** GPT-2 as a language prior: how surprised it is by a text is transformers' loss (make_gpt2.py). */
#include "attacks/prior.h"

#include "base/json.h"
#include "close.h"
#include "math/blas.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MOST_TOKENS = 24 };

static void check_text(const dlg_model *model, const cJSON *text)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(text, "tokens"), *item;
    uint32_t tokens[MOST_TOKENS];
    size_t n = 0;
    dlg_prior *prior;
    cJSON_ArrayForEach(item, list)
    {
        assert_true(n < MOST_TOKENS);
        tokens[n++] = (uint32_t)item->valuedouble;
    }
    assert_int_equal(dlg_prior_create(&prior, model, 0, n, NULL), DLG_OK);
    const size_t allocations = dlg_allocation_count();
    const double found = dlg_prior_surprise(prior, tokens),
                 wanted = cJSON_GetObjectItemCaseSensitive(text, "loss")->valuedouble;
    assert_int_equal(dlg_allocation_count(), allocations);
    assert_true(dlg_is_near("loss", found, wanted, sizeof(dlg_real) == sizeof(double) ? 1e-9 : 1e-4));
    dlg_prior_free(prior);
}

static void check(const char *directory, const char *texts_file, int n_texts)
{
    dlg_model *model;
    dlg_error err;
    cJSON *texts, *text;
    if (dlg_model_load(&model, directory, DLG_BOTH_WAYS, &err)) fail_msg("%s", err.message);
    assert_int_equal(dlg_json_read(&texts, texts_file, NULL), DLG_OK);
    assert_int_equal(cJSON_GetArraySize(texts), n_texts);
    cJSON_ArrayForEach(text, texts) check_text(model, text);
    cJSON_Delete(texts);
    dlg_model_free(model);
}

static void tied(void **state)
{
    (void)state;
    check(DLG_SOURCE "/tests/golden/gpt2/model", DLG_SOURCE "/tests/golden/gpt2/texts.json", 3);
}

static void untied(void **state)
{
    (void)state;
    check(DLG_SOURCE "/tests/golden/gpt2_untied/model", DLG_SOURCE "/tests/golden/gpt2_untied/texts.json", 2);
}

int main(void)
{
    dlg_blas_start(1);
    const struct CMUnitTest tests[] = {cmocka_unit_test(tied), cmocka_unit_test(untied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
