#include "math/coordinates.h"

#include "base/interrupt.h"
#include "base/memory.h"

#include <cblas.h>

enum { BLOCK = 512 }; /* rows at a time */

dlg_status dlg_coordinates(size_t n, size_t H, const dlg_real *rows, size_t rank, const double *basis, double *out,
                           dlg_error *err)
{
    double *block = dlg_allocate(BLOCK * H, sizeof *block);
    dlg_status status = block ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "coordinates: no memory");
    for (size_t first = 0; first < n && rank && !status; first += BLOCK) {
        const size_t width = n - first < BLOCK ? n - first : BLOCK;
        for (size_t i = 0; i < width * H; i++) block[i] = (double)rows[first * H + i];
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)width, (int)rank, (int)H, 1, block, (int)H, basis,
                    (int)H, 0, out + first * rank, (int)rank);
        status = dlg_check_interrupt(err);
    }
    dlg_free(block);
    return status;
}
