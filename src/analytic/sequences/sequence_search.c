#include "analytic/sequences/sequence_search.h"

#include "base/interrupt.h"
#include "base/memory.h"
#include "analytic/sequences/attention_groups.h"
#include "analytic/sequences/context_reading.h"
#include "analytic/sequences/edits.h"

#include <math.h>

enum { TAKEN = 8 }; /* of a sentence's neighbours: how many are edited further */

typedef struct {
    /* guide: inside layer 0; NULL until edits are made. asked: the one that chooses them */
    dlg_sequence_check *check, *guide, *asked;
    const dlg_gradient *gradient;
    const dlg_candidates *candidates;
    dlg_special_tokens special;
    const dlg_sequence_limits *limits;
    dlg_sequences *out;
    size_t *n_asked;
    /* made when it comes to that; each may be none */
    bool has_reading, has_groups;
    dlg_context_reading *reading;
    dlg_attention_groups *groups;
    /* what may be edited, and what was */
    dlg_sequences pool;
    bool *done;
    dlg_edits edits;
    double *outside; /* (edits.capacity) */
} search;

static bool is_over(const search *s)
{
    const size_t rank = dlg_sequence_check_rank(s->check);
    const bool interrupted =
        dlg_is_interrupted() || (s->limits->interrupted && s->limits->interrupted(s->limits->payload));
    return !rank || *s->n_asked >= rank || s->out->n == s->limits->most_sentences || interrupted;
}

static const size_t *sentence(const dlg_sequences *of, size_t k)
{
    return of->index + k * of->n_positions;
}

/* Keep the sentence, if it was there. */
static dlg_status try_one(search *s, size_t length, const size_t *index, bool *is_kept, dlg_error *err)
{
    *is_kept = dlg_sequence_check_has(s->check, length, index) && !dlg_sequences_has(s->out, length, index);
    if (!*is_kept) return DLG_OK;
    *s->n_asked += dlg_sequence_check_found(s->check, length, index);
    if (s->guide) dlg_sequence_check_found(s->guide, length, index);
    const dlg_status status = dlg_sequences_add(s->out, length, index, 0, err);
    const dlg_search_log *log = s->limits->log;
    if (!status && log && log->found) log->found(log->payload, s->out->n);
    return status;
}

/* ---- proposals ---- */

static dlg_status try_proposals(search *s, const dlg_sequences *proposals, bool *any, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (size_t k = 0; !status && k < proposals->n && !is_over(s); k++) {
        bool is_kept;
        status = try_one(s, proposals->lengths[k], sentence(proposals, k), &is_kept, err);
        *any |= !status && is_kept;
    }
    return status;
}

/* ---- edits ---- */

static dlg_status put_aside(search *s, size_t length, const size_t *index, double outside, dlg_error *err)
{
    if (dlg_sequences_has(&s->pool, length, index)) return DLG_OK;
    bool *done = dlg_reallocate(s->done, s->pool.n, s->pool.n + 1, sizeof *done);
    if (!done) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    s->done = done;
    return dlg_sequences_add(&s->pool, length, index, outside, err);
}

/* The found ones come first, then proposals and what became of them. */
static dlg_status fill_pool(search *s, const dlg_sequences *proposals, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (size_t k = 0; !status && k < s->out->n; k++)
        status = put_aside(s, s->out->lengths[k], sentence(s->out, k), -1, err);
    for (size_t k = 0; !status && k < proposals->n; k++) {
        double outside;
        dlg_sequence_check_outside(s->asked, 1, proposals->lengths[k], sentence(proposals, k), &outside);
        status = put_aside(s, proposals->lengths[k], sentence(proposals, k), outside, err);
    }
    return status;
}

static void empty_pool(search *s)
{
    const size_t T = s->pool.n_positions;
    dlg_sequences_release(&s->pool);
    dlg_free(s->done);
    s->pool = (dlg_sequences){.n_positions = T};
    s->done = NULL;
}

