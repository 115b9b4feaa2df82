#include "analytic/tokens/candidates.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

void dlg_candidates_release(dlg_candidates *candidates)
{
    dlg_free(candidates->first);
    dlg_free(candidates->certain);
    dlg_free(candidates->token);
    dlg_free(candidates->type);
    dlg_free(candidates->outside);
    *candidates = (dlg_candidates){0};
}

bool dlg_candidates_has(const dlg_candidates *candidates, uint32_t token, size_t position)
{
    return dlg_candidates_index(candidates, token, position, 0) < candidates->first[position + 1];
}

size_t dlg_candidates_index(const dlg_candidates *candidates, uint32_t token, size_t position, size_t type)
{
    const size_t end = candidates->first[position + 1];
    size_t found = end;
    for (size_t i = candidates->first[position]; i < end; i++)
        if (candidates->token[i] == token && (found == end || candidates->type[i] == type)) found = i;
    return found;
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

dlg_status dlg_candidates_tokens(uint32_t **out, size_t *n, const dlg_candidates *candidates, dlg_error *err)
{
    const size_t n_all = candidates->first[candidates->n_positions];
    uint32_t *tokens = dlg_allocate(n_all + 1, sizeof *tokens);
    *out = tokens;
    *n = 0;
    if (!tokens) return dlg_fail(err, DLG_ENOMEM, "tokens of %zu candidates: no memory", n_all);
    memcpy(tokens, candidates->token, n_all * sizeof *tokens);
    qsort(tokens, n_all, sizeof *tokens, ascending);
    for (size_t i = 0; i < n_all; i++)
        if (!i || tokens[i] != tokens[*n - 1]) tokens[(*n)++] = tokens[i];
    return DLG_OK;
}

size_t dlg_candidates_token_index(size_t n, const uint32_t *tokens, uint32_t token)
{
    const uint32_t *found = n ? bsearch(&token, tokens, n, sizeof *tokens, ascending) : NULL;
    return found ? (size_t)(found - tokens) : n;
}

void dlg_candidates_narrow(dlg_candidates *candidates, bool (*keep)(void *payload, uint32_t token, size_t position),
                           void *payload)
{
    size_t n = 0, begin = 0;
    for (size_t t = 0; t < candidates->n_positions; t++) {
        const size_t end = candidates->first[t + 1];
        for (size_t i = begin; i < end; i++) {
            if (!keep(payload, candidates->token[i], t)) continue;
            candidates->token[n] = candidates->token[i];
            candidates->type[n] = candidates->type[i];
            candidates->outside[n++] = candidates->outside[i];
        }
        begin = end;
        candidates->first[t + 1] = n;
    }
}
