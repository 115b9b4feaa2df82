#include "close.h"

#include <math.h>
#include <stdio.h>

bool dlg_is_close(const char *what, size_t n, const dlg_real *found, const double *want, double tolerance)
{
    double scale = 0, worst = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        scale = fmax(scale, fabs(want[i]));
        const double off = fabs((double)found[i] - want[i]);
        if (!(off <= worst)) worst = off, at = i;
        if (isnan(off)) break;
    }
    if (worst <= tolerance * (scale > 0 ? scale : 1)) return true;
    printf("%s: at %zu want %.17g, found %.17g; off by %.2e of the largest %.2e\n", what, at, want[at],
           (double)found[at], worst / scale, scale);
    return false;
}

bool dlg_is_near(const char *what, double found, double want, double tolerance)
{
    if (fabs(found - want) <= tolerance * fabs(want)) return true;
    printf("%s: want %.17g, found %.17g; off by %.2e\n", what, want, found, fabs(found - want) / fabs(want));
    return false;
}
