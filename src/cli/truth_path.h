/** Where a truth is written when nobody says. */
#ifndef DLG_CLI_TRUTH_PATH_H
#define DLG_CLI_TRUTH_PATH_H

/** Beside the gradient: bert.g to bert.truth.json; to be freed. NULL when memory ran out. */
char *dlg_truth_path_of(const char *output);

#endif
