/** Ids of texts with added tokens, and of a vocabulary with odd lines, as transformers finds them (make_added.py). */
#include "tokenizer/tokenizer.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_text(const dlg_tokenizer *t, const char *name, const cJSON *item)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "text"));
    const cJSON *ids = cJSON_GetObjectItemCaseSensitive(item, "ids"), *id;
    dlg_tokens found = {0};
    dlg_error err;
    size_t i = 0;
    assert_non_null(text);
    if (dlg_tokenizer_encode(t, &found, text, strlen(text), true, 0, NULL, &err)) fail_msg("%s", err.message);
    if (found.n != (size_t)cJSON_GetArraySize(ids))
        fail_msg("%s: \"%s\": want %d ids, found %zu", name, text, cJSON_GetArraySize(ids), found.n);
    cJSON_ArrayForEach(id, ids)
    {
        if (found.ids[i] != (dlg_token)id->valuedouble)
            fail_msg("%s: \"%s\": id %zu: want %g, found %u", name, text, i, id->valuedouble, found.ids[i]);
        i++;
    }
    dlg_tokens_release(&found);
}

static void ids(void **state)
{
    (void)state;
    cJSON *root, *texts, *item;
    size_t n = 0;
    assert_int_equal(dlg_json_read(&root, DLG_SOURCE "/tests/golden/added/texts.json", NULL), DLG_OK);
    cJSON_ArrayForEach(texts, root)
    {
        char directory[256];
        dlg_tokenizer *t;
        dlg_error err;
        snprintf(directory, sizeof directory, DLG_SOURCE "/tests/golden/added/%s", texts->string);
        if (dlg_tokenizer_open_directory(&t, directory, &err)) fail_msg("%s", err.message);
        cJSON_ArrayForEach(item, texts)
        {
            check_text(t, texts->string, item);
            n++;
        }
        dlg_tokenizer_close(t);
    }
    assert_int_equal(n, 4 * 14);
    cJSON_Delete(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(ids)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
