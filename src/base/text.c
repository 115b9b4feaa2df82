#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

int32_t dlg_text_next(const char *text, size_t *n_bytes)
{
    utf8proc_int32_t character;
    size_t n = 0;
    while (n < 4 && text[n]) n++;
    const utf8proc_ssize_t used = utf8proc_iterate((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)n, &character);
    *n_bytes = used > 0 ? (size_t)used : 1;
    return used > 0 ? character : DLG_NO_CHARACTER;
}

bool dlg_text_is_shown(int32_t character)
{
    switch (character < 0 ? UTF8PROC_CATEGORY_CN : utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_CC: /* controls */
    case UTF8PROC_CATEGORY_CF: /* formatting, bidirectional controls among it */
    case UTF8PROC_CATEGORY_CN: /* unassigned */
    case UTF8PROC_CATEGORY_CO: /* private */
    case UTF8PROC_CATEGORY_CS: /* surrogates */
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
    }
}

void dlg_text_make_shown(char *text)
{
    char *to = text;
    for (size_t n; *text; text += n) {
        if (dlg_text_is_shown(dlg_text_next(text, &n))) {
            memmove(to, text, n);
            to += n;
        } else {
            *to++ = '?';
        }
    }
    *to = '\0';
}

void dlg_text_list(char *list, size_t n, const char *name, bool is_last)
{
    const size_t used = strlen(list);
    snprintf(list + used, n - used, "%s%s", !used ? "" : is_last ? " or " : ", ", name);
}
