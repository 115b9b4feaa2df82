/** A small model of every kind, a step of three sentences on it, and an objective on its gradient. For tests. */
#ifndef DLG_TESTS_SCENE_H
#define DLG_TESTS_SCENE_H

#include "matching/objective.h"

enum {
    IS_DOUBLE = sizeof(dlg_real) == sizeof(double),
    WORDS = 23,
    HIDDEN = 8,
    SENTENCES = 3,
    MAX_ROWS = 16,
    KINDS = 4,
    N_MASKED = 4
};

extern const size_t lengths[SENTENCES];

/** The rows that are predicted, sentence by sentence: one, one and two. */
extern const size_t masked[N_MASKED], n_masked[SENTENCES];

typedef struct {
    const char *name;
    dlg_task task;
    bool tied;
    dlg_gelu_form gelu;
    double eps;
} scene_kind;

extern const scene_kind kinds[KINDS];

/** A model, and a step of three sentences on it. */
typedef struct {
    dlg_model *model;
    dlg_batch batch;
    uint32_t fed[MAX_ROWS];
    size_t labels[MAX_ROWS];
} scene;

/** A batch of these sentences; rows are a masked LM's. */
void batch_of(dlg_batch *out, dlg_task, size_t n_sentences, const size_t *of_length, size_t n_predicted,
              const size_t *rows);

void open_scene(scene *, size_t kind, uint64_t seed);
void close_scene(scene *);

/** To be released with dlg_gradient_release. @param[out] loss may be NULL */
dlg_gradient share(const scene *, const dlg_batch *, const uint32_t *fed, const size_t *labels, double *loss);

enum { MAX_LABELS = 5 };

/** An objective on a scene's gradient, a dummy point and soft labels. */
typedef struct {
    scene scene;
    dlg_gradient gradient;
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
