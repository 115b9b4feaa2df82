#include "attacks/session/twin_sentences.h"

#include "base/memory.h"

#include <string.h>

/* Room for n rows and the n_twins behind them. @return false without memory */
static bool extend(dlg_predicted_rows *rows, size_t n_twins)
{
    const size_t n = rows->n;
    size_t *row = dlg_reallocate(rows->row, n, n + n_twins, sizeof *row);
    if (row) rows->row = row;
    size_t *label = row ? dlg_reallocate(rows->label, n, n + n_twins, sizeof *label) : NULL;
    if (label) rows->label = label;
    bool *fits = label ? dlg_reallocate(rows->fits, n, n + n_twins, sizeof *fits) : NULL;
    if (fits) rows->fits = fits;
    return fits;
}

/* One more of sentence b of those given. */
static void add(dlg_twin_sentences *out, size_t *n_rows, size_t b, const size_t *lengths, const uint32_t *fed,
                const size_t *types)
{
    size_t first = 0;
    for (size_t i = 0; i < b; i++) first += lengths[i];
    out->lengths[out->n++] = lengths[b];
    memcpy(out->fed + *n_rows, fed + first, lengths[b] * sizeof *fed);
    if (types) memcpy(out->types + *n_rows, types + first, lengths[b] * sizeof *types);
    *n_rows += lengths[b];
}

dlg_status dlg_twin_sentences_add(dlg_twin_sentences *out, dlg_predicted_rows *solved, size_t n, const size_t *lengths,
                                  const uint32_t *fed, const size_t *types, dlg_error *err)
{
    const size_t n_twins = solved->n_twins;
    size_t n_rows = 0, n_all = 0;
    for (size_t b = 0; b < n; b++) n_all += lengths[b];
    for (size_t i = 0; i < n_twins; i++) n_all += lengths[solved->twin_of[i]];
    out->lengths = dlg_allocate(n + n_twins, sizeof *out->lengths);
    out->fed = dlg_allocate(n_all, sizeof *out->fed);
    out->types = types ? dlg_allocate(n_all, sizeof *out->types) : NULL;
    if (!out->lengths || !out->fed || (types && !out->types) || (n_twins && !extend(solved, n_twins)))
        return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t b = 0; b < n; b++) add(out, &n_rows, b, lengths, fed, types);
    for (size_t i = 0; i < n_twins; i++) {
        solved->row[solved->n] = n_rows;
        solved->label[solved->n] = solved->twin_label[i];
        solved->fits[solved->n++] = true;
        add(out, &n_rows, solved->twin_of[i], lengths, fed, types);
    }
    solved->n_twins = 0;
    return DLG_OK;
}

void dlg_twin_sentences_release(dlg_twin_sentences *sentences)
{
    dlg_free(sentences->lengths);
    dlg_free(sentences->types);
    dlg_free(sentences->fed);
    *sentences = (dlg_twin_sentences){0};
}
