#include "analytic/inspect.h"

#include "analytic/class_grounds.h"
#include "analytic/infer.h"
#include "analytic/inspect_update.h"
#include "analytic/labels/infer_labels.h"
#include "analytic/model_match.h"
#include "analytic/tokens/reading.h"
#include "analytic/tokens/twins.h"
#include "base/memory.h"
#include "math/tolerance.h"

#include <string.h>

/* Ranks are looked for up to the first, or to what layer 0 shows, never further than to the last. */
enum { FEW_ROWS = 48, MOST_ROWS = 256 };

/* What one step finds and the next ones need. */
typedef struct {
    dlg_analysis *analysis;
    const dlg_gradient *gradient; /* the analysis' */
    dlg_special_tokens special;   /* likewise */
    /* it was read as one sentence's; there are no more tokens than one sentence has */
    bool is_mlm, is_single, is_alone;
    size_t n_head_rows, n_inputs;        /* rows through the head; distinct tokens at their positions; 0: not clear */
    const dlg_label_restoration *pooled; /* of a classifier */
    dlg_reading reading;
    const size_t *types; /* of what was read */
} survey;

/* ---- length, traces ---- */

static dlg_status find_length(dlg_inspection *out, const survey *s, dlg_error *err)
{
    const dlg_defence_traces *t;
    dlg_status status = dlg_analysis_traces(&t, s->analysis, err);
    if (!status) status = dlg_analysis_length(&out->length, s->analysis, err);
    if (status) return status;
    out->traces = *t;
    out->is_defended = dlg_defence_traces_any(t) || s->gradient->rounding;
    const bool is_frozen = !dlg_gradient_at(s->gradient, s->gradient->model->roles.positions);
    if (!out->length) {
        out->length_ground = (dlg_ground){
            DLG_UNSEEN, is_frozen ? "no gradient of the position embedding, and layer 0's row space shows no end"
                                  : "no row of the position embedding stands out"};
        return status;
    }
    bool is_likely;
    status = dlg_infer_length_is_likely(&is_likely, s->gradient, out->length, err);
    if (status) return status;
    if (is_frozen)
        out->length_ground =
            (dlg_ground){DLG_LIKELY, "the last position at which the token that ends sentences lies in layer 0's row "
                                     "space"};
    else if (!out->is_defended)
        out->length_ground = (dlg_ground){DLG_CERTAIN, "rows of the position embedding's gradient"};
    else if (is_likely)
        out->length_ground = (dlg_ground){DLG_LIKELY, "rows of the position embedding's gradient that are left, all of "
                                                      "them far larger than one that is hidden"};
    else
        out->length_ground = (dlg_ground){DLG_GUESSED, "the last row of the position embedding's gradient that stands "
                                                       "out; behind it others may be hidden"};
    return status;
}

/* ---- how many sentences, and how long ---- */

/* @param n_sentences 0: not known */
static dlg_status find_layout(dlg_inspection *out, survey *s, size_t n_sentences, dlg_error *err)
{
    dlg_batch_layout layout;
    const dlg_status status = dlg_infer_layout(&layout, s->analysis, n_sentences, err);
    if (status) return status;
    dlg_free(out->lengths);
    out->n_sentences = layout.n_sentences;
    out->lengths = layout.lengths;
    if (!n_sentences) s->n_inputs = layout.n_inputs, s->is_alone = layout.sentences_are_seen;
    /* One sentence's is the longest's; of several, more may be there, and then others fit. */
    out->lengths_ground = (dlg_ground){DLG_GUESSED, "if no more sentences; ranks, and where a sentence can end"};
    if (!layout.lengths_are_seen) out->lengths_ground.from = "others fit as well; ranks, and where a sentence can end";
    return DLG_OK;
}

/* ---- ranks ---- */

static size_t most_rank(const dlg_inspection *out, const survey *s)
{
    /* Further up, tokens of several sentences differ that were the same. */
    const size_t most = !s->n_inputs ? FEW_ROWS : s->is_single ? out->length : 3 * s->n_inputs / 2 + FEW_ROWS;
    return most < MOST_ROWS ? most : MOST_ROWS;
}

/* ---- labels, tokens and the text, which help each other ---- */

