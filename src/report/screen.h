/** Text for a person: wrapped to a terminal's width with tokens marked there, plain lines everywhere else. */
#ifndef DLG_REPORT_SCREEN_H
#define DLG_REPORT_SCREEN_H

#include "base/status.h"
#include "tokenizer/tokenizer.h"

#include <stdio.h>

typedef struct {
    FILE *stream;
    size_t width; /**< columns of the terminal; 0 where the stream is none: a line is never broken or cut */
    bool marks;   /**< bold and underlined: escape sequences may be sent */
} dlg_screen;

typedef enum {
    DLG_COLOR_AUTO, /**< marks on a terminal that is not dumb, where NO_COLOR is not set */
    DLG_COLOR_ALWAYS,
    DLG_COLOR_NEVER
} dlg_color;

/** What the stream is. A terminal that does not tell its width has 80 columns. */
dlg_screen dlg_screen_of(FILE *stream, dlg_color);

/** Hand on what was printed. Errors: DLG_EIO when the stream has refused any of it. */
DLG_MUST_USE dlg_status dlg_screen_flush(FILE *stream, dlg_error *);

typedef enum { DLG_BOLD, DLG_UNDERLINED } dlg_mark;

/** How a paragraph stands on a terminal. */
typedef struct {
    const char *lead; /**< stands in front of the first line, where it is not marked; NULL: nothing */
    size_t indent;    /**< of every line, everywhere */
    size_t hang;      /**< of every line but the first, on top of it */
    size_t max_lines; /**< what goes beyond is cut, "..." says so; 0: no limit */
    dlg_mark mark;
} dlg_layout;

/**
 * Print a paragraph and end its line. What a terminal would not show, or would obey, is '?' (base/text.h).
 * @param marked one a byte of the text; may be NULL
 */
void dlg_screen_print(const dlg_screen *, dlg_layout, const char *text, const bool *marked);

/** Print a sentence without its special tokens. @param marked (n), may be NULL */
void dlg_screen_print_tokens(const dlg_screen *, dlg_layout, const dlg_tokenizer *, const uint32_t *tokens,
                             const bool *marked, size_t n);

/** The same with the doubtful in brackets, wherever it is printed: "the cat [sat?] there". @param doubtful (n), may be
 * NULL */
void dlg_screen_print_doubtful(const dlg_screen *, dlg_layout, const dlg_tokenizer *, const uint32_t *tokens,
                               const bool *doubtful, size_t n);

#endif
