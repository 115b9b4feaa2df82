#include "math/packed_weight_rows.h"

dlg_status dlg_packed_weight_create(dlg_packed_weight **out, const dlg_stack *stack, dlg_error *err)
{
    dlg_stacked stacked;
    *out = NULL;
    const dlg_status status = dlg_stack_rows(&stacked, stack, err);
    return status ? status : dlg_packed_weight_of_rows(out, stacked, stack->n_in, err);
}

dlg_status dlg_packed_weight_adopt(dlg_packed_weight **out, dlg_real *block, size_t n_out, size_t n_in, dlg_error *err)
{
    return dlg_packed_weight_of_rows(out, (dlg_stacked){n_out, block, block}, n_in, err);
}
