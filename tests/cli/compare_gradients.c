/*
 * compare_gradients A B TOLERANCE: two gradient files tensor by tensor, |a - b| / |b| in the Euclidean norm. The key
 * biases' gradients are zero but for rounding (softmax does not see a shift), so for them |b| is that of the whole
 * file.
 */
#include "base/memory.h"
#include "io/safetensors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dlg_status squares(double *difference, double *size, const dlg_tensor *a, const dlg_tensor *b, dlg_error *err)
{
    dlg_real *x = dlg_allocate(a->n_items, sizeof *x), *y = dlg_allocate(b->n_items, sizeof *y);
    dlg_status status = x && y ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "no memory");
    *difference = *size = 0;
    if (!status && a->n_items != b->n_items) status = dlg_fail(err, DLG_ESHAPE, "%s: another shape", a->name);
    if (!status) status = dlg_tensor_read(x, a, "A", err);
    if (!status) status = dlg_tensor_read(y, b, "B", err);
    for (size_t i = 0; !status && i < a->n_items; i++) {
        *difference += ((double)x[i] - (double)y[i]) * ((double)x[i] - (double)y[i]);
        *size += (double)y[i] * (double)y[i];
    }
    dlg_free(x);
    dlg_free(y);
    return status;
}

static bool is_key_bias(const char *name)
{
    static const char ending[] = "self.key.bias";
    const size_t n = strlen(name);
    return n >= sizeof ending - 1 && !strcmp(name + n - (sizeof ending - 1), ending);
}

static dlg_status compare(const dlg_safetensors *a, const dlg_safetensors *b, double tolerance, dlg_error *err)
{
    double whole = 0, worst = -1, difference, size;
    const char *worst_name = "";
    const size_t n = dlg_safetensors_count(b);
    if (dlg_safetensors_count(a) != n)
        return dlg_fail(err, DLG_ESHAPE, "want %zu tensors, found %zu", n, dlg_safetensors_count(a));
    for (size_t i = 0; i < n; i++) {
        const dlg_status status = squares(&difference, &size, dlg_safetensors_at(b, i), dlg_safetensors_at(b, i), err);
        if (status) return status;
        whole += size;
    }
    for (size_t i = 0; i < n; i++) {
        const dlg_tensor *wanted = dlg_safetensors_at(b, i), *found = dlg_safetensors_find(a, wanted->name);
        if (!found) return dlg_fail(err, DLG_ESHAPE, "%s: missing", wanted->name);
        const dlg_status status = squares(&difference, &size, found, wanted, err);
        if (status) return status;
        const double error = sqrt(difference / (is_key_bias(wanted->name) ? whole : size));
        if (error > worst) {
            worst = error;
            worst_name = wanted->name;
        }
        if (!(error <= tolerance))
            return dlg_fail(err, DLG_ESHAPE, "%s: want a relative error of at most %g, found %g", wanted->name,
                            tolerance, error);
    }
    printf("%zu tensors, largest relative error %.2g (%s)\n", n, worst, worst_name);
    return DLG_OK;
}

int main(int argc, char **argv)
{
    dlg_safetensors *a = NULL, *b = NULL;
    dlg_error err = {0};
    if (argc != 4) return 64;
    dlg_status status = dlg_safetensors_open(&a, argv[1], &err);
    if (!status) status = dlg_safetensors_open(&b, argv[2], &err);
    if (!status) status = compare(a, b, atof(argv[3]), &err);
    if (status) fprintf(stderr, "compare_gradients: %s\n", err.message);
    dlg_safetensors_close(a);
    dlg_safetensors_close(b);
    return status != DLG_OK;
}
