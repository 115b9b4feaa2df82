#include "leak/candidates.h"

#include "base/memory.h"

void dlg_candidates_release(dlg_candidates *candidates)
{
    dlg_free(candidates->first);
    dlg_free(candidates->certain);
    dlg_free(candidates->token);
    dlg_free(candidates->outside);
    *candidates = (dlg_candidates){0};
}

bool dlg_candidates_has(const dlg_candidates *candidates, uint32_t token, size_t position)
{
    for (size_t i = candidates->first[position]; i < candidates->first[position + 1]; i++)
        if (candidates->token[i] == token) return true;
    return false;
}

void dlg_candidates_narrow(dlg_candidates *candidates, bool (*keep)(void *payload, uint32_t token, size_t position), void *payload)
{
    size_t n = 0, begin = 0;
    for (size_t t = 0; t < candidates->n_positions; t++) {
        const size_t end = candidates->first[t + 1];
        for (size_t i = begin; i < end; i++) {
            if (!keep(payload, candidates->token[i], t)) continue;
            candidates->token[n] = candidates->token[i];
            candidates->outside[n++] = candidates->outside[i];
        }
        begin = end;
        candidates->first[t + 1] = n;
    }
}