static dlg_ground ground_of_fit(const survey *s, const dlg_label_fit *fit)
{
    if (!dlg_gradient_at(s->gradient, s->gradient->model->roles.decoder.bias))
        return (dlg_ground){DLG_UNSEEN, "the file has no gradient of the decoder's bias"};
    if (!fit->n_labels) return (dlg_ground){DLG_UNSEEN, "no entry of the decoder's bias is negative enough"};
    if (s->n_head_rows && fit->unexplained < dlg_tolerance_bias(s->gradient->roundoff))
        return (dlg_ground){DLG_CERTAIN, "decoder's bias, to rounding; how many: rank of the head"};
    if (s->n_head_rows && dlg_label_fit_is_likely(fit))
        return (dlg_ground){DLG_LIKELY, "decoder's bias; how many: rank of the head"};
    if (s->n_head_rows)
        return (dlg_ground){DLG_GUESSED, "decoder's bias, not whole counts; how many: rank of the head"};
    return (dlg_ground){dlg_label_fit_is_likely(fit) ? DLG_LIKELY : DLG_GUESSED,
                        "decoder's bias, rounded to whole counts"};
}

static dlg_status find_labels(dlg_inspection *out, const survey *s, dlg_error *err)
{
    const size_t most = s->n_head_rows ? s->n_head_rows : out->length;
    const dlg_label_evidence known = {.most = most,
                                      .expected = s->n_head_rows,
                                      .is_certain = s->n_head_rows,
                                      .fed = s->is_single && dlg_reading_is_whole(&s->reading) ? s->reading.fed : NULL,
                                      .types = s->is_single ? s->types : NULL};
    dlg_label_fit fit;
    dlg_free(out->labels);
    out->labels = dlg_allocate(most, sizeof *out->labels);
    if (!out->labels) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    const dlg_status status = dlg_infer_labels(out->labels, &fit, s->gradient, dlg_analysis_forward(s->analysis),
                                               out->length, &known, s->special, err);
    out->n_labels = fit.n_labels;
    out->labels_ground = ground_of_fit(s, &fit);
    out->scale = fit.scale;
    out->scale_ground = !fit.n_labels ? (dlg_ground){DLG_UNSEEN, "no label explains the decoder's bias"}
                        : fit.unexplained < dlg_tolerance_bias(s->gradient->roundoff)
                            ? (dlg_ground){DLG_CERTAIN, "prediction and labels make the decoder's bias"}
                            : (dlg_ground){DLG_GUESSED, "decoder's bias, with the prediction for a blank text"};
    return status;
}

static dlg_status find_classes(dlg_inspection *out, const survey *s, dlg_error *err)
{
    const size_t n = s->pooled->n_sentences;
    dlg_class_grounds_find(out, s->gradient, s->pooled);
    if (!n) return DLG_OK;
    out->labels = dlg_allocate(n, sizeof *out->labels);
    if (!out->labels) return dlg_fail(err, DLG_ENOMEM, "classes: no memory");
    out->n_labels = n;
    out->scale = s->pooled->scale;
    return dlg_infer_classes(out->labels, n, s->gradient, dlg_analysis_forward(s->analysis), s->pooled, out->length,
                             s->special, err);
}

static dlg_blur blur_of(const dlg_defence_traces *t)
{
    const bool is_grid = t->is_pruned || t->rounding == DLG_ROUNDED_LEVELS;
    return t->noise > 0 ? DLG_NOISY : is_grid ? DLG_GRID : DLG_SHARP;
}

