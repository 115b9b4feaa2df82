#define _DEFAULT_SOURCE /* TIOCGWINSZ */
#include "report/screen.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

dlg_screen dlg_screen_of(FILE *stream, dlg_color color)
{
    struct winsize size;
    const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
    dlg_screen screen = {.stream = stream, .marks = color == DLG_COLOR_ALWAYS};
    if (!isatty(fileno(stream))) return screen;
    screen.width = !ioctl(fileno(stream), TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
    if (color == DLG_COLOR_AUTO) screen.marks = !(no_color && *no_color) && kind && strcmp(kind, "dumb") != 0;
    return screen;
}

dlg_status dlg_screen_flush(FILE *stream, dlg_error *err)
{
    const char *name = stream == stdout ? "standard output" : stream == stderr ? "standard error" : "output";
    if (!fflush(stream) && !ferror(stream)) return DLG_OK;
    return dlg_fail(err, DLG_EIO, "%s: %s", name, strerror(errno));
}

/* ---- characters ---- */

/* Columns of a character: East Asian ones have two. A combining mark is counted as one, which only wraps a little
 * early. */
static size_t character_columns(int32_t c)
{
    static const int32_t wide[][2] = {{0x1100, 0x115F}, {0x2E80, 0xA4CF},   {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF}, {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD}};
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++)
        if (c >= wide[i][0] && c <= wide[i][1]) return 2;
    return 1;
}

static size_t word_columns(const char *word)
{
    size_t columns = 0;
    for (size_t n; *word && *word != ' '; word += n) {
        columns += character_columns(dlg_text_next(word, &n));
    }
    return columns;
}

/* ---- paragraphs ---- */

typedef struct {
    const dlg_screen *screen;
    dlg_layout layout;
    size_t column, line; /* line from 1 */
    bool marking, is_full;
} pen;

static void set_mark(pen *p, bool on)
{
    if (!p->screen->marks || p->marking == on) return;
    fputs(!on ? "\033[0m" : p->layout.mark == DLG_BOLD ? "\033[1m" : "\033[4m", p->screen->stream);
    p->marking = on;
}

static void put_blanks(pen *p, size_t n)
{
    for (size_t i = 0; i < n; i++) fputc(' ', p->screen->stream);
    p->column += n;
}

/* Whether n more columns fit on this line; the last line keeps room for the dots. */
static bool has_room(const pen *p, size_t n)
{
    const size_t dots = p->layout.max_lines && p->line == p->layout.max_lines ? 4 : 0;
    return !p->screen->width || p->column + n + dots <= p->screen->width;
}

static void new_line(pen *p)
{
    set_mark(p, false);
    if (p->layout.max_lines && p->line == p->layout.max_lines) {
        fputs(" ...", p->screen->stream);
        p->is_full = true;
        return;
    }
    fputc('\n', p->screen->stream);
    p->line++;
    p->column = 0;
    put_blanks(p, p->layout.indent + p->layout.hang);
}

/* @return its bytes */
static size_t put_character(pen *p, const char *text, bool marked)
{
    size_t n;
    const int32_t c = dlg_text_next(text, &n);
    if (!has_room(p, character_columns(c))) new_line(p);
    if (p->is_full) return n;
    set_mark(p, marked);
    if (dlg_text_is_shown(c)) fwrite(text, 1, n, p->screen->stream);
    else fputc('?', p->screen->stream);
    p->column += character_columns(c);
    return n;
}

void dlg_screen_print(const dlg_screen *screen, dlg_layout layout, const char *text, const bool *marked)
{
    pen p = {.screen = screen, .layout = layout, .line = 1};
    /* A terminal too narrow for the indent gets none. */
    if (screen->width && layout.indent + layout.hang + 8 > screen->width) p.layout.indent = p.layout.hang = 0;
    put_blanks(&p, p.layout.indent);
    for (const char *c = layout.lead; c && *c && !p.is_full;) c += put_character(&p, c, false);
    for (size_t i = 0, n; text[i] && !p.is_full; i += n) {
        n = 1;
        if (text[i] != ' ') {
            n = put_character(&p, text + i, marked && marked[i]);
            continue;
        }
        /* A word goes to the next line where it fits there and not here; one that no line can hold is broken
         * anywhere. */
        const size_t next = word_columns(text + i + 1);
        const bool fits_there = p.layout.indent + p.layout.hang + next <= screen->width;
        if (has_room(&p, 1 + next) || (!fits_there && has_room(&p, 2))) {
            set_mark(&p, false);
            put_blanks(&p, 1);
        } else {
            new_line(&p);
        }
    }
    set_mark(&p, false);
    fputc('\n', screen->stream);
}

/* ---- sentences ---- */

/* Which bytes of the decoded text come from marked tokens: decoding joins the pieces and leaves out or puts in nothing
 * but blanks. */
static void mark_bytes(const dlg_tokenizer *tokenizer, const uint32_t *tokens, const bool *marked, size_t n,
                       const char *text, bool *bytes)
{
    const dlg_special_tokens special = dlg_tokenizer_special(tokenizer);
    size_t at = 0;
    bool first = true;
    const size_t end = dlg_special_tokens_end(special, tokens, n);
    for (size_t i = dlg_special_tokens_begin(special, tokens, n); i < end; i++) {
        const char *piece = dlg_tokenizer_piece(tokenizer, tokens[i]);
        if (!piece) continue;
        if (!first && !strncmp(piece, "##", 2)) piece += 2;
        first = false;
        for (; *piece; piece++) {
            if (*piece == ' ') continue;
            while (text[at] == ' ') at++;
            if (!text[at]) return;
            bytes[at++] = marked[i];
        }
    }
}

void dlg_screen_print_tokens(const dlg_screen *screen, dlg_layout layout, const dlg_tokenizer *tokenizer,
                             const uint32_t *tokens, const bool *marked, size_t n)
{
    char *text = dlg_tokenizer_decode_sentence(tokenizer, tokens, n);
    bool *bytes = text && marked ? dlg_allocate(strlen(text) + 1, sizeof *bytes) : NULL;
    if (bytes) mark_bytes(tokenizer, tokens, marked, n, text, bytes);
    const char *shown = !text ? "(no memory to show the text)" : *text ? text : "(no words)";
    dlg_screen_print(screen, layout, shown, shown == text ? bytes : NULL);
    dlg_free(bytes);
    dlg_free(text);
}

void dlg_screen_print_doubtful(const dlg_screen *screen, dlg_layout layout, const dlg_tokenizer *tokenizer,
                               const uint32_t *tokens, const bool *doubtful, size_t n)
{
    char *text = dlg_tokenizer_decode_sentence(tokenizer, tokens, n);
    const size_t length = text ? strlen(text) : 0;
    bool *bytes = dlg_allocate(length + 1, sizeof *bytes); /* the last is none's */
    char *shown = dlg_allocate(4 * length + 1, sizeof *shown), *to = shown;
    if (text && bytes && shown) {
        if (doubtful) mark_bytes(tokenizer, tokens, doubtful, n, text, bytes);
        for (size_t i = 0; i < length; i++) {
            if (bytes[i] && (!i || !bytes[i - 1])) *to++ = '[';
            *to++ = text[i];
            if (bytes[i] && !bytes[i + 1]) *to++ = '?', *to++ = ']';
        }
        *to = '\0';
    }
    const bool is_shown = text && bytes && shown;
    dlg_screen_print(screen, layout, !is_shown ? "(no memory to show the text)" : *shown ? shown : "(no words)", NULL);
    dlg_free(shown);
    dlg_free(bytes);
    dlg_free(text);
}
