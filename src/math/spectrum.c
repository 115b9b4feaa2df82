#include "math/spectrum.h"

#include "base/memory.h"
#include "math/svd.h"
#include "math/tolerance.h"

enum { FIRST_SKETCH = 64 }; /* directions looked for at first; twice as many where all of them carry something */

static dlg_status find(dlg_spectrum *s, const dlg_stack *stack, size_t n, dlg_error *err)
{
    dlg_spectrum_release(s);
    s->n_in = stack->n_in;
    s->values = dlg_allocate(n, sizeof *s->values);
    s->vectors = dlg_allocate(n * stack->n_in, sizeof *s->vectors);
    if (!s->values || !s->vectors) return dlg_fail(err, DLG_ENOMEM, "row space of a gradient: no memory");
    const dlg_status status = dlg_svd_right(stack, n, s->values, s->vectors, err);
    if (!status) s->n = n;
    return status;
}

dlg_status dlg_spectrum_grow(dlg_spectrum *s, const dlg_stack *stack, size_t n_wanted, double roundoff, dlg_error *err)
{
    const double end = dlg_tolerance_spectrum_end(roundoff);
    const size_t height = dlg_stack_height(stack), most = height < stack->n_in ? height : stack->n_in;
    dlg_status status = DLG_OK;
    while (!status && !s->is_whole && s->n < n_wanted) {
        const size_t n = s->n ? 2 * s->n : FIRST_SKETCH;
        status = find(s, stack, 3 * n < most ? n : most, err); /* more than a third costs as much as all */
        s->roundoff = roundoff;
        s->is_whole = !status && (s->n == most || s->values[s->n - 1] < end * s->values[0]);
    }
    return status;
}

void dlg_spectrum_release(dlg_spectrum *s)
{
    dlg_free(s->values);
    dlg_free(s->vectors);
    *s = (dlg_spectrum){0};
}
