#include "leak/moves.h"

#include "math/blas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A replacement of one token; a swap of two rows, of one sentence or at one position; or of all rows up to these. */
typedef enum { REPLACE, SWAP, SWAP_HEADS } kind;

typedef struct {
    kind kind;
    size_t row, other; /* rows; other: of the swap */
    uint32_t token;    /* of the replacement */
    double gain;       /* first-order change of D: the lower the better */
} move;

typedef struct {
    dlg_recovery *r;
    const dlg_choices *choices;
    size_t n, capacity;
    move *moves;
    dlg_real *at;     /* (n_rows, H) dD/dx at the tokens */
    uint32_t *before; /* (n_rows) */
    size_t *label_row; /* (n_rows) index among the rows that may hold a label; n_rows: none */
    dlg_arena arena;
} search;

static void carve(search *s)
{
    s->moves = dlg_arena_carve(&s->arena, s->capacity, sizeof *s->moves);
    s->at = dlg_arena_carve(&s->arena, s->r->n_numbers, sizeof *s->at);
    s->before = dlg_arena_carve(&s->arena, s->r->n_rows, sizeof *s->before);
    s->label_row = dlg_arena_carve(&s->arena, s->r->n_rows, sizeof *s->label_row);
}

/* No more swaps than that: with every row of another sentence at the same position, of two kinds, and with every row of the same. */
static size_t most_swaps(const dlg_recovery *r)
{
    size_t n = 2 * r->n_rows * r->batch.n_sentences;
    for (size_t b = 0; b < r->batch.n_sentences; b++) {
        const size_t T = r->batch.first[b + 1] - r->batch.first[b];
        n += T * T / 2;
    }
    return n;
}

/* <dD/dx of the row, E[token] - E[its token]> */
static double change(const search *s, size_t row, uint32_t token)
{
    const size_t H = s->r->gradient->model->config.hidden_size;
    const dlg_real *table = dlg_model_word_embeddings(s->r->gradient->model), *at = s->at + row * H;
    return dlg_dot(H, at, table + (size_t)token * H) - dlg_dot(H, at, table + (size_t)s->r->fed[row] * H);
}

static bool may_hold(const search *s, size_t row, uint32_t token)
{
    for (size_t k = s->choices->first[row]; k < s->choices->first[row + 1]; k++)
        if (s->choices->token[k] == token) return true;
    return false;
}

static void list_swaps_within(search *s, size_t b)
{
    const dlg_recovery *r = s->r;
    for (size_t i = r->batch.first[b]; i < r->batch.first[b + 1]; i++)
        for (size_t j = i + 1; j < r->batch.first[b + 1]; j++)
            if (r->fed[i] != r->fed[j] && may_hold(s, i, r->fed[j]) && may_hold(s, j, r->fed[i]))
                s->moves[s->n++] = (move){SWAP, i, j, 0, change(s, i, r->fed[j]) + change(s, j, r->fed[i])};
}

static void list_moves(search *s)
{
    const dlg_recovery *r = s->r;
    const dlg_batch *batch = &r->batch;
    s->n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = s->choices->first[i]; k < s->choices->first[i + 1]; k++)
            if (s->choices->token[k] != r->fed[i])
                s->moves[s->n++] = (move){REPLACE, i, 0, s->choices->token[k], change(s, i, s->choices->token[k])};
    for (size_t b = 0; b < batch->n_sentences; b++) list_swaps_within(s, b);
    for (size_t b = 0; b < batch->n_sentences; b++)
        for (size_t c = b + 1; c < batch->n_sentences; c++) {
            const size_t m = batch->first[b + 1] - batch->first[b], n = batch->first[c + 1] - batch->first[c], least = m < n ? m : n;
            double heads = 0;
            size_t n_differ = 0;
            for (size_t t = 1; t + 1 < least; t++) {
                const size_t i = batch->first[b] + t, j = batch->first[c] + t;
                if (r->fed[i] == r->fed[j]) continue;
                const double gain = change(s, i, r->fed[j]) + change(s, j, r->fed[i]);
                s->moves[s->n++] = (move){SWAP, i, j, 0, gain};
                heads += gain;
                if (++n_differ > 1) s->moves[s->n++] = (move){SWAP_HEADS, i, j, 0, heads};
            }
        }
}

static int by_gain(const void *a, const void *b)
{
    const double x = ((const move *)a)->gain, y = ((const move *)b)->gain;
    return (x > y) - (x < y);
}

