#include "analytic/infer.h"

#include "math/blas.h"

#include <math.h>

/* A row stands out when its norm exceeds the noise rows' mean by this many of their standard deviations. */
static const double outstanding = 8;

/*
 * Of noise one part in H of the rows' squared norm lies along ones, to which layer norm's derivative is orthogonal.
 * Less than this part of that is text's.
 */
static const double least_of_noise = 0.01;

/* The last tenth of the positions, but enough of them for a deviation to mean something, and never more than half. */
static size_t rows_behind(size_t n)
{
    const size_t least = n / 2 < 16 ? (n + 1) / 2 : 16;
    return n / 10 > least ? n / 10 : least;
}

size_t dlg_infer_length(const dlg_gradient *gradient)
{
    const dlg_parameter *p = gradient->model->roles.positions;
    const dlg_real *rows = dlg_gradient_at(gradient, p);
    const size_t n = p->n_rows, H = p->n_cols, n_behind = rows_behind(n);
    if (!rows) return 0;
    double sum = 0, sum_of_squares = 0, along_ones = 0;
    for (size_t t = n - n_behind; t < n; t++) {
        const double norm = sqrt(dlg_dot(H, rows + t * H, rows + t * H));
        sum += norm;
        sum_of_squares += norm * norm;
        double total = 0;
        for (size_t j = 0; j < H; j++) total += (double)rows[t * H + j];
        along_ones += total * total / (double)H;
    }
    const double mean = sum / (double)n_behind, variance = sum_of_squares / (double)n_behind - mean * mean;
    const double level = mean + outstanding * sqrt(variance > 0 ? variance : 0);
    const bool is_zero_at_last = dlg_dot(H, rows + (n - 1) * H, rows + (n - 1) * H) == 0;
    const bool is_sharp = is_zero_at_last || along_ones * (double)H < least_of_noise * sum_of_squares;
    size_t length = 0;
    for (size_t t = 0; t < n; t++) {
        const double norm = sqrt(dlg_dot(H, rows + t * H, rows + t * H));
        if (is_sharp ? norm > 0 : norm > level) length = t + 1;
    }
    return length;
}
