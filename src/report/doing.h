/**
 * What an attack does just now, and how much of its time is left: on a terminal a line that is written over, anywhere
 * else a line at each change of what it does.
 */
#ifndef DLG_REPORT_DOING_H
#define DLG_REPORT_DOING_H

#include "report/screen.h"

/** Zero-initialise. */
typedef struct {
    char what[96];  /**< "descent: start 3 of 12" */
    FILE *drawn_on; /**< the terminal on which the line stands; NULL: it stands nowhere */
    size_t n_drawn; /**< its columns */
    double next_s;  /**< dlg_clock_now from which on it is written anew */
} dlg_doing;

/** It does something else from here on. @param left_s seconds; not finite: it has no end */
void dlg_doing_say(dlg_doing *, const dlg_screen *, const char *what, double left_s);

/** On a terminal: once a second, the time that is left now. */
void dlg_doing_go_on(dlg_doing *, const dlg_screen *, double left_s);

/** Something else is to be printed: take the line away. */
void dlg_doing_clear(dlg_doing *);

#endif
