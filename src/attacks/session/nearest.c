#include "attacks/session/nearest.h"

#include "base/memory.h"
#include "math/blas.h"

#include <math.h>

/* Vocabulary entries compared at a time: the scores of a block stay in the cache, and no (tokens, vocabulary) array is
 * needed. */
enum { BLOCK = 1024 };

struct dlg_nearest {
    const dlg_real *table;
    size_t n_vocabulary, n_columns, n_rows;
    dlg_real *inverse_norm; /* (n_vocabulary); 0 for a row of zeros */
    dlg_real *scores;       /* (n_rows, BLOCK) */
    double *next;           /* (n_rows) the second largest */
};

dlg_status dlg_nearest_create(dlg_nearest **out, const dlg_real *table, size_t n_vocabulary, size_t n_columns,
                              size_t n_rows, dlg_error *err)
{
    *out = NULL;
    dlg_nearest *nearest = dlg_allocate(1, sizeof *nearest);
    if (nearest) {
        nearest->inverse_norm = dlg_allocate(n_vocabulary, sizeof *nearest->inverse_norm);
        nearest->scores = dlg_allocate(n_rows * BLOCK, sizeof *nearest->scores);
        nearest->next = dlg_allocate(n_rows, sizeof *nearest->next);
    }
    if (!nearest || !nearest->inverse_norm || !nearest->scores || !nearest->next) {
        dlg_nearest_free(nearest);
        return dlg_fail(err, DLG_ENOMEM, "nearest tokens: no memory");
    }
    nearest->table = table;
    nearest->n_vocabulary = n_vocabulary;
    nearest->n_columns = n_columns;
    nearest->n_rows = n_rows;
    for (size_t v = 0; v < n_vocabulary; v++) {
        const double norm = sqrt(dlg_dot(n_columns, table + v * n_columns, table + v * n_columns));
        nearest->inverse_norm[v] = norm > 0 ? (dlg_real)(1 / norm) : 0;
    }
    *out = nearest;
    return DLG_OK;
}

void dlg_nearest_free(dlg_nearest *nearest)
{
    if (!nearest) return;
    dlg_free(nearest->inverse_norm);
    dlg_free(nearest->scores);
    dlg_free(nearest->next);
    dlg_free(nearest);
}

/* A token's cosine, up to the norm of x, against the two largest so far. */
static void compare(dlg_evidence *e, uint32_t *token, double *next, double score, size_t v)
{
    if (score > e->cosine) {
        *next = e->cosine;
        e->cosine = score;
        *token = (uint32_t)v;
    } else if (score > *next) {
        *next = score;
    }
}

void dlg_nearest_find(const dlg_nearest *nearest, const dlg_real *x, const dlg_position_check *check, uint32_t *tokens,
                      dlg_evidence *evidence)
{
    const size_t H = nearest->n_columns, n = nearest->n_rows;
    for (size_t i = 0; i < n; i++) {
        const size_t n_choices = check ? dlg_position_check_count(check, i) : 0;
        evidence[i] = (dlg_evidence){DLG_FROM_DESCENT, n_choices, -INFINITY, 0, 0, NAN};
        nearest->next[i] = -INFINITY;
        tokens[i] = 0;
    }
    for (size_t first = 0; first < nearest->n_vocabulary; first += BLOCK) {
        const size_t left = nearest->n_vocabulary - first, width = left < BLOCK ? left : BLOCK;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, width, H, 1, x, H, nearest->table + first * H, H, 0, nearest->scores,
                 BLOCK);
        for (size_t i = 0; i < n; i++)
            for (size_t v = 0; v < width; v++) {
                const dlg_real inverse = nearest->inverse_norm[first + v],
                               score = nearest->scores[i * BLOCK + v] * inverse;
                if (inverse > 0 && score > nearest->next[i] &&
                    dlg_position_check_allows(check, (uint32_t)(first + v), i))
                    compare(&evidence[i], &tokens[i], &nearest->next[i], (double)score, first + v);
            }
    }
    for (size_t i = 0; i < n; i++) {
        const double norm = sqrt(dlg_dot(H, x + i * H, x + i * H));
        const double margin = norm > 0 ? (evidence[i].cosine - nearest->next[i]) / norm : 0;
        evidence[i].cosine = norm > 0 ? evidence[i].cosine / norm : 0;
        evidence[i].margin = isfinite(margin) ? margin : NAN;
    }
}
