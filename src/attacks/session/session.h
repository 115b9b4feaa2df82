/**
 * What all attacks share: a text being recovered for one layout of the batch (its sentences and their lengths). It
 * evaluates points and tokens, puts labels in their places, decodes, reports, and keeps the best text.
 */
#ifndef DLG_ATTACKS_SESSION_SESSION_H
#define DLG_ATTACKS_SESSION_SESSION_H

#include "base/memory.h"
#include "attacks/session/attack.h"
#include "analytic/tokens/input_space.h"
#include "attacks/session/nearest.h"
#include "matching/oracle.h"
#include "attacks/session/label_assignment.h"

/** Zero-initialise, dlg_session_begin, dlg_session_end. */
typedef struct {
    dlg_analysis *analysis;
    const dlg_gradient *gradient; /**< the analysis' */
    const dlg_attack_options *options;
    const dlg_attack_observer *observer;
    dlg_attack_result *result;
    dlg_knowledge *knowledge; /**< a copy */
    dlg_batch batch;
    dlg_oracle *oracle; /**< what answers all questions about D */
    dlg_nearest *nearest;
    dlg_position_check *check; /**< decoding chooses among the tokens it admits; NULL: among all */
    dlg_input_space *space;    /**< the embeddings stay in it; NULL: they are free */
    size_t n_rows, n_numbers;
    size_t n_unknowns;   /**< n_numbers, or the space's: what a minimiser moves, `x` below */
    size_t turn;         /**< the one sentence whose embeddings move; n_sentences: those of all */
    double scale, floor; /**< D of a zero gradient; what no text can lower it below */
    double noise;        /**< what D of the right text is about (dlg_objective_noise) */
    /** over noise a start ends with replacements (attacks/session/token_substitution.h) */
    bool replaces;
    bool is_defended;           /**< most targets are not of low rank */
    double embedding_deviation; /**< of the word embeddings' numbers */
    dlg_loss loss;              /**< that the gradient is taken for */
    const dlg_real *outputs;    /**< instead of any loss, as in dlg_soft_labels; or NULL. Borrowed */
    bool fits_factor;           /**< the loss' factor is fitted, and here what that begins with */

    /* carved from one arena */
    dlg_arena arena;
    dlg_real *point, *derivative; /**< (n_rows, H) as the objective takes them, and dD/dx */
    dlg_label_assignment placement;
    dlg_real *label_derivative; /**< (rows that may hold a label, labels) */
    dlg_evidence *evidence;     /**< (n_rows) what speaks for each fed token */
    bool *is_known;             /**< (n_rows) the row's token is known, and its embedding stays where it is */
    uint32_t *fed, *tokens, *last_tokens;
    bool *predicted, *changed;

    size_t start, iteration; /**< which, from 1: the attack's to count */
    size_t stable;           /**< decodings since the text last changed */
    double d, d_tokens;      /**< at the embeddings (the attack's to set), at the tokens */

    double factor_of_tokens;     /**< the loss', as d_tokens was found with */
    dlg_explanation explanation; /**< of the tokens, where D at them is explained_distance, and rounding */
    double explained_distance;

    dlg_attack_state best; /**< its arrays lie in `memory` */
    void *memory;
} dlg_session;

/**
 * Lay the model out for what knowledge says. Errors: DLG_ENOMEM, DLG_ESHAPE; the session must be ended all the same.
 */
DLG_MUST_USE dlg_status dlg_session_begin(dlg_session *, dlg_attack_result *, dlg_analysis *, const dlg_knowledge *,
                                          const dlg_attack_options *, const dlg_attack_observer *, dlg_error *);

/**
 * Hand the best text to the result, if it is better than the one that is there, and free the rest. Accepts a zeroed
 * one.
 */
void dlg_session_end(dlg_session *);

bool dlg_session_is_interrupted(const dlg_session *);

/** Whether so few of the options' evaluations are left that a descent must come to its text now. */
bool dlg_session_is_running_out(const dlg_session *);

/** Pass a line on to the observer. */
void dlg_session_note(const dlg_session *, const char *line);

/**
 * D at `point` with that share of the labels (placement.share, or proposed_share), without its derivative. Counts as an
 * evaluation; NaN where the options leave none.
 */
double dlg_session_distance_at_point(dlg_session *, const dlg_real *share);

/**
 * D at `point` with placement.share, its derivative left in `derivative`. NaN where the options leave no evaluation.
 */
double dlg_session_evaluate_point(dlg_session *);

/** x (n_unknowns) = what stands for the embeddings in `point`, or for the nearest ones in the space. */
void dlg_session_unknowns(dlg_session *, double *x);

/** point = the embeddings at x. */
void dlg_session_set_point(dlg_session *, const double *x);

/** dx (n_unknowns) = `derivative`, zero for what is known or not in turn. @return whether all of it is finite */
bool dlg_session_pull_back(dlg_session *, double *dx);

/** The embedding of the mask token where it stands in every predicted row, as far as is known; else NULL. */
const dlg_real *dlg_session_mask(const dlg_session *);

/**
 * In `point` the rows whose token is known, begin, end and the placed labels' mask, get its embedding, and
 * is_known.
 */
void dlg_session_hold_known_rows(dlg_session *);

/** D at x (n_unknowns), its derivative in dx, with placement.share; NaN where one of the numbers is not finite. */
double dlg_session_evaluate(dlg_session *, const double *x, double *dx);

/** label_derivative becomes dD/dY of the last dlg_session_evaluate. */
void dlg_session_find_label_derivative(dlg_session *);

/**
 * Put the labels where dD/dY of the last evaluation, at x with D = d, points; where they had places, only if that
 * lowers D.
 * @return whether that changed where they are
 */
bool dlg_session_place_labels(dlg_session *, const double *x);

/** The same where x is already in `point`. */
bool dlg_session_place_labels_at_point(dlg_session *);

/** x to fed, its tokens and the evidence for each. */
void dlg_session_decode(dlg_session *, const double *x);

/** fed to tokens: the labels that have places put back, what changed marked. */
void dlg_session_put_labels_back(dlg_session *);

/** point = the fed tokens' own embeddings. */
void dlg_session_set_tokens(dlg_session *);

/** D at the fed tokens' own embeddings, also left in d_tokens; infinity as long as no label has its place. */
double dlg_session_distance_of_tokens(dlg_session *);

/** How unlikely the gradient is of what `point` holds, with that share of the labels (dlg_oracle_misfit). */
double dlg_session_misfit(dlg_session *, const dlg_real *share);

/** Find `explanation`, where D of the fed tokens is rounding. */
void dlg_session_explain(dlg_session *);

/**
 * Whether the fed tokens explain the gradient: D is rounding, and so is what they leave of each tensor
 * (matching/explanation.h). `point` is theirs then.
 */
bool dlg_session_is_explained(dlg_session *);

/** Of the best text, if it is the fed tokens': their evidence is now this. */
void dlg_session_renew_evidence(dlg_session *);

/** Keep the tokens if they are the best so far, and tell the observer of an iteration. */
void dlg_session_report(dlg_session *);

/** Whether D of the fed tokens is the noise of a defended gradient, and no more. */
bool dlg_session_is_explained_to_noise(const dlg_session *);

/** Rows whose token has good evidence. */
size_t dlg_session_count_certain(const dlg_session *);

#endif
