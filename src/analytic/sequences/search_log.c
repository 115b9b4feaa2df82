#include "analytic/sequences/search_log.h"

#include "base/hash.h"
#include "base/memory.h"

#include <string.h>

/* Questions differ in this. */
enum { COUNT = 1, PROPOSALS = 2, ONE = 3 };

/* More are no answer of this program's. */
enum { MOST_PROPOSALS = 1 << 16 };

/* A sentence on its way; unused indices are zero, for the same sentence shall be the same bytes. */
typedef struct {
    uint64_t length;
    double outside;
    uint64_t index[];
} record;

static size_t size_of(size_t n_positions)
{
    return sizeof(record) + n_positions * sizeof(uint64_t);
}

static record *make_record(size_t n_positions, dlg_error *err)
{
    record *r = dlg_allocate(size_of(n_positions), 1);
    if (!r) (void)dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    return r;
}

static void fill(record *r, size_t n_positions, size_t length, const size_t *index, double outside)
{
    memset(r, 0, size_of(n_positions));
    r->length = length;
    r->outside = outside;
    for (size_t t = 0; t < length; t++) r->index[t] = index[t];
}

/* @return whether the candidates can make it; then index is */
static bool take(size_t *index, const record *r, const dlg_candidates *c)
{
    if (r->length > c->n_positions) return false;
    for (size_t t = 0; t < r->length; t++) {
        if (r->index[t] < c->first[t] || r->index[t] >= c->first[t + 1]) return false;
        index[t] = (size_t)r->index[t];
    }
    return true;
}

static uint64_t question_of(uint64_t kind, const dlg_sequences *found)
{
    uint64_t hash = dlg_hash(found->lengths, found->n * sizeof *found->lengths, kind);
    for (size_t k = 0; k < found->n; k++)
        hash = dlg_hash(found->index + k * found->n_positions, found->lengths[k] * sizeof *found->index, hash);
    return hash;
}

static record *record_at(unsigned char *records, size_t k, size_t n_positions)
{
    return (record *)(void *)(records + k * size_of(n_positions)); /* sizes are multiples of eight */
}

dlg_status dlg_search_log_recall_proposals(const dlg_search_log *log, dlg_proposals_known *known,
                                           dlg_sequences *proposals, const dlg_sequences *found,
                                           const dlg_candidates *c, dlg_error *err)
{
    const size_t T = c->n_positions;
    uint64_t n = 0;
    *known = DLG_NOTHING_KNOWN;
    *proposals = (dlg_sequences){.n_positions = T};
    if (!log || !log->recall || !log->recall(log->payload, question_of(COUNT, found), &n, sizeof n)) return DLG_OK;
    *known = DLG_NUMBER_KNOWN;
    if (n > MOST_PROPOSALS) return DLG_OK;
    size_t *index = dlg_allocate(T + 1, sizeof *index);
    unsigned char *records = dlg_allocate((size_t)n + 1, size_of(T));
    dlg_status status = index && records ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    if (!status && log->recall(log->payload, question_of(PROPOSALS, found), records, (size_t)n * size_of(T)))
        *known = DLG_PROPOSALS_KNOWN;
    for (size_t k = 0; !status && *known == DLG_PROPOSALS_KNOWN && k < n; k++) {
        const record *r = record_at(records, k, T);
        if (take(index, r, c)) status = dlg_sequences_add(proposals, (size_t)r->length, index, r->outside, err);
    }
    dlg_free(records);
    dlg_free(index);
    if (status) dlg_sequences_release(proposals);
    return status;
}

dlg_status dlg_search_log_add_proposals(const dlg_search_log *log, dlg_proposals_known known,
                                        const dlg_sequences *proposals, const dlg_sequences *found, dlg_error *err)
{
    const size_t T = found->n_positions;
    const uint64_t n = proposals->n;
    if (!log || !log->add) return DLG_OK;
    unsigned char *records = dlg_allocate((size_t)n + 1, size_of(T));
    if (!records) return dlg_fail(err, DLG_ENOMEM, "sentences: no memory");
    for (size_t k = 0; k < n; k++)
        fill(record_at(records, k, T), T, proposals->lengths[k], proposals->index + k * T, proposals->outside[k]);
    if (known == DLG_NOTHING_KNOWN) log->add(log->payload, question_of(COUNT, found), &n, sizeof n);
    log->add(log->payload, question_of(PROPOSALS, found), records, (size_t)n * size_of(T));
    dlg_free(records);
    return DLG_OK;
}

dlg_status dlg_search_log_recall_one(const dlg_search_log *log, dlg_found_by by, bool *is_known, size_t *length,
                                     size_t *index, const dlg_sequences *found, const dlg_candidates *c, dlg_error *err)
{
    *is_known = false;
    if (!log || !log->recall) return DLG_OK;
    record *r = make_record(found->n_positions, err);
    if (!r) return DLG_ENOMEM;
    *is_known = log->recall(log->payload, question_of(ONE + by, found), r, size_of(found->n_positions));
    *length = *is_known && take(index, r, c) ? (size_t)r->length : 0;
    dlg_free(r);
    return DLG_OK;
}

dlg_status dlg_search_log_add_one(const dlg_search_log *log, dlg_found_by by, size_t length, const size_t *index,
                                  const dlg_sequences *found, dlg_error *err)
{
    if (!log || !log->add) return DLG_OK;
    record *r = make_record(found->n_positions, err);
    if (!r) return DLG_ENOMEM;
    fill(r, found->n_positions, length, index, 0);
    log->add(log->payload, question_of(ONE + by, found), r, size_of(found->n_positions));
    dlg_free(r);
    return DLG_OK;
}
