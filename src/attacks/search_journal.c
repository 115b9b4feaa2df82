#include "attacks/search_journal.h"

#include "base/interrupt.h"

/* A kind of record, beside those of matching/oracle.c. */
enum { SENTENCE = 4 };

static bool recall(void *payload, uint64_t question, void *answer, size_t n_bytes)
{
    const dlg_search_journal *of = payload;
    const dlg_journal_piece piece = {answer, n_bytes};
    return of->journal && dlg_journal_recall(of->journal, SENTENCE, question, 1, &piece);
}

static void add(void *payload, uint64_t question, const void *answer, size_t n_bytes)
{
    const dlg_search_journal *of = payload;
    const dlg_journal_piece piece = {(void *)(size_t)answer, n_bytes}; /* it is only read */
    /* Asked, the observer suspends the journal. */
    if (dlg_is_interrupted() || dlg_attack_is_interrupted(of->observer)) return;
    if (of->journal) dlg_journal_add(of->journal, SENTENCE, question, 1, &piece);
}

static void tell(void *payload, size_t n)
{
    const dlg_search_journal *of = payload;
    dlg_attack_doing(of->observer, "search for sentences: %zu found", n);
}

dlg_search_log dlg_search_journal_log(dlg_search_journal *of)
{
    return (dlg_search_log){recall, add, tell, of};
}
