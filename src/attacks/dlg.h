/** The descent of Deep Leakage from Gradients (Zhu, Liu & Han 2019, arXiv:1906.08935), for attacks that build on it. */
#ifndef DLG_ATTACKS_DLG_H
#define DLG_ATTACKS_DLG_H

#include "attacks/session/session.h"

/** What a start takes over from the one before it. */
typedef enum {
    DLG_KEEP_CERTAIN, /**< the tokens that are certain */
    DLG_DRAW_ANEW     /**< nothing */
} dlg_restart;

/**
 * Descend from random embeddings, in as many starts as the options allow; result->end says how that ended. Errors:
 * DLG_ENOMEM.
 */
DLG_MUST_USE dlg_status dlg_descend(dlg_session *, dlg_restart, dlg_error *);

/** An attack that is nothing else: a session begun, descended and ended. See dlg_attack_class.run. */
DLG_MUST_USE dlg_status dlg_descent_attack(dlg_attack_result *, dlg_analysis *, const dlg_knowledge *,
                                           const dlg_attack_options *, const dlg_attack_observer *, dlg_restart,
                                           dlg_error *);

#endif
