/** What the programs' argp parsers share: values that end the program with one line and exit 64 when they are wrong. */
#ifndef DLG_CLI_OPTION_H
#define DLG_CLI_OPTION_H

#include "dlg/print.h"

#include <argp.h>
#include <stddef.h>
#include <stdint.h>

/** Exit statuses of all programs. */
enum { DLG_EXIT_DONE = 0, DLG_EXIT_FAILED = 1, DLG_EXIT_USAGE = 64, DLG_EXIT_INTERRUPTED = 130 };

/** Seeds are written into JSON, whose numbers are exact up to here. */
#define DLG_SEED_MAX (UINT64_C(1) << 53)

/** The value of an option that takes a whole number. `option` is its long name without dashes. */
uint64_t dlg_option_whole(const struct argp_state *, const char *option, const char *value, uint64_t lowest,
                          uint64_t highest);

/**
 * The value of an option that takes a size in bytes, at least 1: a whole number, with K, M, G or T for units of 1,024
 * and its powers.
 */
size_t dlg_option_bytes(const struct argp_state *, const char *option, const char *value);

/** The value of an option that takes a number in [lowest, highest]. */
double dlg_option_real(const struct argp_state *, const char *option, const char *value, double lowest, double highest);

/** What --help says of --memory and --threads, which both programs have. */
#define DLG_MEMORY_HELP                                                                                                \
    "Take at most so many bytes (with K, M, G or T behind: units of 1,024); what needs more is refused (default: "     \
    "what is free)"
#define DLG_THREADS_HELP "Threads of the matrix products (default: one a processor)"

/** --color, of both programs. */
#define DLG_COLOR_ARGUMENT "auto|always|never"
#define DLG_COLOR_HELP "Bold and underlined text (default auto: on a terminal, unless NO_COLOR is set)"
dlg_format dlg_option_color(const struct argp_state *, const char *value);

/** Append a list's names, which NULL ends, in words: "a, b or c". @param out (n) a string */
void dlg_option_list(char *out, size_t n, const char *const names[]);

/** The index of an option's value in the list of names it may have, which NULL ends. */
size_t dlg_option_name(const struct argp_state *, const char *option, const char *value, const char *const names[]);

/**
 * End with err's message on one line: DLG_EARG is wrong usage, DLG_ECANCELLED an interrupt, everything else a failure.
 * @return the exit status
 */
int dlg_report_failure(const dlg_error *);

#endif
