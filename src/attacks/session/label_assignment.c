#include "attacks/session/label_assignment.h"

#include "math/assign.h"

#include <string.h>

void dlg_label_assignment_carve(dlg_label_assignment *p, dlg_arena *arena)
{
    const size_t n = p->n_rows * p->n_labels;
    p->row_of = dlg_arena_carve(arena, p->n_labels, sizeof *p->row_of);
    p->proposed_row_of = dlg_arena_carve(arena, p->n_labels, sizeof *p->proposed_row_of);
    p->share = dlg_arena_carve(arena, n, sizeof *p->share);
    p->proposed_share = dlg_arena_carve(arena, n, sizeof *p->proposed_share);
    p->scratch = dlg_arena_carve(arena, dlg_assign_scratch(p->n_rows, p->n_labels), sizeof *p->scratch);
    p->index_scratch = dlg_arena_carve(arena, 3 * (p->n_rows + 1), sizeof *p->index_scratch);
}

static void fill(const dlg_label_assignment *p, const size_t *row_of, dlg_real *share)
{
    memset(share, 0, p->n_rows * p->n_labels * sizeof *share);
    for (size_t j = 0; j < p->n_labels; j++) share[row_of[j] * p->n_labels + j] = 1;
}

void dlg_label_assignment_start(dlg_label_assignment *p, bool known)
{
    for (size_t i = 0; i < p->n_rows * p->n_labels; i++) p->share[i] = 1 / (dlg_real)p->n_rows;
    p->placed = known || p->n_rows == 1;
    if (!p->placed) return;
    for (size_t j = 0; j < p->n_labels; j++) p->row_of[j] = j;
    fill(p, p->row_of, p->share);
}

static bool is_same(const dlg_label_assignment *p)
{
    for (size_t j = 0; j < p->n_labels; j++) {
        bool there = false;
        for (size_t k = 0; k < p->n_labels && !there; k++)
            there = p->row_of[k] == p->proposed_row_of[j] && p->label[k] == p->label[j];
        if (!there) return false;
    }
    return true;
}

bool dlg_label_assignment_propose(dlg_label_assignment *p, const dlg_real *derivative)
{
    dlg_assign(p->n_rows, p->n_labels, derivative, p->proposed_row_of, p->scratch, p->index_scratch);
    if (p->placed && is_same(p)) return false;
    fill(p, p->proposed_row_of, p->proposed_share);
    return true;
}

void dlg_label_assignment_propose_swap(dlg_label_assignment *p, size_t row, size_t other_row)
{
    for (size_t j = 0; j < p->n_labels; j++) {
        const size_t at = p->row_of[j];
        p->proposed_row_of[j] = at == row ? other_row : at == other_row ? row : at;
    }
    fill(p, p->proposed_row_of, p->proposed_share);
}

void dlg_label_assignment_accept(dlg_label_assignment *p)
{
    memcpy(p->row_of, p->proposed_row_of, p->n_labels * sizeof *p->row_of);
    memcpy(p->share, p->proposed_share, p->n_rows * p->n_labels * sizeof *p->share);
    p->placed = true;
}