static size_t best_in_pool(const search *s)
{
    size_t best = s->pool.n;
    for (size_t k = 0; k < s->pool.n; k++)
        if (!s->done[k] && (best == s->pool.n || s->pool.outside[k] < s->pool.outside[best])) best = k;
    return best;
}

/* The neighbours of one length: is one of them it? The best of the others are put aside. */
static dlg_status try_neighbours(search *s, size_t n, size_t length, const size_t *index, bool *is_kept, dlg_error *err)
{
    dlg_status status = DLG_OK;
    dlg_sequence_check_outside(s->asked, n, length, index, s->outside);
    for (size_t k = 0; !status && !*is_kept && k < TAKEN && k < n; k++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            if (s->outside[i] < s->outside[best]) best = i;
        status = try_one(s, length, index + best * length, is_kept, err);
        if (!status) status = put_aside(s, length, index + best * length, s->outside[best], err);
        s->outside[best] = INFINITY;
    }
    return status;
}

/* Chosen by the guide, or by the check itself. */
static dlg_status try_edits_by(search *s, dlg_sequence_check *asked, const dlg_sequences *proposals, bool *any,
                               dlg_error *err)
{
    s->asked = asked;
    dlg_status status = fill_pool(s, proposals, err);
    for (size_t tried = 0; !status && !*any && tried < s->limits->most_tries && !is_over(s); tried++) {
        const size_t k = best_in_pool(s);
        if (k == s->pool.n) break;
        s->done[k] = true;
        dlg_edits_make(&s->edits, s->pool.lengths[k], sentence(&s->pool, k));
        for (size_t i = 0; !status && !*any && i < 3; i++)
            if (s->edits.n[i])
                status = try_neighbours(s, s->edits.n[i], s->edits.length[i], s->edits.index[i], any, err);
    }
    empty_pool(s);
    return status;
}

static dlg_status make_guide(search *s, dlg_error *err)
{
    const dlg_status status = dlg_sequence_check_create(&s->guide, s->gradient, s->candidates, s->special, true, err);
    for (size_t k = 0; !status && k < s->out->n; k++)
        dlg_sequence_check_found(s->guide, s->out->lengths[k], sentence(s->out, k));
    return status;
}

static dlg_status try_edits(search *s, const dlg_sequences *proposals, bool *any, dlg_error *err)
{
    dlg_status status = s->guide ? DLG_OK : make_guide(s, err);
    if (!status && dlg_sequence_check_rank(s->guide)) status = try_edits_by(s, s->guide, proposals, any, err);
    if (!status && !*any) status = try_edits_by(s, s->check, proposals, any, err);
    return status;
}

/* ---- rounds, each of which the log may know ---- */

static dlg_status propose(search *s, dlg_sequences *proposals, dlg_error *err)
{
    const dlg_search_log *log = s->limits->log;
    dlg_proposals_known known;
    dlg_status status = dlg_search_log_recall_proposals(log, &known, proposals, s->out, s->candidates, err);
    if (status || known == DLG_PROPOSALS_KNOWN) return status;
    if (!s->has_groups) status = dlg_attention_groups_create(&s->groups, s->gradient, s->candidates, s->special, err);
    s->has_groups = true;
    if (!status) status = dlg_attention_groups_propose(proposals, s->groups, s->out, err);
    return status ? status : dlg_search_log_add_proposals(log, known, proposals, s->out, err);
}

/* What finds one sentence, last in `out`, or none. */
typedef dlg_status finder(search *, void *, bool *any, dlg_error *);

static dlg_status edit(search *s, void *proposals, bool *any, dlg_error *err)
{
    return try_edits(s, proposals, any, err);
}

