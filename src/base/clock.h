/** Time as it passes, whatever the date is set to. */
#ifndef DLG_BASE_CLOCK_H
#define DLG_BASE_CLOCK_H

/** Seconds since some moment. */
double dlg_clock_now(void);

#endif
