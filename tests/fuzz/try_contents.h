/** What a reader hands over, tried: refused in one line and empty, or every tensor can be read. For fuzzers. */
#ifndef DLG_FUZZ_TRY_CONTENTS_H
#define DLG_FUZZ_TRY_CONTENTS_H

#include "base/memory.h"
#include "io/contents.h"

#include <stdlib.h>
#include <string.h>

static void try_contents(dlg_status status, dlg_contents *contents, const dlg_error *err)
{
    enum { MOST = 1 << 20 };
    /* Not asserts: the checks must hold in every kind of build. */
    if (status && (contents->tensors || contents->names || contents->packed || contents->json || contents->n_tensors ||
                   status != err->status || strncmp(err->message, "input: ", 7) != 0 || strchr(err->message, '\n')))
        abort();
    for (size_t i = 0; i < contents->n_tensors; i++) {
        const dlg_tensor *tensor = &contents->tensors[i];
        if (!contents->is_nameless && i && dlg_tensor_compare_names(tensor - 1, tensor) >= 0) abort();
        if (tensor->n_dims > DLG_TENSOR_MAX_DIMS || (tensor->bytes && tensor->packed)) abort();
        /* An expanded view may claim any size; who reads it has held its shape against what is wanted. */
        if (tensor->is_none || !dlg_dtype_is_real(tensor->dtype) || tensor->n_items > MOST) continue;
        if (tensor->n_items && !tensor->bytes && !tensor->packed) abort();
        dlg_real *values = dlg_allocate(tensor->n_items, sizeof *values);
        dlg_error found;
        if (values && dlg_tensor_read(values, tensor, "input", &found) && strncmp(found.message, "input: ", 7) != 0)
            abort();
        (void)dlg_tensor_is_copy(tensor, contents->tensors);
        dlg_free(values);
    }
    dlg_contents_release(contents);
}

#endif
