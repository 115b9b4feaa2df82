/**
 * A masked LM, a shared gradient and the step that made it, as the programs of this folder time and compare evaluations
 * on them.
 */
#ifndef DLG_BENCH_SCENE_H
#define DLG_BENCH_SCENE_H

#include "gradient/gradient.h"
#include "io/truth.h"
#include "matching/objective.h"

typedef struct {
    dlg_model *model;
    dlg_safetensors *file; /**< the gradient's */
    dlg_gradient gradient;
    dlg_truth truth;
    size_t n, *rows, *label; /**< (n) what was predicted: row of the batch and token */
    dlg_real *share;         /**< (n, n) each label in its row */
    size_t n_numbers;        /**< in dummy embeddings */
} scene;

/**
 * Open all three. Zero-initialise first; released by scene_close, also after a failure.
 * @param model a Hugging Face directory; "-": the preset that the gradient's metadata name
 */
DLG_MUST_USE dlg_status scene_open(scene *, const char *model, const char *gradient, const char *truth, dlg_error *);
void scene_close(scene *);

/** The batch that the truth tells of, with these rows predicted. Released by the caller. */
DLG_MUST_USE dlg_status scene_batch(dlg_batch *out, const scene *, size_t n_predicted, const size_t *rows, dlg_error *);

/** The plain squared distance over such a batch. */
DLG_MUST_USE dlg_status scene_objective(dlg_objective **out, const scene *, size_t n_predicted, const size_t *rows,
                                        size_t max_labels, dlg_error *);

/** A monotonic clock. */
double now_s(void);

/** The median of values, which are sorted in place. */
double median_of(size_t n, double *values);

/** A whole number from 1 on, or 0 where the argument is none. */
size_t positive(const char *argument);

#endif