static dlg_status find_tokens(dlg_inspection *out, const survey *s, dlg_error *err)
{
    const bool is_tied = s->is_mlm && s->gradient->model->config.tied_decoder;
    const dlg_defence_traces *t = &out->traces;
    static const double of_itself[] = {
        [DLG_ROUNDED_F16] = 0x1p-11, [DLG_ROUNDED_BF16] = 0x1p-8, [DLG_ROUNDED_LEVELS] = 0};
    const dlg_token_evidence known = {.n_predicted = s->n_head_rows ? s->n_head_rows : out->n_labels,
                                      .n_labels = s->is_mlm ? out->n_labels : 0,
                                      .labels = out->labels,
                                      .rounding = of_itself[t->rounding],
                                      .blur = blur_of(t)};
    const dlg_status status = dlg_token_set_find(&out->tokens, s->gradient, &known, err);
    if (!dlg_gradient_at(s->gradient, s->gradient->model->roles.words))
        out->tokens_ground = (dlg_ground){DLG_UNSEEN, "the file has no gradient of the word embedding"};
    else if (!out->tokens.n)
        out->tokens_ground = (dlg_ground){DLG_UNSEEN, "no row of the word embedding's gradient stands out"};
    else if (!is_tied)
        out->tokens_ground = (dlg_ground){!out->is_defended      ? DLG_CERTAIN
                                          : out->tokens.is_clear ? DLG_LIKELY
                                                                 : DLG_GUESSED,
                                          "rows of the word embedding's gradient"};
    else if (known.blur)
        out->tokens_ground = (dlg_ground){out->tokens.is_clear ? DLG_LIKELY : DLG_GUESSED,
                                          "word embedding's rows, labels' apart, above the noise"};
    else
        out->tokens_ground = (dlg_ground){
            DLG_LIKELY, "word embedding's rows outside the decoder's span; labels may be missing, or too many"};
    return status;
}

/* A text that was read at every position says which tokens there are better than their rows do. */
static dlg_status take_tokens(dlg_inspection *out, dlg_error *err)
{
    out->tokens_ground = (dlg_ground){out->text_ground.sure, "the text"};
    dlg_free(out->tokens.tokens);
    return dlg_token_set_of_text(&out->tokens, out->length, out->text, err);
}

static dlg_status find_text(dlg_inspection *out, survey *s, dlg_error *err)
{
    dlg_token_set possible;
    const dlg_position_check *check;
    dlg_status status = dlg_token_set_of_text(&possible, out->tokens.n, out->tokens.tokens, err);
    /* Labels may stand elsewhere too, and next to noise their rows do not say so. */
    if (!status && out->tokens.n && s->is_mlm) status = dlg_token_set_add(&possible, out->n_labels, out->labels, err);
    if (!status) status = dlg_analysis_position_check(&check, s->analysis, out->length, err);
    if (!status) status = dlg_analysis_types(&s->types, s->analysis, out->length, err);
    if (!status && check) status = dlg_reading_find(&s->reading, check, &possible, s->special, err);
    dlg_free(possible.tokens);
    if (status) return status;
    s->is_single = out->n_sentences == 1 && !s->reading.n_none;
    out->text_ground = (dlg_ground){DLG_UNSEEN, "more than one sentence"};
    if (!s->is_single) return DLG_OK;
    if (!dlg_reading_is_whole(&s->reading)) {
        out->text_ground = (dlg_ground){DLG_UNSEEN, check ? "position embedding's rows admit several tokens at most "
                                                            "positions"
                                                          : "the file has no gradient of the position embedding"};
        return DLG_OK;
    }
    out->text = dlg_allocate(out->length, sizeof *out->text);
    if (!out->text) return dlg_fail(err, DLG_ENOMEM, "text: no memory");
    memcpy(out->text, s->reading.fed, out->length * sizeof *out->text);
    out->n_text_certain = s->reading.n_certain;
    const bool is_whole =
        s->reading.n_certain == out->length && !dlg_twins_are_hidden(s->gradient, out->length, out->text);
    if (is_whole)
        out->text_ground = (dlg_ground){out->length_ground.sure, "position embedding's rows are orthogonal to it"};
    else
        out->text_ground = (dlg_ground){
            DLG_GUESSED, "position embedding's rows are orthogonal to it, and at some positions to others as well"};
    return is_whole ? take_tokens(out, err) : DLG_OK;
}

/* ---- masked positions ---- */

static dlg_status find_masked_inputs(dlg_inspection *out, const survey *s, dlg_error *err)
{
    dlg_span_check *check = NULL;
    double *scratch = dlg_allocate(out->length, sizeof *scratch);
    dlg_status status = scratch ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "masked positions: no memory");
    if (!status) status = dlg_analysis_span_check(&check, s->analysis, s->n_inputs, err);
    if (!status) out->n_masked = dlg_span_check_positions(check, s->special.mask, out->length, out->masked, scratch);
    out->masked_ground = out->n_masked ? (dlg_ground){DLG_LIKELY, "elsewhere it lies outside of layer 0's row space"}
                                       : (dlg_ground){DLG_UNSEEN, "no gap sets the mask apart in layer 0's row space"};
    dlg_span_check_free(check);
    dlg_free(scratch);
    return status;
}