static dlg_status read(search *s, void *unused, bool *any, dlg_error *err)
{
    (void)unused;
    dlg_status status = DLG_OK;
    if (!s->has_reading) status = dlg_context_reading_create(&s->reading, s->gradient, s->candidates, s->special, err);
    s->has_reading = true;
    size_t length, *index = dlg_allocate(s->candidates->n_positions + 1, sizeof *index);
    if (!index && !status) status = dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (bool is_left = true; !status && is_left && !*any && !is_over(s);) {
        bool none_left;
        status = dlg_context_reading_next(s->reading, s->out, &none_left, &length, index, err);
        if (!status && length) status = try_one(s, length, index, any, err);
        is_left = !none_left;
    }
    dlg_free(index);
    return status;
}

/* The log is asked with those before it. */
static dlg_status find_one(search *s, dlg_found_by by, finder *find, void *payload, bool *any, dlg_error *err)
{
    const dlg_search_log *log = s->limits->log;
    const size_t T = s->candidates->n_positions;
    size_t length, *index = dlg_allocate(T + 1, sizeof *index);
    bool is_known;
    if (!index) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    dlg_status status = dlg_search_log_recall_one(log, by, &is_known, &length, index, s->out, s->candidates, err);
    if (!status && is_known) {
        if (length) status = try_one(s, length, index, any, err);
    } else if (!status) {
        dlg_sequences before = *s->out;
        status = find(s, payload, any, err);
        const size_t last = s->out->n - 1;
        before.lengths = s->out->lengths; /* they may have moved */
        before.index = s->out->index;
        if (!status)
            status = dlg_search_log_add_one(log, by, *any ? s->out->lengths[last] : 0,
                                            *any ? sentence(s->out, last) : NULL, &before, err);
    }
    dlg_free(index);
    return status;
}

static dlg_status read_all(search *s, bool *any, dlg_error *err)
{
    dlg_status status = DLG_OK;
    for (bool more = true; !status && more && !is_over(s);) {
        more = false;
        status = find_one(s, DLG_FOUND_BY_READING, read, NULL, &more, err);
        *any |= more;
    }
    return status;
}

/* Where a head is wider than there are inputs it says by itself which stand together, and that is sooner asked. */
static bool heads_are_wide(const search *s)
{
    const dlg_config *config = &s->gradient->model->config;
    return s->candidates->rank < config->hidden_size / config->n_heads;
}

dlg_status dlg_sequences_find(dlg_sequences *out, size_t *n_asked, dlg_sequence_check *check,
                              const dlg_gradient *gradient, const dlg_candidates *candidates,
                              dlg_special_tokens special, const dlg_sequence_limits *limits, dlg_error *err)
{
    search s = {.check = check,
                .gradient = gradient,
                .candidates = candidates,
                .special = special,
                .limits = limits,
                .out = out,
                .n_asked = n_asked,
                .pool = {.n_positions = candidates->n_positions}};
    *out = (dlg_sequences){.n_positions = candidates->n_positions};
    *n_asked = 0;
    dlg_status status = dlg_edits_create(&s.edits, candidates, special, err);
    if (!status) {
        s.outside = dlg_allocate(s.edits.capacity, sizeof *s.outside);
        if (!s.outside) status = dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    }
    for (bool any = true; !status && any && !is_over(&s);) {
        dlg_sequences proposals = {0};
        any = false;
        if (!heads_are_wide(&s)) status = read_all(&s, &(bool){false}, err);
        if (!status && !is_over(&s)) status = propose(&s, &proposals, err);
        if (!status) status = try_proposals(&s, &proposals, &any, err);
        if (!status && !any && heads_are_wide(&s)) status = read_all(&s, &any, err);
        if (!status && !any && !is_over(&s)) status = find_one(&s, DLG_FOUND_BY_EDITING, edit, &proposals, &any, err);
        dlg_sequences_release(&proposals);
    }
    dlg_free(s.outside);
    dlg_edits_release(&s.edits);
    dlg_context_reading_free(s.reading);
    dlg_attention_groups_free(s.groups);
    dlg_sequence_check_free(s.guide);
    if (status == DLG_ECANCELLED) status = DLG_OK;
    if (status) dlg_sequences_release(out);
    return status;
}
