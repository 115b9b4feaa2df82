/**
 * ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop Text
 * Summarization Branches Out) of one text against another. The same numbers as Python's rouge_score package without
 * stemming: words are runs of a-z and 0-9 after lower case, everything else parts them; a text without words scores 0,
 * also against itself.
 */
#ifndef DLG_REPORT_ROUGE_H
#define DLG_REPORT_ROUGE_H

#include "base/status.h"

/** What both texts have: as a part of the found text, of the wanted one, and the harmonic mean of the two. */
typedef struct {
    double precision, recall, f1;
} dlg_rouge_score;

typedef struct {
    dlg_rouge_score one, two; /**< words and pairs of neighbouring words, as often as both texts have them */
    dlg_rouge_score longest;  /**< the longest common subsequence of words */
} dlg_rouge;

/** Texts are UTF-8. Cost: O(words of one x words of the other). Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_rouge_compute(dlg_rouge *out, const char *wanted, const char *found, dlg_error *);

#endif
