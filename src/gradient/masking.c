#include "gradient/masking.h"

#include "base/memory.h"
#include "math/random.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

dlg_status dlg_masking_apply(const dlg_masking *masking, uint64_t seed, size_t sentence, size_t n, size_t middle,
                             uint32_t *fed, int64_t *labels, dlg_error *err)
{
    assert(n >= 3 && masking->rate >= 0 && masking->rate <= 1);
    char name[48];
    snprintf(name, sizeof name, "masks of sentence %zu", sentence);
    dlg_random random = dlg_random_at(seed, dlg_random_stream(name));
    const size_t n_inner = n - (middle ? 3 : 2), rounded = (size_t)nearbyint(masking->rate * (double)n_inner),
                 n_chosen = rounded ? rounded : 1;
    size_t *inner = dlg_allocate(n_inner, sizeof *inner);
    if (!inner) return dlg_fail(err, DLG_ENOMEM, "masks: no memory for %zu tokens", n);
    dlg_random_permutation(inner, n_inner, &random);
    for (size_t k = 0; k < n_chosen; k++) {
        const size_t at = inner[k] + (middle && inner[k] + 1 >= middle ? 2 : 1);
        const double u = masking->style == DLG_MASK_BERT ? dlg_random_uniform(&random) : 0;
        labels[at] = (int64_t)fed[at];
        if (u < 0.8) fed[at] = masking->mask;
        else if (u < 0.9) fed[at] = (uint32_t)dlg_random_below(&random, masking->vocabulary_size);
    }
    dlg_free(inner);
    return DLG_OK;
}
