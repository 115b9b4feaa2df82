/**
 * Text from strangers on its way to a person or a program: valid UTF-8, and nothing that moves or repaints what a
 * terminal shows.
 */
#ifndef DLG_BASE_TEXT_H
#define DLG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What dlg_text_next gives for bytes that are no UTF-8. */
enum { DLG_NO_CHARACTER = -1 };

/**
 * The character at the beginning of a string that ends with a NUL, which must not be empty.
 * @param[out] n_bytes how many bytes it has; 1 where they are no UTF-8
 * @return its code point, or DLG_NO_CHARACTER
 */
int32_t dlg_text_next(const char *text, size_t *n_bytes);

/**
 * Whether a terminal shows the character, and does nothing else: no control of C0 or C1, no separator of lines or
 * paragraphs, no bidirectional control (UAX #9), no tag or other invisible formatting character, no surrogate, private
 * or unassigned one; not DLG_NO_CHARACTER.
 */
bool dlg_text_is_shown(int32_t character);

/** Put '?' in the place of every character that a terminal would not show, in place. */
void dlg_text_make_shown(char *text);

/**
 * Append a name to a list in words: "a", then "a, b", and the last "a, b or c". What does not fit is cut.
 * @param list (n) a string, at first empty
 */
void dlg_text_list(char *list, size_t n, const char *name, bool is_last);

#endif
