/*
 * A row that stands for several sentences, which are the same and have other classes: see predicted_rows.h. The mean
 * loss of B sentences, times f, leaves of a row that k of them share
 *
 *   s = c (k p - n),  c = f / B,
 *
 * with p the prediction and n how many of them have each class. With the c that is right k p - s / c are whole numbers
 * for every row; it is 1 / B, or what some class that no sentence of a row has says.
 */
#include "analytic/labels/head_gradient.h"

#include "base/memory.h"

#include <math.h>

/* Counts are whole to this part: of a loss that is another one in a hundred would be, by chance, at most. */
static const double nearly = 2e-4;

enum { MOST_EACH = 4, MOST_ROWS = 64, MOST_CLASSES = 64 };

typedef struct {
    size_t n, C;
    const dlg_real *p;   /* (n, C) */
    const double *slope; /* (C, n) */
    size_t *times;       /* (n, C) */
    size_t n_sentences;  /* of all rows together */
    size_t n_alone;      /* rows of one sentence */
    bool has_several;    /* a row has sentences of more than one class */
} problem;

/* times := of row i, which k sentences share. @return whether these are whole numbers */
static bool count_classes(problem *f, size_t i, size_t k, double c)
{
    size_t sum = 0;
    for (size_t j = 0; j < f->C; j++) {
        const double exact = (double)k * (double)f->p[i * f->C + j] - f->slope[j * f->n + i] / c, whole = round(exact);
        if (fabs(exact - whole) > nearly || whole < 0 || whole > (double)k) return false;
        sum += f->times[i * f->C + j] = (size_t)whole;
    }
    return sum == k;
}

/* @return whether that c makes all counts whole, and a row has sentences of two classes */
static bool fits(problem *f, double c)
{
    f->n_sentences = f->n_alone = 0;
    f->has_several = false;
    if (!isfinite(c) || c == 0) return false;
    for (size_t i = 0; i < f->n; i++) {
        size_t k = 1, n_classes = 0;
        while (k <= MOST_EACH && !count_classes(f, i, k, c)) k++;
        if (k > MOST_EACH) return false;
        for (size_t j = 0; j < f->C; j++) n_classes += f->times[i * f->C + j] > 0;
        f->n_sentences += k;
        f->n_alone += k == 1;
        f->has_several |= n_classes > 1;
    }
    return f->has_several;
}

/*
 * The plain mean's c, of as many sentences as it then turns out; else that of a factor, which more must speak for where
 * there are two classes: of two rows with one sentence each.
 */
static bool find(problem *f, double *factor)
{
    *factor = 1;
    for (size_t n = f->n + 1; n < f->n + MOST_EACH; n++)
        if (fits(f, 1 / (double)n) && f->n_sentences == n) return true;
    for (size_t i = 0; i < f->n; i++)
        for (size_t j = 0; j < f->C; j++)
            for (size_t k = 1; k <= MOST_EACH; k++)
                for (size_t has = 0; has <= (f->C == 2 ? 1 : 0); has++) {
                    const double c = f->slope[j * f->n + i] / ((double)k * (double)f->p[i * f->C + j] - (double)has);
                    if (!fits(f, c) || (f->C == 2 && f->n_alone < 2)) continue;
                    *factor = c * (double)f->n_sentences;
                    return true;
                }
    return false;
}

/* Labels of the rows' first sentences, and of the others. */
static dlg_status take(dlg_predicted_rows *out, const problem *f, double factor, dlg_error *err)
{
    out->twin_of = dlg_allocate(f->n_sentences - f->n, sizeof *out->twin_of);
    out->twin_label = dlg_allocate(f->n_sentences - f->n, sizeof *out->twin_label);
    if (!out->twin_of || !out->twin_label) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < f->n; i++) {
        bool is_first = true;
        for (size_t j = 0; j < f->C; j++)
            for (size_t k = 0; k < f->times[i * f->C + j]; k++) {
                if (is_first) {
                    out->label[i] = j;
                } else {
                    out->twin_of[out->n_twins] = i;
                    out->twin_label[out->n_twins++] = j;
                }
                is_first = false;
            }
        out->fits[i] = true;
    }
    out->is_clear = true;
    out->loss = (dlg_loss){.kind = DLG_LOSS_MEAN, .softmax = {factor, 0}};
    return DLG_OK;
}

/* Rows that are the same have shared out among them what belongs to all, as nobody knows how. */
static bool has_equal_rows(const problem *f)
{
    static const double same = 1e-6;
    for (size_t i = 0; i < f->n; i++)
        for (size_t k = 0; k < i; k++) {
            double off = 0;
            for (size_t j = 0; j < f->C; j++)
                off = fmax(off, fabs((double)f->p[i * f->C + j] - (double)f->p[k * f->C + j]));
            if (off < same) return true;
        }
    return false;
}

dlg_status dlg_twin_labels_find(dlg_predicted_rows *out, const dlg_head_gradient *m, const double *slope,
                                dlg_error *err)
{
    const dlg_value *p = m->network->loss->logits;
    problem f = {.n = out->n, .C = p->n_cols, .p = p->x, .slope = slope};
    double factor;
    if (f.n > MOST_ROWS || f.C > MOST_CLASSES || has_equal_rows(&f)) return DLG_OK;
    f.times = dlg_allocate(f.n * f.C, sizeof *f.times);
    if (!f.times) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    const dlg_status status = find(&f, &factor) ? take(out, &f, factor, err) : DLG_OK;
    dlg_free(f.times);
    return status;
}
