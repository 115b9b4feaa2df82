#include "matching/explanation.h"

#include "math/blas.h"
#include "math/tolerance.h"

#include <math.h>
#include <string.h>

/* ---- the word embedding, which no objective compares ---- */

/* rows (n, H) = the gradient of rows first .. first+n-1: what was looked up there, and a tied decoder's part */
static void form_rows(const dlg_objective *objective, const uint32_t *fed, size_t first, size_t n, dlg_real *rows)
{
    const dlg_network *network = dlg_objective_network(objective);
    const dlg_model *model = dlg_objective_gradient(objective)->model;
    const dlg_roles *roles = &model->roles;
    const size_t H = network->words->n_cols;
    const uint32_t pad = dlg_model_padding(model);
    if (roles->decoder.weight == roles->words) dlg_linear_weight_gradient(network->decoder, first, n, rows);
    else memset(rows, 0, n * H * sizeof *rows);
    for (size_t i = 0; i < network->words->n_rows; i++)
        for (size_t j = 0; fed[i] != pad && fed[i] >= first && fed[i] < first + n && j < H; j++)
            rows[(fed[i] - first) * H + j] += network->words->dx[i * H + j];
}

static dlg_residual compare_words(const dlg_objective *objective, const uint32_t *fed, dlg_real *rows)
{
    const dlg_gradient *gradient = dlg_objective_gradient(objective);
    const dlg_parameter *words = gradient->model->roles.words;
    const dlg_real *t = dlg_gradient_at(gradient, words);
    const size_t V = words->n_rows, H = words->n_cols, most = DLG_EXPLANATION_ROWS;
    dlg_residual all = {0};
    const bool is_tied = gradient->model->roles.decoder.weight == words;
    if (is_tied && dlg_objective_is_of_outputs(objective)) return all; /* the decoder's part is not known */
    for (size_t first = 0; t && first < V; first += most) {
        const size_t n = V - first < most ? V - first : most;
        form_rows(objective, fed, first, n, rows);
        dlg_residual_compare(&all, n * H, rows, t + first * H);
        all.tt += dlg_dot(n * H, t + first * H, t + first * H);
    }
    return all;
}

/* ---- all of them ---- */

static bool is_named(const char *name, const dlg_parameter *p)
{
    return !strcmp(name, p->name);
}

/*
 * What depends on the text: the position embedding's gradient; where that was frozen, query, key and value of the first
 * block of which there are any.
 */
static bool is_of_text(const dlg_objective *objective, const char *name)
{
    const dlg_gradient *gradient = dlg_objective_gradient(objective);
    const dlg_roles *roles = &gradient->model->roles;
    if (dlg_gradient_at(gradient, roles->positions)) return is_named(name, roles->positions);
    const dlg_block_roles *block = roles->blocks, *last = block + gradient->model->config.n_layers - 1;
    while (block < last && !dlg_gradient_inputs(gradient, block).n_blocks) block++;
    return is_named(name, block->query.weight) || is_named(name, block->key.weight) ||
           is_named(name, block->value.weight);
}

static void take(dlg_explanation *out, double left2, double tt, double all2, const char *name)
{
    const double least = dlg_tolerance_beside(out->roundoff), part = sqrt(left2 / fmax(tt, least * least * all2));
    if (!(part <= out->worst)) out->worst = part, out->tensor = name;
}

/*
 * The parts of the head's gradient that belong to its rows, by squares, beside the whole: as much as that where they
 * have nothing to do with each other, and more where they cancel, as those of a batch with each class once do. Where
 * the head was frozen nothing is known of that.
 */
static double find_cancelled(const dlg_objective *objective)
{
    const dlg_network *network = dlg_objective_network(objective);
    const dlg_gradient *gradient = dlg_objective_gradient(objective);
    const dlg_real *whole = dlg_gradient_at(gradient, gradient->model->roles.head.weight);
    const size_t H = network->words->n_cols, *row = network->batch.predicted;
    double parts2 = 0;
    if (!whole || !network->head) return 1;
    for (size_t i = 0; i < network->head->n_rows; i++) {
        const dlg_real *delta = network->head->dx + i * H, *h = network->encoded->x + row[i] * H;
        parts2 += dlg_dot(H, delta, delta) * dlg_dot(H, h, h);
    }
    const double part = sqrt(parts2 / dlg_dot(H * H, whole, whole));
    return part > 1 ? fmin(part, dlg_tolerance_most_cancelled()) : 1;
}

dlg_explanation dlg_explanation_find(const dlg_objective *objective, const uint32_t *fed, dlg_real *rows)
{
    const dlg_gradient *gradient = dlg_objective_gradient(objective);
    const dlg_roles *roles = &gradient->model->roles;
    const dlg_config *config = &gradient->model->config;
    const dlg_residual words = compare_words(objective, fed, rows);
    const size_t n = dlg_objective_count(objective);
    const char *name;
    dlg_explanation out = {.tensor = roles->words->name,
                           .cancelled = find_cancelled(objective),
                           .roundoff = gradient->roundoff,
                           .hidden = config->hidden_size,
                           .depth = config->n_layers};
    double all2 = words.tt, left2 = words.ee, text2 = 0;
    for (size_t i = 0; i < n; i++) {
        const dlg_residual r = dlg_objective_residual(objective, i, &name);
        all2 += r.tt;
        left2 += r.ee;
        if (is_of_text(objective, name)) text2 += r.tt;
    }
    out.whole = all2 > 0 ? sqrt(left2 / all2) : 1;
    out.text = all2 > 0 ? sqrt(text2 / all2) : 0;
    take(&out, words.ee, words.tt, all2, roles->words->name);
    for (size_t i = 0; i < n; i++) {
        const dlg_residual r = dlg_objective_residual(objective, i, &name);
        take(&out, r.ee, r.tt, all2, name);
    }
    return out;
}

bool dlg_explanation_is_of_text(const dlg_explanation *e)
{
    return e->text > dlg_tolerance_beside(e->roundoff);
}

double dlg_explanation_bound(const dlg_explanation *e)
{
    return e->cancelled * dlg_tolerance_explained(e->roundoff, e->hidden, e->depth);
}

bool dlg_explanation_is_complete(const dlg_explanation *e)
{
    return e->tensor && e->whole <= dlg_explanation_bound(e) &&
           e->worst <= dlg_tolerance_explained_tensor(e->roundoff, e->hidden, e->depth) &&
           dlg_explanation_is_of_text(e);
}
