#include "analytic/tokens/input_space.h"

#include "base/memory.h"
#include "math/blas.h"
#include "math/tolerance.h"

struct dlg_input_space {
    size_t n_rows, H, k;
    dlg_real *basis;  /* (k, H) orthonormal rows */
    dlg_real *offset; /* (n_rows, H) P[position] + S[type]: x + offset lies in the space */
    dlg_real *moved;  /* (n_rows, H) scratch */
    dlg_real *inside; /* (n_rows, k) scratch */
};

static bool has_zero(size_t n, const dlg_real *a)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] == 0) return true;
    return false;
}

static bool is_zero(size_t n, const dlg_real *a)
{
    for (size_t i = 0; i < n; i++)
        if (a[i] != 0) return false;
    return true;
}

/* The basis from the row space of the inputs. */
static dlg_status find_basis(dlg_input_space *space, const dlg_model *model, const dlg_spectrum *inputs, dlg_error *err)
{
    const dlg_real *gamma = model->roles.norm.scale->value;
    const dlg_real *beta = model->roles.norm.shift->value;
    const size_t H = space->H;
    const double smallest = dlg_tolerance_direction(inputs->roundoff);
    size_t r = 0;
    while (r < inputs->n && r < space->n_rows && inputs->values[r] > smallest * inputs->values[0]) r++;
    space->k = r + 1 + !is_zero(H, beta);
    double *columns = dlg_allocate(H * space->k, sizeof *columns);
    space->basis = dlg_allocate(H * space->k, sizeof *space->basis);
    dlg_status status = DLG_OK;
    if (!columns || !space->basis) {
        status = dlg_fail(err, DLG_ENOMEM, "space of the inputs: no memory");
        goto out;
    }
    for (size_t i = 0; i < H; i++) {
        for (size_t j = 0; j < r; j++) columns[i * space->k + j] = inputs->vectors[j * H + i] / (double)gamma[i];
        columns[i * space->k + r] = 1;
        if (space->k > r + 1) columns[i * space->k + r + 1] = (double)beta[i] / (double)gamma[i];
    }
    status = dlg_orthonormalise(H, space->k, columns, err);
    for (size_t i = 0; !status && i < H; i++)
        for (size_t j = 0; j < space->k; j++) space->basis[j * H + i] = (dlg_real)columns[i * space->k + j];
out:
    dlg_free(columns);
    return status;
}

static void fill_offset(dlg_input_space *space, const dlg_model *model, const dlg_batch *batch)
{
    const dlg_real *positions = model->roles.positions->value;
    size_t n_types;
    const dlg_real *types = dlg_model_types(model, &n_types);
    const size_t H = space->H;
    for (size_t i = 0; i < space->n_rows; i++)
        for (size_t j = 0; j < H; j++)
            space->offset[i * H + j] = positions[batch->position[i] * H + j] + types[batch->type[i] * H + j];
}

dlg_status dlg_input_space_create(dlg_input_space **out, const dlg_model *model, const dlg_spectrum *inputs,
                                  const dlg_batch *batch, dlg_error *err)
{
    const size_t n = batch->n_rows, H = model->config.hidden_size;
    *out = NULL;
    /* In a last layer only what the head looks at has a query, so that its gradient does not span all inputs. */
    if (model->config.n_layers < 2) return DLG_OK;
    if (n + 2 >= H || has_zero(H, model->roles.norm.scale->value)) return DLG_OK;
    dlg_input_space *space = dlg_allocate(1, sizeof *space);
    if (!space) return dlg_fail(err, DLG_ENOMEM, "space of the inputs: no memory");
    space->n_rows = n;
    space->H = H;
    dlg_status status = find_basis(space, model, inputs, err);
    if (status) goto out;
    space->offset = dlg_allocate(n * H, sizeof *space->offset);
    space->moved = dlg_allocate(n * H, sizeof *space->moved);
    space->inside = dlg_allocate(n * space->k, sizeof *space->inside);
    if (space->offset && space->moved && space->inside) fill_offset(space, model, batch);
    else status = dlg_fail(err, DLG_ENOMEM, "space of the inputs: no memory");
out:
    if (status) dlg_input_space_free(space);
    else *out = space;
    return status;
}

void dlg_input_space_free(dlg_input_space *space)
{
    if (!space) return;
    dlg_free(space->basis);
    dlg_free(space->offset);
    dlg_free(space->moved);
    dlg_free(space->inside);
    dlg_free(space);
}

size_t dlg_input_space_size(const dlg_input_space *space)
{
    return space->n_rows * space->k;
}

void dlg_input_space_embed(dlg_input_space *space, const double *z, dlg_real *x)
{
    const size_t n = space->n_rows, H = space->H, k = space->k;
    for (size_t i = 0; i < n * k; i++) space->inside[i] = (dlg_real)z[i];
    dlg_gemm(DLG_PLAIN, DLG_PLAIN, n, H, k, 1, space->inside, k, space->basis, H, 0, x, H);
    for (size_t i = 0; i < n * H; i++) x[i] -= space->offset[i];
}

void dlg_input_space_pull_back(dlg_input_space *space, const dlg_real *dx, double *dz)
{
    const size_t n = space->n_rows, H = space->H, k = space->k;
    dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, k, H, 1, dx, H, space->basis, H, 0, space->inside, k);
    for (size_t i = 0; i < n * k; i++) dz[i] = (double)space->inside[i];
}

void dlg_input_space_project(dlg_input_space *space, const dlg_real *x, double *z)
{
    for (size_t i = 0; i < space->n_rows * space->H; i++) space->moved[i] = x[i] + space->offset[i];
    dlg_input_space_pull_back(space, space->moved, z);
}
