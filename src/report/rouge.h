/**
 * ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop Text
 * Summarization Branches Out) of one text against another. The same numbers as Python's rouge_score package without
 * stemming: words are runs of a-z and 0-9 after lower case, everything else parts them; a text without words scores 0,
 * also against itself.
 */
#ifndef DLG_REPORT_ROUGE_H
#define DLG_REPORT_ROUGE_H

#include "dlg/scores.h"

/** Texts are UTF-8. Cost: O(words of one x words of the other). Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_rouge_compute(dlg_rouge *out, const char *wanted, const char *found, dlg_error *);

#endif
