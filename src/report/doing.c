#include "report/doing.h"

#include "base/clock.h"

#include <math.h>
#include <string.h>

static const double every_s = 1;

void dlg_doing_clear(dlg_doing *doing)
{
    if (!doing->drawn_on) return;
    fprintf(doing->drawn_on, "\r%*s\r", (int)doing->n_drawn, "");
    fflush(doing->drawn_on);
    doing->drawn_on = NULL;
}

static void draw(dlg_doing *doing, const dlg_screen *screen, double left_s)
{
    char left[48] = "", line[160];
    dlg_doing_clear(doing);
    if (isfinite(left_s)) snprintf(left, sizeof left, "; %.0f s left", ceil(left_s));
    const int n = snprintf(line, sizeof line, "%s%s", doing->what, left);
    doing->n_drawn = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    if (doing->n_drawn >= screen->width) doing->n_drawn = screen->width - 1; /* the last column would begin a line */
    fprintf(screen->stream, "%.*s", (int)doing->n_drawn, line);
    fflush(screen->stream);
    doing->drawn_on = screen->stream;
    doing->next_s = dlg_clock_now() + every_s;
}

/* "descent" of "descent: start 3 of 12". */
static bool is_same(const char *a, const char *b)
{
    const size_t n = strcspn(a, ":");
    return n == strcspn(b, ":") && !strncmp(a, b, n);
}

void dlg_doing_say(dlg_doing *doing, const dlg_screen *screen, const char *what, double left_s)
{
    const bool is_new = !is_same(doing->what, what);
    snprintf(doing->what, sizeof doing->what, "%s", what);
    if (screen->width) {
        draw(doing, screen, left_s);
        return;
    }
    if (!is_new) return;
    dlg_screen_print(screen, (dlg_layout){.hang = 2}, what, NULL);
    fflush(screen->stream);
}

void dlg_doing_go_on(dlg_doing *doing, const dlg_screen *screen, double left_s)
{
    if (screen->width && *doing->what && dlg_clock_now() >= doing->next_s) draw(doing, screen, left_s);
}
