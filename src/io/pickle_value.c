#include "io/pickle.h"

#include "base/memory.h"

#include <string.h>

void dlg_pickle_release(dlg_pickle *pickle)
{
    dlg_free(pickle->values);
    dlg_free(pickle->cells);
    *pickle = (dlg_pickle){0};
}

bool dlg_pickle_is(const dlg_pickle_value *value, dlg_pickle_kind kind, const char *text)
{
    return value->kind == kind && value->n_text == strlen(text) && !memcmp(value->text, text, value->n_text);
}

const char *dlg_pickle_kind_of(const dlg_pickle *pickle, const dlg_pickle_value *value)
{
    static const char *const kinds[] = {
        [DLG_PICKLE_NONE] = "None",     [DLG_PICKLE_BOOL] = "True or False", [DLG_PICKLE_INTEGER] = "an integer",
        [DLG_PICKLE_REAL] = "a number", [DLG_PICKLE_STRING] = "a string",    [DLG_PICKLE_TUPLE] = "a tuple",
        [DLG_PICKLE_LIST] = "a list",   [DLG_PICKLE_DICT] = "a dict",        [DLG_PICKLE_PERSISTENT] = "a storage"};
    if (value->kind == DLG_PICKLE_GLOBAL) return value->text;
    if (value->kind == DLG_PICKLE_CALL) return pickle->values[value->callee].text;
    return kinds[value->kind];
}