static void swap(uint32_t *a, uint32_t *b)
{
    const uint32_t kept = *a;
    *a = *b;
    *b = kept;
}

static void apply(search *s, const move *m)
{
    dlg_recovery *r = s->r;
    if (m->kind == REPLACE) r->fed[m->row] = m->token;
    if (m->kind == SWAP) swap(&r->fed[m->row], &r->fed[m->other]);
    for (size_t k = 0; m->kind == SWAP_HEADS && r->batch.position[m->row] > k; k++) swap(&r->fed[m->row - k], &r->fed[m->other - k]);
}

/* Labels go with their rows' tokens. @return whether some have to */
static bool move_labels(search *s, const move *m)
{
    dlg_placement *p = &s->r->placement;
    if (m->kind != SWAP) return false; /* a head's are put right by the assignment that follows */
    const size_t none = s->r->n_rows, a = s->label_row[m->row], b = s->label_row[m->other];
    if (a == none || b == none) return false;
    return dlg_placement_propose_swap(p, a, b);
}

/* Try one. @return whether it lowered D; else all is as before */
static bool try_move(search *s, const move *m)
{
    dlg_recovery *r = s->r;
    memcpy(s->before, r->fed, r->n_rows * sizeof *s->before);
    apply(s, m);
    const bool moved = move_labels(s, m);
    dlg_recovery_set_tokens(r);
    const double d = dlg_recovery_distance_at_point(r, moved ? r->placement.proposed_share : r->placement.share);
    if (d < r->d_tokens) {
        if (moved) dlg_placement_accept(&r->placement);
        r->d_tokens = d;
        return true;
    }
    memcpy(r->fed, s->before, r->n_rows * sizeof *s->before);
    return false;
}

/* The labels where dD/dY points, as long as that is lower; D and its derivative at the tokens are left behind. */
static void place_labels(search *s)
{
    dlg_recovery *r = s->r;
    dlg_recovery_set_tokens(r);
    do r->d = dlg_recovery_evaluate_point(r);
    while (dlg_recovery_place_labels_at_point(r));
    r->d_tokens = isfinite(r->d) ? r->d : INFINITY;
    memcpy(s->at, r->derivative, r->n_numbers * sizeof *s->at);
}

/* Swap the labels of two rows, where that is lower: the derivative at one placement does not see all. @return whether any was */
static bool swap_labels(search *s)
{
    dlg_recovery *r = s->r;
    dlg_placement *p = &r->placement;
    bool any = false;
    dlg_recovery_set_tokens(r);
    for (size_t a = 0; !r->knowledge->placed && a < p->n_labels; a++)
        for (size_t b = a + 1; b < p->n_labels && !dlg_recovery_is_interrupted(r); b++) {
            if (p->label[a] == p->label[b]) continue;
            dlg_placement_propose_swap(p, p->row_of[a], p->row_of[b]);
            const double d = dlg_recovery_distance_at_point(r, p->proposed_share);
            if (!(d < r->d_tokens)) continue;
            dlg_placement_accept(p);
            r->d_tokens = d;
            any = true;
        }
    return any;
}

dlg_status dlg_moves_improve(dlg_recovery *r, const dlg_choices *choices, size_t n_tried, dlg_error *err)
{
    search s = {.r = r, .choices = choices};
    s.capacity = choices->first[choices->n_rows] + most_swaps(r);
    carve(&s);
    const dlg_status status = dlg_arena_reserve(&s.arena, "moves", err);
    if (status) return status;
    carve(&s);
    for (size_t i = 0; i < r->n_rows; i++) s.label_row[i] = r->n_rows;
    const bool is_mlm = r->gradient->model->config.task == DLG_MASKED_LM;
    for (size_t j = 0; is_mlm && j < r->knowledge->n_rows; j++) s.label_row[r->knowledge->rows[j]] = j;
    for (bool improved = true; improved && !dlg_recovery_is_interrupted(r);) {
        improved = false;
        place_labels(&s);
        if (dlg_recovery_is_explained(r)) break;
        list_moves(&s);
        qsort(s.moves, s.n, sizeof *s.moves, by_gain);
        for (size_t k = 0; k < s.n && k < n_tried && !improved; k++) improved = try_move(&s, &s.moves[k]);
        if (!improved) improved = swap_labels(&s);
    }
    dlg_arena_release(&s.arena);
    return DLG_OK;
}
