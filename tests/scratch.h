/** What tests of files share: a directory that is gone afterwards, and a check of messages. */
#ifndef DLG_TESTS_SCRATCH_H
#define DLG_TESTS_SCRATCH_H

#include "base/status.h"

#include <stddef.h>

/** The program's own scratch directory, which is removed at exit with the files in it. */
const char *scratch_directory(void);

/** The path of a file there. The text stays valid; at most 32 names. */
const char *scratch_path(const char *name);

/** Write a file there. @return its path */
const char *scratch_file(const char *name, const void *bytes, size_t n_bytes);

/** The same for text. */
const char *scratch_text(const char *name, const char *text);

/** How many entries the scratch directory has: a failed write must leave none. */
size_t scratch_count(void);

/** Assert on a refusal: the status, in err too, and that the message is one line with `file` and `object` in it. */
void assert_refused(dlg_status status, dlg_status wanted, const dlg_error *err, const char *file, const char *object);

#endif
