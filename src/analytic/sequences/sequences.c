#include "analytic/sequences/sequences.h"

#include "base/memory.h"

#include <string.h>

dlg_status dlg_sequences_add(dlg_sequences *s, size_t length, const size_t *index, double outside, dlg_error *err)
{
    size_t *lengths = dlg_reallocate(s->lengths, s->n, s->n + 1, sizeof *lengths);
    if (lengths) s->lengths = lengths;
    size_t *all = dlg_reallocate(s->index, s->n * s->n_positions, (s->n + 1) * s->n_positions, sizeof *all);
    if (all) s->index = all;
    double *values = dlg_reallocate(s->outside, s->n, s->n + 1, sizeof *values);
    if (values) s->outside = values;
    if (!lengths || !all || !values) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    lengths[s->n] = length;
    values[s->n] = outside;
    memcpy(all + s->n * s->n_positions, index, length * sizeof *index);
    s->n++;
    return DLG_OK;
}

bool dlg_sequences_has(const dlg_sequences *s, size_t length, const size_t *index)
{
    for (size_t b = 0; b < s->n; b++)
        if (s->lengths[b] == length && !memcmp(s->index + b * s->n_positions, index, length * sizeof *index))
            return true;
    return false;
}

void dlg_sequences_release(dlg_sequences *sequences)
{
    dlg_free(sequences->lengths);
    dlg_free(sequences->index);
    dlg_free(sequences->outside);
    *sequences = (dlg_sequences){0};
}