/* Where the mask token stands: in the text, or inside the row space of layer 0. */
static dlg_status find_masked(dlg_inspection *out, const survey *s, dlg_error *err)
{
    out->masked = dlg_allocate(out->length, sizeof *out->masked);
    if (!out->masked) return dlg_fail(err, DLG_ENOMEM, "masked positions: no memory");
    out->masked_ground = (dlg_ground){DLG_UNSEEN, "layer 0's query, key and value are not of low rank"};
    if (!out->text) return s->n_inputs ? find_masked_inputs(out, s, err) : DLG_OK;
    for (size_t t = 0; t < out->length; t++)
        if (out->text[t] == s->special.mask) out->masked[out->n_masked++] = t;
    out->masked_ground = (dlg_ground){out->text_ground.sure, "the text"};
    return DLG_OK;
}

/* ---- how many sentences, once more ---- */

/* So many tokens stand at one position, the gradient of the word embedding says, and no fewer sentences are there; 0:
 * it does not say. */
static dlg_status count_tokens_at_one_position(size_t *n, const dlg_inspection *out, const survey *s, dlg_error *err)
{
    const dlg_candidates *candidates;
    const dlg_status status = dlg_analysis_candidates(&candidates, s->analysis, out->length, err);
    *n = 0;
    for (size_t t = 0; !status && candidates->sees && candidates->has_tokens && t < candidates->n_positions; t++) {
        const size_t here = candidates->first[t + 1] - candidates->first[t];
        if (candidates->certain[t] && here > *n) *n = here;
    }
    return status;
}

static dlg_status settle_several(dlg_inspection *out, survey *s, dlg_error *err)
{
    size_t least = s->reading.n_none ? 2 : 1, together = 0;
    dlg_status status = out->is_defended ? DLG_OK : count_tokens_at_one_position(&together, out, s, err);
    if (together > least) least = together;
    if (!status && least > out->n_sentences) status = find_layout(out, s, least, err);
    if (status) return status;
    if (s->is_mlm && s->n_head_rows >= out->n_sentences) out->n_sentences_most = s->n_head_rows;
    out->sentences_ground = (dlg_ground){
        out->is_defended ? DLG_GUESSED : DLG_LIKELY,
        out->n_sentences_most ? "ranks and tokens; each sentence has a label, or leaves no trace" : "ranks and tokens"};
    return DLG_OK;
}

/* What was read since may ask for more than the ranks alone do. */
static dlg_status settle_sentences(dlg_inspection *out, survey *s, dlg_error *err)
{
    /* Undefended rows are one token's each also where it is not sure which. */
    const bool is_unsure = out->text && !out->is_defended && out->text_ground.sure < DLG_LIKELY;
    const dlg_confidence read = is_unsure ? DLG_LIKELY : out->text_ground.sure;
    out->n_sentences_most = out->n_sentences;
    if (s->pooled && s->pooled->n_sentences && s->pooled->n_sentences == out->n_sentences) {
        out->sentences_ground = s->pooled->is_only
                                    ? (dlg_ground){DLG_CERTAIN, "their predictions and classes, off the pooler"}
                                    : (dlg_ground){DLG_LIKELY, "rank of the pooler"};
    } else if (!s->is_single) {
        out->n_sentences_most = 0;
        return settle_several(out, s, err);
    } else if (read >= DLG_LIKELY) {
        out->sentences_ground = (dlg_ground){read, "every row of the position embedding is one token's"};
    } else {
        if (!s->is_alone) out->n_sentences_most = 0;
        out->sentences_ground = s->is_alone ? (dlg_ground){DLG_LIKELY, "no more tokens than the longest sentence has"}
                                            : (dlg_ground){DLG_GUESSED, "nothing shows more"};
    }
    if (out->n_sentences == 1)
        out->lengths_ground = (dlg_ground){
            out->sentences_ground.sure < out->length_ground.sure ? out->sentences_ground.sure : out->length_ground.sure,
            out->length_ground.from};
    return DLG_OK;
}

