/** The journal of an attack as a search for sentences sees it, and the observer that hears how far it has come. */
#ifndef DLG_ATTACKS_SEARCH_JOURNAL_H
#define DLG_ATTACKS_SEARCH_JOURNAL_H

#include "analytic/sequences/search_log.h"
#include "attacks/session/attack.h"

/** Borrowed; either may be NULL. */
typedef struct {
    dlg_journal *journal;
    const dlg_attack_observer *observer;
} dlg_search_journal;

/** It must stay where it is while the log is used. */
dlg_search_log dlg_search_journal_log(dlg_search_journal *);

#endif
