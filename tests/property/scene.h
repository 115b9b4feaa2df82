/** A small model of every kind, a step of three sentences on it, and an objective on its gradient. For tests. */
#ifndef DLG_TESTS_SCENE_H
#define DLG_TESTS_SCENE_H

#include "matching/objective.h"
#include "shared_step.h"

enum {
    IS_DOUBLE = sizeof(dlg_real) == sizeof(double),
    WORDS = 23,
    HIDDEN = 8,
    SENTENCES = 3,
    MAX_ROWS = 16,
    KINDS = 5,
    N_MASKED = 4
};

extern const size_t lengths[SENTENCES];

/** The rows that are predicted, sentence by sentence: one, one and two. */
extern const size_t masked[N_MASKED], n_masked[SENTENCES];

typedef struct {
    const char *name;
    dlg_task task;
    bool tied;
    dlg_activation_form activation;
    double eps;
} scene_kind;

extern const scene_kind kinds[KINDS];

/** A model of that kind, and a step of three sentences on it, not yet shared. */
void open_scene(shared_step *, size_t kind, uint64_t seed);

enum { MAX_LABELS = 5 };

/** An objective on a scene's gradient, a dummy point and soft labels. */
typedef struct {
    shared_step step;
    const dlg_distance *distance;
    dlg_objective *objective;
    size_t n; /**< numbers in x */
    dlg_real x[MAX_ROWS * HIDDEN];
    size_t label[MAX_LABELS];
    dlg_real share[MAX_ROWS * MAX_LABELS];
    dlg_soft_labels labels;
} attack;

/** On the attack's scene and gradient. */
void create_objective(attack *, const char *distance_name);

/** @param noise in the shared gradient, relative to each tensor: targets become dense */
void open_attack(attack *, size_t kind, const char *distance_name, double noise, uint64_t seed);

void close_attack(attack *);

#endif