/* All else that is read off takes the model for the one that made the gradient: it is no surer than that. */
static void limit_sureness(dlg_inspection *out)
{
    const bool is_certain = out->fits_ground.sure == DLG_CERTAIN;
    const dlg_confidence most = !out->fits ? DLG_GUESSED : is_certain ? DLG_CERTAIN : DLG_LIKELY;
    dlg_ground *grounds[] = {&out->length_ground, &out->sentences_ground, &out->lengths_ground,
                             &out->labels_ground, &out->tokens_ground,    &out->masked_ground,
                             &out->text_ground,   &out->scale_ground,     &out->places_ground};
    for (size_t i = 0; i < sizeof grounds / sizeof *grounds; i++)
        if (grounds[i]->sure > most) grounds[i]->sure = most;
}

/* ---- tokens in their places ---- */

static dlg_status find_places(dlg_inspection *out, const survey *s, dlg_error *err)
{
    out->places_ground = (dlg_ground){DLG_UNSEEN, out->text ? "see the text" : "the gradient is not exact"};
    if (out->text || out->is_defended) return DLG_OK;
    const dlg_status status = dlg_places_find(&out->places, s->analysis, out->length, s->is_single, err);
    out->places_ground = out->places.n ? (dlg_ground){DLG_CERTAIN, "nothing else can stand there, in any sentence"}
                                       : (dlg_ground){DLG_UNSEEN, "several tokens can stand everywhere"};
    return status;
}

dlg_status dlg_inspect_facts(dlg_inspection *out, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    survey s = {.analysis = analysis,
                .gradient = gradient,
                .special = dlg_analysis_special(analysis),
                .is_mlm = gradient->model->config.task == DLG_MASKED_LM};
    const bool has_sizes = !dlg_training_hides_sizes(&gradient->training);
    const dlg_ground no_length = {DLG_UNSEEN, has_sizes ? "the length is not seen" : "AdamW left signs alone"};
    *out = (dlg_inspection){0};
    out->fits_ground = out->sentences_ground = out->lengths_ground = out->labels_ground = no_length;
    out->tokens_ground = out->masked_ground = out->text_ground = out->scale_ground = out->places_ground = no_length;
    dlg_status status = find_length(out, &s, err);
    if (!status && has_sizes) status = dlg_analysis_count_head_rows(&s.n_head_rows, analysis, err);
    if (!status && has_sizes && !s.is_mlm) status = dlg_analysis_restoration(&s.pooled, analysis, err);
    if (status || !out->length || !has_sizes) goto out;
    status = find_layout(out, &s, 0, err);
    if (status) goto out;
    /* The labels' rows are needed to tell the tokens', the tokens to read the text, and the text to count the labels
     * exactly. */
    status = s.is_mlm ? find_labels(out, &s, err) : find_classes(out, &s, err);
    if (!status) status = find_tokens(out, &s, err);
    if (!status) status = find_text(out, &s, err);
    if (!status && s.is_mlm && out->text) status = find_labels(out, &s, err);
    if (!status && s.is_mlm) status = find_masked(out, &s, err);
    if (!status) status = settle_sentences(out, &s, err);
    if (!status) status = find_places(out, &s, err);
    if (!status) status = dlg_model_match_find(out, analysis, s.n_inputs, s.reading.has_ends, err);
    if (!status && !out->causes.n) status = dlg_causes_find(&out->causes, analysis, 0, out->is_defended, err);
out:
    limit_sureness(out);
    out->most_rank = most_rank(out, &s);
    if (!status) status = dlg_inspect_update(out, analysis, err);
    dlg_reading_release(&s.reading);
    if (status) dlg_inspection_release(out);
    return status;
}

dlg_status dlg_inspect(dlg_inspection *out, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    dlg_status status = dlg_inspect_facts(out, analysis, err);
    if (!status) status = dlg_matrix_ranks_find(&out->ranks, &out->n_ranks, gradient, out->most_rank, err);
    if (status) dlg_inspection_release(out);
    return status;
}

void dlg_inspection_release(dlg_inspection *inspection)
{
    dlg_free(inspection->lengths);
    dlg_free(inspection->labels);
    dlg_free(inspection->tokens.tokens);
    dlg_free(inspection->masked);
    dlg_free(inspection->text);
    dlg_places_release(&inspection->places);
    dlg_free(inspection->ranks);
    *inspection = (dlg_inspection){0};
}
