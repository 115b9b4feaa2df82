/*
 * DLG among what the gradient's first layer leaves open. Three things are known before the search:
 *
 *   1. at each position of a single sentence a token's embedding fulfils one equation
 *      (analytic/tokens/position_check.h). Without a defence that names the token; over noise it leaves some tokens in
 *      a hundred, among which the dummy embeddings are decoded. There the word embedding's gradient names most tokens
 *      (analytic/tokens/word_position_match.h), and single ones that are in doubt are tried
 *      (attacks/session/token_substitution.h)
 *   2. the embeddings lie in a space of rank + 2 dimensions (analytic/tokens/input_space.h), in which the dummy
 *      embeddings descend
 *   3. so a text can be tried before anything is optimised: with the tokens where they belong, D is a quadratic
 *      function of where the labels are, and dD/dY puts them in their places
 */
#include "attacks/classes.h"
#include "attacks/dlg.h"
#include "analytic/noise/noise_model.h"
#include "attacks/session/token_doubts.h"
#include "attacks/session/token_substitution.h"
#include "analytic/tokens/word_position_match.h"

#include <math.h>

/* That many times labels are moved where dD/dY points, which is right at once where the tokens are. */
enum { MOST_PLACEMENTS = 8 };

/* Single replacements are tried at once where no more than one token in so many is in doubt. */
enum { MOSTLY = 4 };

/* A factor that noise leaves of 1: twice as much, or half, is another. */
static const double near_one = 0.3;

/* The token of a row that is known (dlg_session_hold_known_rows). */
static uint32_t known_token(const dlg_session *r, size_t row)
{
    const dlg_special_tokens *special = &r->knowledge->special;
    return row == 0 ? special->begin : row == r->n_rows - 1 ? special->end : special->mask;
}

/*
 * Whether entries were pruned. Then D is no judge of single tokens: what is missing from the shared gradient draws it
 * to texts whose own is small there.
 */
static bool is_pruned(const dlg_session *r)
{
    const dlg_parameter *p = r->gradient->model->roles.blocks[0].query.weight;
    const dlg_real *g = dlg_gradient_at(r->gradient, p);
    if (dlg_gradient_rounding_at(r->gradient, p) > 0) return false; /* zero is what moved by less than a last place */
    return g && dlg_noise_model_of(g, p->n_rows, p->n_rows, p->n_cols).pruned > 0;
}

/*
 * What the word embedding's gradient names, or else what fulfils its equation best.
 * @param[out] n at how many rows that is to be taken at its word
 */
static dlg_status read_tokens(dlg_session *r, size_t *n, dlg_error *err)
{
    const dlg_knowledge *k = r->knowledge;
    const dlg_decoder_part part = {k->n_labels, k->n_labels, k->labels};
    dlg_word_position_match shared = {0};
    *n = 0;
    if (r->is_defended) {
        const dlg_status status = dlg_word_position_match_find(&shared, r->gradient, r->check, r->n_rows, &part, err);
        if (status) return status;
    }
    dlg_session_hold_known_rows(r);
    for (size_t i = 0; i < r->n_rows; i++) {
        const bool is_named = r->is_defended && (r->is_known[i] || shared.is_named[i]);
        r->fed[i] = r->is_defended && r->is_known[i] ? known_token(r, i)
                    : shared.sees                    ? shared.token[i]
                                                     : dlg_position_check_best(r->check, i);
        r->evidence[i] =
            (dlg_evidence){DLG_FROM_READING, is_named ? 1 : dlg_position_check_count(r->check, i), NAN, NAN, 0, NAN};
        *n += dlg_evidence_is_good(&r->evidence[i]);
        if (is_named && !r->replaces) dlg_position_check_name(r->check, i, r->fed[i]);
    }
    dlg_word_position_match_release(&shared);
    return DLG_OK;
}

/* With tokens that were read the factor shows, and where it is about 1 it is taken for that. */
static void settle_factor(dlg_session *r)
{
    if (!r->fits_factor) return;
    if (fabs(r->factor_of_tokens - 1) > near_one) {
        r->knowledge->factor = r->factor_of_tokens;
        return;
    }
    r->fits_factor = false;
    r->loss.softmax.factor = 1;
    dlg_session_distance_of_tokens(r);
}

static void try_tokens(dlg_session *r)
{
    r->start = 1;
    r->iteration = 0;
    r->fits_factor = r->options->distance == &dlg_l2;
    for (size_t i = 0; i < MOST_PLACEMENTS; i++) {
        dlg_session_set_tokens(r);
        r->d = dlg_session_evaluate_point(r);
        if (!dlg_session_place_labels_at_point(r)) break;
    }
    dlg_session_put_labels_back(r);
    dlg_session_distance_of_tokens(r);
    settle_factor(r);
    dlg_session_report(r);
    r->start = 0; /* the first descent's */
}

/*
 * Restrict a session that has begun: decoding chooses among the tokens that the position check admits (batches of one
 * sentence), and the embeddings stay in the space that layer 0's inputs leave them (undefended gradients). Where the
 * check names the tokens they are read off it and tried, which is reported as iteration 0 of the first start; what is
 * certain of them is where that start begins.
 */
static dlg_status restrict_unknowns(dlg_session *r, dlg_error *err)
{
    const dlg_spectrum *inputs;
    const dlg_position_check *check;
    dlg_status status = DLG_OK;
    if (!r->is_defended) status = dlg_analysis_inputs(&inputs, r->analysis, r->n_rows, err);
    if (!r->is_defended && !status && inputs->n)
        status = dlg_input_space_create(&r->space, r->gradient->model, inputs, &r->batch, err);
    if (!status && r->batch.n_sentences == 1) {
        status = dlg_analysis_position_check(&check, r->analysis, r->n_rows, err);
        if (!status && check)
            status = dlg_position_check_copy(&r->check, check, err); /* a session names tokens in it */
    }
    if (status) return status;
    if (r->space) r->n_unknowns = dlg_input_space_size(r->space);
    size_t n = 0;
    r->replaces = r->is_defended && r->check && !is_pruned(r);
    if (r->check) status = read_tokens(r, &n, err);
    if (!status && n && (!r->is_defended || 2 * n >= r->n_rows)) try_tokens(r);
    if (!status && r->replaces && r->placement.placed && MOSTLY * n >= (MOSTLY - 1) * r->n_rows) {
        status = dlg_token_substitution_try(r, DLG_DOUBTFUL_ROWS, err);
        dlg_session_report(r);
    }
    return status;
}

static dlg_status run(dlg_attack_result *out, dlg_analysis *analysis, const dlg_knowledge *knowledge,
                      const dlg_attack_options *options, const dlg_attack_observer *observer, dlg_error *err)
{
    dlg_session r;
    dlg_status status = dlg_session_begin(&r, out, analysis, knowledge, options, observer, err);
    if (!status) status = restrict_unknowns(&r, err);
    if (!status && dlg_session_is_explained(&r)) out->end = DLG_EXPLAINED;
    else if (!status && dlg_session_is_explained_to_noise(&r)) {
        out->end = DLG_SETTLED;
        status = dlg_token_doubts_find(&r, err);
    } else if (!status) status = dlg_descend(&r, DLG_KEEP_CERTAIN, err);
    dlg_session_end(&r);
    return status;
}

const dlg_attack_class dlg_attack_restricted = {
    "restricted", "DLG among what the first layer's gradient leaves open", &dlg_l2, &dlg_lbfgs, false, run};
