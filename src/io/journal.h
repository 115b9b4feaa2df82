/**
 * A journal: the answers that a deterministic program got to the questions it asked, in order, in a file that grows
 * with each. A program that was killed is started again and gets the same answers from the file, at no cost, until it
 * has asked all that were written down; from then on they are written down again. It ends as it would have ended,
 * whatever its own state was.
 *
 * The file begins with text, "dlg-text journal 1" and one line "NAME: VALUE" for each fact about the run it belongs to,
 * ended by an empty line. Records follow: four numbers of 64 bits (kind, question, n_bytes, checksum) and n_bytes of
 * answer. The question is a fingerprint of all that the answer depends on; the checksum is of this record and all
 * before it. A record at the end that is torn, or whatever follows one whose checksum is wrong, is cut off: its answer
 * is found again. Records are handed to the system one by one, which is enough for a program that is killed; the file
 * is not forced to the disk, and a machine that loses its power loses the last seconds.
 */
#ifndef DLG_IO_JOURNAL_H
#define DLG_IO_JOURNAL_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dlg_journal dlg_journal;

/** What a run is, and the journal with it. Neither string may hold a newline. */
typedef struct {
    const char *name, *value;
} dlg_journal_fact;

/** A part of an answer, in memory of the caller's. */
typedef struct {
    void *bytes;
    size_t n_bytes;
} dlg_journal_piece;

/**
 * Begin a journal, or go on with the one that is there.
 * @param resume whether there may be one (an empty file and a torn beginning of this one are taken for none)
 * Errors: DLG_EIO also when there is one and resume is false, or another program is writing it; DLG_EFORMAT when the
 * file is no journal; DLG_ESHAPE when it is another run's: the message names the first fact that differs. The file is
 * then as it was. DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_journal_open(dlg_journal **out, const char *path, bool resume, size_t n_facts,
                                         const dlg_journal_fact facts[], dlg_error *);

/** Accepts NULL. The file stays. */
void dlg_journal_close(dlg_journal *);

/* All that follow accept NULL: no journal, nothing is recalled or written. */

/** Whether there are answers left to recall. */
bool dlg_journal_is_recalling(const dlg_journal *);

/** How many of a kind there are left. Takes time in proportion to all. */
size_t dlg_journal_left(const dlg_journal *, uint64_t kind);

/**
 * The next answer. @return false: there is none, find it and dlg_journal_add it. A record of another kind, question or
 * size is not an answer: the journal then ends (dlg_journal_check).
 */
bool dlg_journal_recall(dlg_journal *, uint64_t kind, uint64_t question, size_t n_pieces,
                        const dlg_journal_piece pieces[]);

/** Write an answer down, after a recall that returned false. */
void dlg_journal_add(dlg_journal *, uint64_t kind, uint64_t question, size_t n_pieces,
                     const dlg_journal_piece pieces[]);

/** From now on neither recall nor write: the program leaves the way that it would have gone undisturbed. */
void dlg_journal_suspend(dlg_journal *);

/** What went wrong in recalling and adding: DLG_OK, DLG_ESHAPE (another question's record), DLG_EIO, DLG_ENOMEM. */
dlg_status dlg_journal_check(const dlg_journal *, dlg_error *);

#endif
