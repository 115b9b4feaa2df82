/** What an attack of the library is. */
#ifndef DLG_LIBRARY_ATTACK_H
#define DLG_LIBRARY_ATTACK_H

#include "attacks/session/attack.h"
#include "report/progress.h"

struct dlg_attack {
    const dlg_gradient *gradient;
    dlg_analysis *analysis; /**< of it */
    const dlg_attack_class *class;
    dlg_attack_options options; /**< its journal is the attack's own */
    const char *checkpoint;     /**< the journal's file, or NULL; borrowed */
    bool resume;

    const dlg_update_tokens *update; /**< what a training's rows show: once it is prepared, of what is no gradient */
    dlg_knowledge told;              /**< and once it is prepared what was inferred: what the attack begins with */
    dlg_error unreadable;            /**< its status is set where the gradient does not show what every attack needs */
    size_t n_resumed;                /**< evaluations that the journal held */
    struct {
        size_t held, wanted, limit; /**< bytes, as dlg_subject has them */
    } memory;
    bool is_prepared, is_running, has_run;

    dlg_attack_result result;
    const dlg_attack_state *now; /**< what an observer is shown; NULL outside of its calls: the result's */
    dlg_subject subject;         /**< what was printed last was about it */
    dlg_progress progress;       /**< and what it was */
    char *text;                  /**< what dlg_attack_text gave last */
};

/** Where it stands: what an observer is shown, or the result. */
const dlg_attack_state *dlg_attack_state_of(const dlg_attack *);

/** What the text that is shown rests on, or what the attack begins with. */
const dlg_knowledge *dlg_attack_knowledge(const dlg_attack *);

#endif
