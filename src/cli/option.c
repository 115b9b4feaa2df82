#define _GNU_SOURCE /* argp, program_invocation_short_name */
#include "cli/option.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool dlg_parse_whole(const char *text, uint64_t lowest, uint64_t highest, uint64_t *out)
{
    /* strtoull would also take blanks, signs (and wrap), and nothing at all. */
    if (!*text || text[strspn(text, "0123456789")]) return false;
    errno = 0;
    const unsigned long long value = strtoull(text, NULL, 10);
    if (errno || value < lowest || value > highest) return false;
    *out = value;
    return true;
}

uint64_t dlg_option_whole(const struct argp_state *state, const char *option, const char *value, uint64_t lowest,
                          uint64_t highest)
{
    uint64_t number = 0;
    if (!dlg_parse_whole(value, lowest, highest, &number))
        argp_failure(state, DLG_EXIT_USAGE, 0, "--%s: want a whole number from %llu to %llu, found \"%s\"", option,
                     (unsigned long long)lowest, (unsigned long long)highest, value);
    return number;
}

size_t dlg_option_bytes(const struct argp_state *state, const char *option, const char *value)
{
    static const char units[] = "KMGT";
    char digits[24] = "";
    const size_t n = strlen(value);
    const char *unit = n ? strchr(units, value[n - 1]) : NULL;
    const size_t n_digits = n - (unit != NULL), shift = unit ? 10 * (size_t)(unit - units + 1) : 0;
    uint64_t number = 0;
    if (n_digits < sizeof digits) memcpy(digits, value, n_digits);
    if (!dlg_parse_whole(digits, 1, SIZE_MAX >> shift, &number))
        argp_failure(state, DLG_EXIT_USAGE, 0, "--%s: want a number of bytes such as 500M or 2G, found \"%s\"", option,
                     value);
    return (size_t)number << shift;
}

double dlg_option_real(const struct argp_state *state, const char *option, const char *value, double lowest,
                       double highest)
{
    /* strtod would also take blanks in front, "nan", hexadecimal, and nothing at all. */
    char *end = NULL;
    const double number = *value && !value[strspn(value, "+-.0123456789eE")] ? strtod(value, &end) : 0;
    if (!end || end == value || *end || !(number >= lowest && number <= highest))
        argp_failure(state, DLG_EXIT_USAGE, 0, "--%s: want a number from %g to %g, found \"%s\"", option, lowest,
                     highest, value);
    return number;
}

size_t dlg_option_name(const struct argp_state *state, const char *option, const char *value, const char *const names[])
{
    char list[256] = "";
    for (size_t i = 0; names[i]; i++) {
        if (!strcmp(value, names[i])) return i;
        dlg_text_list(list, sizeof list, names[i], !names[i + 1]);
    }
    argp_failure(state, DLG_EXIT_USAGE, 0, "--%s: want %s, found \"%s\"", option, list, value);
    return 0;
}

dlg_color dlg_option_color(const struct argp_state *state, const char *value)
{
    static const char *const names[] = {[DLG_COLOR_AUTO] = "auto", "always", "never", NULL};
    return (dlg_color)dlg_option_name(state, "color", value, names);
}

int dlg_report_failure(const dlg_error *err)
{
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, err->message);
    if (err->status == DLG_ECANCELLED) return DLG_EXIT_INTERRUPTED;
    return err->status == DLG_EARG ? DLG_EXIT_USAGE : DLG_EXIT_FAILED;
}
