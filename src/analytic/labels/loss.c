#include "analytic/labels/loss.h"

const char *dlg_loss_name(dlg_loss_kind kind)
{
    static const char *const names[] = {
        [DLG_LOSS_MEAN] = "mean cross-entropy",         [DLG_LOSS_SMOOTHED] = "cross-entropy with smoothed labels",
        [DLG_LOSS_WEIGHTED] = "weighted cross-entropy", [DLG_LOSS_BINARY] = "binary cross-entropy",
        [DLG_LOSS_SQUARED] = "mean squared error",      [DLG_LOSS_OTHER] = "another loss",
    };
    return names[kind];
}
