#include "analytic/infer.h"

#include "base/memory.h"

#include <assert.h>

enum {
    MOST_SENTENCES = 16, /* batches of more are not taken apart */
    MOST_ROWS = 256      /* of the span check, where it is not clear how many there are */
};

/* What bounds the number of tokens, and where sentences may end. */
typedef struct {
    size_t longest;
    /* rows behind layer 0's attention: all tokens of the batch, unless sentences are nearly the same; 0: not clear */
    size_t n_rows;
    size_t n_inputs; /* different tokens at their positions; 0: not clear */
    /* (n_ends) lengths that sentences may have; all up to the longest where the span check is blind */
    size_t n_ends, *end;
    bool is_blind;
} evidence;

/* Where the token that ends sentences lies in the row space of layer 0. The longest sentence's does, or the span check
 * is blind. */
static dlg_status find_ends(evidence *e, dlg_analysis *analysis, dlg_error *err)
{
    dlg_span_check *check = NULL;
    double *scratch = dlg_allocate(e->longest, sizeof *scratch);
    e->end = dlg_allocate(e->longest, sizeof *e->end);
    dlg_status status = scratch && e->end ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    if (!status) status = dlg_analysis_span_check(&check, analysis, e->n_inputs ? e->n_inputs : MOST_ROWS, err);
    if (!status)
        e->n_ends =
            dlg_span_check_positions(check, dlg_analysis_special(analysis).end, e->longest + 1, e->end, scratch);
    e->is_blind = !e->n_ends || e->end[e->n_ends - 1] + 1 != e->longest;
    if (e->is_blind) e->n_ends = 0;
    /* A sentence has three tokens at least, but where the rows of longer ones were pruned away. */
    for (size_t t = e->longest > 2 ? 2 : e->longest - 1; t < e->longest && !status && e->is_blind; t++)
        e->end[e->n_ends++] = t;
    for (size_t i = 0; i < e->n_ends; i++) e->end[i]++;
    dlg_span_check_free(check);
    dlg_free(scratch);
    return status;
}

/*
 * lengths (n) := the longest, and others that end where they may, as few tokens together as `least` leaves. *total is
 * how many that is, *is_only whether no others make as many.
 */
static dlg_status choose_lengths(size_t *lengths, size_t *total, bool *is_only, const evidence *e, size_t n,
                                 size_t least, dlg_error *err)
{
    const size_t n_others = n - 1, n_sums = n_others * e->longest + 1;
    /* ways[k][s]: in how many ways k of the lengths looked at so far make s, two standing for more; last[k][s]: the
     * last of one of them */
    unsigned char *ways = dlg_allocate(n * n_sums, sizeof *ways);
    size_t *last = dlg_allocate(n * n_sums, sizeof *last), sum = least > e->longest ? least - e->longest : 0;
    dlg_status status = ways && last ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    if (status) goto out;
    ways[0] = 1;
    for (size_t i = 0; i < e->n_ends; i++)
        for (size_t k = 1; k <= n_others; k++)
            for (size_t s = e->end[i]; s < n_sums; s++) {
                const unsigned char more = ways[(k - 1) * n_sums + s - e->end[i]];
                unsigned char *here = &ways[k * n_sums + s];
                if (!more) continue;
                last[k * n_sums + s] = e->end[i];
                *here = (unsigned char)(*here + more > 2 ? 2 : *here + more);
            }
    /* the longest is an end, and n_others of it are the last of these sums */
    while (!ways[n_others * n_sums + sum]) sum++;
    assert(sum < n_sums);
    *total = e->longest + sum;
    *is_only = ways[n_others * n_sums + sum] == 1;
    lengths[0] = e->longest;
    for (size_t k = n_others; k; k--) {
        lengths[n - k] = last[k * n_sums + sum];
        sum -= last[k * n_sums + sum];
    }
out:
    dlg_free(ways);
    dlg_free(last);
    return status;
}

/* No fewer than the tokens ask for, nor than went through a classifier's pooler. */
static dlg_status count_sentences(size_t *n, const evidence *e, dlg_analysis *analysis, size_t least, dlg_error *err)
{
    size_t n_head_rows = 0;
    *n = (least + e->longest - 1) / e->longest;
    if (!*n) *n = 1;
    if (dlg_analysis_gradient(analysis)->model->config.task == DLG_MASKED_LM) return DLG_OK;
    const dlg_status status = dlg_analysis_count_head_rows(&n_head_rows, analysis, err);
    if (n_head_rows > *n) *n = n_head_rows;
    return status;
}

dlg_status dlg_infer_layout(dlg_batch_layout *out, dlg_analysis *analysis, size_t n_sentences, dlg_error *err)
{
    evidence e = {0};
    *out = (dlg_batch_layout){.n_sentences = n_sentences};
    dlg_status status = dlg_analysis_length(&e.longest, analysis, err);
    if (status || !e.longest) return status;
    dlg_special_tokens special = {0};
    const dlg_defence_traces *traces;
    status = dlg_analysis_traces(&traces, analysis, err);
    /* Of what was pruned, or clipped entry by entry, the rank is no longer that of the rows. */
    const bool has_ranks = n_sentences != 1 && !status && !traces->is_pruned && !traces->is_clipped;
    if (has_ranks) status = dlg_analysis_count_inputs(&e.n_inputs, analysis, err);
    if (has_ranks && !status) status = dlg_analysis_count_attended(&e.n_rows, analysis, err);
    const size_t least = e.n_rows > e.n_inputs ? e.n_rows : e.n_inputs;
    if (!status && n_sentences != 1) status = dlg_analysis_framing(&special, analysis, e.longest, err);
    if (!status && !n_sentences) status = count_sentences(&out->n_sentences, &e, analysis, least, err);
    if (status) return status;
    out->n_inputs = e.n_inputs;
    out->n_rows = e.n_rows;
    const size_t n = out->n_sentences;
    size_t total = n * e.longest;
    const bool are_alike = special.framing & (DLG_PADDED | DLG_CUT);
    bool is_only = n == 1 || are_alike;
    out->lengths = dlg_allocate(n, sizeof *out->lengths);
    if (!out->lengths) return dlg_fail(err, DLG_ENOMEM, "lengths: no memory");
    for (size_t b = 0; b < n; b++) out->lengths[b] = e.longest;
    if (n > 1 && n <= MOST_SENTENCES && least && !are_alike) {
        status = find_ends(&e, analysis, err);
        if (!status) status = choose_lengths(out->lengths, &total, &is_only, &e, n, least < total ? least : total, err);
    }
    out->sentences_are_seen = n == 1 && e.n_rows == total; /* of several, some may be nearly the same */
    out->lengths_are_seen = is_only && (n == 1 || e.n_rows == total || e.n_ends == 1 || are_alike);
    dlg_free(e.end);
    if (status) {
        dlg_free(out->lengths);
        *out = (dlg_batch_layout){0};
    }
    return status;
}
