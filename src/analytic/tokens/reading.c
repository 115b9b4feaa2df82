#include "analytic/tokens/reading.h"

#include "base/memory.h"

/* A reading is whole when at least this share of the positions admits one token only. */
static const double whole = 0.9;

/* The token at position t, and how many were possible. */
static size_t read_position(uint32_t *out, const dlg_position_check *check, size_t t, const dlg_token_set *set,
                            dlg_special_tokens special)
{
    const uint32_t framing[] = {special.begin, special.end, special.mask, special.pad};
    const size_t n_framing = sizeof framing / sizeof *framing;
    size_t n = 0;
    *out = dlg_position_check_best(check, t);
    if (!set->n) return dlg_position_check_count(check, t);
    bool best_is_there = false;
    uint32_t first = *out;
    for (size_t i = 0; i < set->n + n_framing; i++) {
        const uint32_t token = i < set->n ? set->tokens[i] : framing[i - set->n];
        bool is_again = false; /* a special token that is in the set as well */
        for (size_t j = 0; i >= set->n && j < set->n && !is_again; j++) is_again = set->tokens[j] == token;
        if (is_again || !dlg_position_check_admits(check, token, t)) continue;
        if (!n++) first = token;
        best_is_there = best_is_there || token == *out;
    }
    if (n && !best_is_there) *out = first;
    return n;
}

static bool admits_either(const dlg_position_check *check, uint32_t a, uint32_t b, size_t position)
{
    return dlg_position_check_admits(check, a, position) || dlg_position_check_admits(check, b, position);
}

dlg_status dlg_reading_find(dlg_reading *out, const dlg_position_check *check, const dlg_token_set *set,
                            dlg_special_tokens special, dlg_error *err)
{
    const size_t length = dlg_position_check_length(check);
    *out = (dlg_reading){.length = length, .fed = dlg_allocate(length, sizeof *out->fed)};
    if (!out->fed) return dlg_fail(err, DLG_ENOMEM, "reading: no memory");
    for (size_t t = 0; t < length; t++) {
        const bool begins =
            !t && (dlg_position_check_admits(check, special.begin, t) || !dlg_position_check_count(check, t));
        const size_t n = begins ? 1 : read_position(&out->fed[t], check, t, set, special);
        if (begins) out->fed[t] = special.begin;
        out->n_certain += n == 1;
        out->n_none += t && !dlg_position_check_count(check, t);
    }
    out->has_ends = admits_either(check, special.begin, special.pad, 0) &&
                    admits_either(check, special.end, special.pad, length - 1);
    return DLG_OK;
}

void dlg_reading_release(dlg_reading *reading)
{
    dlg_free(reading->fed);
    *reading = (dlg_reading){0};
}

bool dlg_reading_is_whole(const dlg_reading *reading)
{
    return reading->length && !reading->n_none && (double)reading->n_certain >= whole * (double)reading->length;
}
