/** The descent of Deep Leakage from Gradients (Zhu, Liu & Han 2019, arXiv:1906.08935), for attacks that build on it. */
#ifndef DLG_LEAK_DLG_H
#define DLG_LEAK_DLG_H

#include "leak/recovery.h"

/** Descend from random embeddings, in as many starts as the options allow; result->end says how that ended. Errors: DLG_ENOMEM. */
DLG_MUST_USE dlg_status dlg_descend(dlg_recovery *, dlg_error *);

#endif
