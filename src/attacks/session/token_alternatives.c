#include "attacks/session/token_alternatives.h"

#include "math/blas.h"

#include <math.h>

enum { MOST = DLG_TOKEN_ALTERNATIVES_MOST, BLOCK = 1024 };

static void add(dlg_token_alternatives *a, double score, uint32_t token)
{
    size_t at = a->n < MOST ? a->n++ : MOST - 1;
    for (; at && a->score[at - 1] < score; at--) {
        a->score[at] = a->score[at - 1];
        a->token[at] = a->token[at - 1];
    }
    a->score[at] = score;
    a->token[at] = token;
}

dlg_status dlg_token_alternatives_find(dlg_token_alternatives *out, const dlg_session *r, dlg_order_of_words order,
                                       dlg_error *err)
{
    const dlg_config *config = &r->gradient->model->config;
    const dlg_real *table = dlg_model_word_embeddings(r->gradient->model);
    const size_t V = config->vocabulary_size, H = config->hidden_size, n = r->n_rows;
    dlg_real *along = dlg_allocate(n * BLOCK, sizeof *along), *across = dlg_allocate(n * BLOCK, sizeof *across);
    const dlg_status status = along && across ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "replacements: no memory");
    for (size_t i = 0; i < n; i++) out[i].n = 0;
    for (size_t first = 0; first < V && !status; first += BLOCK) {
        const size_t width = V - first < BLOCK ? V - first : BLOCK;
        const dlg_real *words = table + first * H;
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, width, H, 1, r->derivative, H, words, H, 0, along, BLOCK);
        dlg_gemm(DLG_PLAIN, DLG_TRANSPOSED, n, width, H, 1, r->point, H, words, H, 0, across, BLOCK);
        for (size_t v = 0; v < width; v++) {
            const double word_norm2 = dlg_dot(H, words + v * H, words + v * H);
            for (size_t i = 0; i < n; i++) {
                const dlg_real *here = r->point + i * H;
                const uint32_t token = (uint32_t)(first + v);
                const double apart2 = word_norm2 - 2 * (double)across[i * BLOCK + v] + dlg_dot(H, here, here);
                const double falls = dlg_dot(H, r->derivative + i * H, here) - (double)along[i * BLOCK + v];
                const bool is_near = order == DLG_NEAREST_WORDS;
                if (token == r->fed[i] || !(apart2 > 0)) continue;
                const double score = is_near ? 1 / apart2 : falls / sqrt(apart2);
                if ((out[i].n < MOST || score > out[i].score[MOST - 1]) && score > 0 &&
                    dlg_position_check_allows(r->check, token, i))
                    add(&out[i], score, token);
            }
        }
    }
    dlg_free(along);
    dlg_free(across);
    return status;
}
