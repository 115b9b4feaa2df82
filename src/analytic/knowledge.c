#include "analytic/knowledge.h"

#include "analytic/infer.h"
#include "analytic/labels/infer_labels.h"
#include "analytic/tokens/span_check.h"
#include "analytic/tokens/position_check.h"
#include "analytic/tokens/reading.h"
#include "analytic/tokens/word_position_match.h"

#include <string.h>

const char *dlg_origin_name(dlg_origin origin)
{
    static const char *const names[] = {"assumed", "inferred", "metadata", "told"};
    return names[origin];
}

/* Nearly equal sentences share their rows; not so many do. */
enum { OF_FEW_ROWS = 16 };

/*
 * How many sentences a stranger's file may say there are. Each that differs from the others has rows of its own behind
 * layer 0's attention; where these are not seen, no more numbers can be told from a gradient than it has.
 */
static size_t most_sentences(const dlg_gradient *gradient, const dlg_batch_layout *layout)
{
    const size_t of_all = layout->lengths[0] * gradient->model->config.hidden_size,
                 n = dlg_model_size(gradient->model) / of_all;
    const size_t most = layout->n_rows ? layout->n_rows : n;
    return most < OF_FEW_ROWS ? OF_FEW_ROWS : most;
}

static dlg_status no_length(const dlg_gradient *gradient, dlg_error *err)
{
    return dlg_gradient_at(gradient, gradient->model->roles.positions)
               ? dlg_fail(
                     err, DLG_EFORMAT,
                     "gradient: want position rows that stand out of the noise, found none: no length can be inferred")
               : dlg_fail(err, DLG_EFORMAT,
                          "gradient: want the position embedding's, or an end of a sentence in layer 0's row space, "
                          "found neither: no length can be inferred");
}

static dlg_status no_label(const dlg_gradient *gradient, dlg_error *err)
{
    return dlg_gradient_at(gradient, gradient->model->roles.decoder.bias)
               ? dlg_fail(err, DLG_EFORMAT,
                          "gradient: want negative entries in the decoder's bias, found none: no label can be inferred")
               : dlg_fail(err, DLG_EFORMAT,
                          "gradient: want the decoder's bias, found none (frozen?): no label can be inferred");
}

static dlg_status judge_length(dlg_knowledge *k, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_defence_traces *traces;
    bool is_likely = true;
    dlg_status status = dlg_analysis_traces(&traces, analysis, err);
    if (!status && (dlg_defence_traces_any(traces) || dlg_analysis_gradient(analysis)->rounding))
        status = dlg_infer_length_is_likely(&is_likely, dlg_analysis_gradient(analysis), k->lengths[0], err);
    k->lengths_are_unsure = !is_likely || (k->n_sentences > 1 && k->sentences_from == DLG_ASSUMED);
    return status;
}

static dlg_status infer_layout(dlg_knowledge *k, dlg_analysis *analysis, dlg_error *err)
{
    dlg_batch_layout layout;
    const dlg_status status = dlg_infer_layout(&layout, analysis, k->n_sentences, err);
    if (status) return status;
    if (!layout.lengths) return no_length(dlg_analysis_gradient(analysis), err);
    if (k->sentences_from == DLG_METADATA) {
        const size_t most = most_sentences(dlg_analysis_gradient(analysis), &layout);
        if (k->n_sentences > most) {
            dlg_free(layout.lengths);
            return dlg_fail(
                err, DLG_EFORMAT,
                "metadata: batch_size: want at most the %zu sentences that the gradient has room for, found "
                "%zu",
                most, k->n_sentences);
        }
    }
    if (!k->n_sentences) k->sentences_from = layout.sentences_are_seen ? DLG_INFERRED : DLG_ASSUMED;
    k->n_sentences = layout.n_sentences;
    k->lengths = layout.lengths;
    k->lengths_from = layout.lengths_are_seen ? DLG_INFERRED : DLG_ASSUMED;
    return judge_length(k, analysis, err);
}

typedef struct {
    size_t n_tokens, longest;
    /* inner positions at which the span check sees the mask token, or the word embedding's gradient shows it */
    size_t n_masks, *masks;
    bool is_blind; /* the span check saw none */
} survey;

static dlg_status find_masks(survey *s, dlg_analysis *analysis, dlg_error *err)
{
    const uint32_t mask = dlg_analysis_special(analysis).mask;
    dlg_span_check *check = NULL;
    double *scratch = dlg_allocate(s->longest, sizeof *scratch);
    s->masks = dlg_allocate(s->longest, sizeof *s->masks);
    if (!s->masks || !scratch) {
        dlg_free(scratch);
        return dlg_fail(err, DLG_ENOMEM, "span check: no memory");
    }
    bool was_dropped = false;
    dlg_status status = dlg_analysis_dropout(&was_dropped, analysis, err);
    if (!status) status = dlg_analysis_span_check(&check, analysis, s->n_tokens, err);
    if (!status && !was_dropped) s->n_masks = dlg_span_check_positions(check, mask, s->longest, s->masks, scratch);
    s->is_blind = !s->n_masks;
    dlg_span_check_free(check);
    dlg_free(scratch);
    return status;
}

/* Where the span check is blind: the inner positions of a single sentence at which the word embedding's gradient shows
 * the mask token. */
static dlg_status read_masks(survey *s, dlg_analysis *analysis, dlg_decoder_part part, dlg_error *err)
{
    const dlg_position_check *check;
    dlg_status status = dlg_analysis_position_check(&check, analysis, s->longest, err);
    for (bool again = check != NULL; again && !status;) {
        dlg_word_position_match read;
        status = dlg_word_position_match_find(&read, dlg_analysis_gradient(analysis), check, s->longest, &part, err);
        if (status) break;
        s->n_masks = dlg_word_position_match_positions(&read, dlg_analysis_special(analysis).mask, s->masks);
        dlg_word_position_match_release(&read);
        again = s->n_masks > part.n_predicted; /* the same label more than once */
        part.n_predicted = s->n_masks;
    }
    return status;
}

/* A single sentence as the position check reads it. */
static dlg_status read_text(dlg_reading *out, const survey *s, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_token_set any = {0};
    const dlg_position_check *check;
    const dlg_status status = dlg_analysis_position_check(&check, analysis, s->longest, err);
    return status || !check ? status : dlg_reading_find(out, check, &any, dlg_analysis_special(analysis), err);
}

static dlg_status fit_labels(dlg_knowledge *k, dlg_label_fit *fit, const survey *s, dlg_analysis *analysis,
                             const dlg_label_evidence *known, dlg_error *err)
{
    return dlg_infer_labels(k->labels, fit, dlg_analysis_gradient(analysis), dlg_analysis_forward(analysis), s->longest,
                            known, dlg_analysis_special(analysis), err);
}

static dlg_status infer_masked_labels(dlg_knowledge *k, survey *s, dlg_analysis *analysis, dlg_error *err)
{
    dlg_reading reading = {0};
    dlg_label_fit fit = {0};
    size_t n_head_rows = 0;
    dlg_status status = dlg_analysis_count_head_rows(&n_head_rows, analysis, err);
    if (!status && k->n_sentences == 1) status = read_text(&reading, s, analysis, err);
    dlg_label_evidence known = {.types = k->types,
                                .most = s->n_tokens,
                                .expected = k->rows ? k->n_rows : n_head_rows,
                                .is_certain = k->rows || n_head_rows,
                                .fed = dlg_reading_is_whole(&reading) ? reading.fed : NULL};
    if (!status && s->is_blind && k->n_sentences == 1) {
        status = fit_labels(k, &fit, s, analysis, &known, err);
        const dlg_decoder_part part = {fit.n_labels, fit.n_labels, k->labels};
        if (!status && fit.n_labels) status = read_masks(s, analysis, part, err);
    }
    /* Rows of the head that are nearly the same count once, and noise hides others: there may be more, but not
     * fewer. */
    const bool more_are_read = k->n_sentences == 1 && s->n_masks > n_head_rows && (s->is_blind || !n_head_rows);
    if (!k->rows && more_are_read) known.expected = s->n_masks, known.is_certain = false;
    if (!status) status = fit_labels(k, &fit, s, analysis, &known, err);
    k->n_labels = fit.n_labels;
    k->labels_are_unsure = !dlg_label_fit_is_likely(&fit);
    if (!dlg_label_scale_is_plain(fit.scale) && fit.scale != 0) k->factor = fit.scale;
    dlg_reading_release(&reading);
    if (!status && !k->n_labels) status = no_label(dlg_analysis_gradient(analysis), err);
    return status;
}

static dlg_status infer_classes(dlg_knowledge *k, const survey *s, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    const dlg_label_restoration *restored = NULL;
    if (!dlg_gradient_at(gradient, gradient->model->roles.decoder.bias)) return no_label(gradient, err);
    const dlg_status status = k->n_sentences > 1 ? dlg_analysis_restoration(&restored, analysis, err) : DLG_OK;
    if (status) return status;
    k->n_labels = k->n_sentences;
    k->labels_are_unsure = !restored || !restored->is_only; /* of one sentence of two classes either */
    if (k->n_sentences == 1) k->labels_are_unsure = !dlg_single_class_is_clear(gradient);
    return dlg_infer_classes(k->labels, k->n_sentences, gradient, dlg_analysis_forward(analysis), restored, s->longest,
                             dlg_analysis_special(analysis), err);
}

static dlg_status infer_labels(dlg_knowledge *k, survey *s, dlg_analysis *analysis, dlg_error *err)
{
    const bool is_mlm = dlg_analysis_gradient(analysis)->model->config.task == DLG_MASKED_LM;
    k->labels = dlg_allocate(is_mlm ? s->n_tokens : k->n_sentences, sizeof *k->labels);
    if (!k->labels) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    k->labels_from = DLG_INFERRED;
    return is_mlm ? infer_masked_labels(k, s, analysis, err) : infer_classes(k, s, analysis, err);
}

/* Where the span check is blind: the inner positions of a single sentence at which the position check admits the mask
 * token, if they suffice. */
static dlg_status find_admitted_masks(survey *s, size_t n_labels, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_position_check *check;
    const dlg_status status = dlg_analysis_position_check(&check, analysis, s->longest, err);
    if (status) return status;
    s->n_masks = 0;
    for (size_t t = 1; check && t + 1 < s->longest; t++)
        if (dlg_position_check_admits(check, dlg_analysis_special(analysis).mask, t)) s->masks[s->n_masks++] = t;
    if (s->n_masks < n_labels) s->n_masks = 0;
    return DLG_OK;
}

/* Row of the batch for position t of sentence b: sentences stand one after the other. */
static dlg_status infer_rows(dlg_knowledge *k, survey *s, dlg_analysis *analysis, dlg_error *err)
{
    const size_t n_inner = s->longest > 2 ? s->longest - 2 : 0;
    k->rows = dlg_allocate(s->n_tokens, sizeof *k->rows);
    if (!k->rows) return dlg_fail(err, DLG_ENOMEM, "masked positions: no memory");
    const size_t n_seen = s->n_masks * k->n_sentences;
    k->masks_are_seen = s->n_masks > 0 && (s->is_blind ? n_seen == k->n_labels : n_seen >= k->n_labels);
    if (!k->masks_are_seen && k->n_sentences == 1) {
        const dlg_status status = find_admitted_masks(s, k->n_labels, analysis, err);
        if (status) return status;
    }
    const bool seen = k->masks_are_seen || (k->n_sentences == 1 && s->n_masks && s->n_masks < n_inner);
    /* Where labels are more than inner positions, begin and end have one too. */
    const size_t margin = s->n_tokens - 2 * k->n_sentences < k->n_labels ? 0 : 1,
                 first_inner = k->special.framing & DLG_NO_BEGIN ? 0 : margin;
    for (size_t b = 0, first = 0; b < k->n_sentences; first += k->lengths[b++])
        for (size_t t = first_inner; t < k->lengths[b] - (k->special.framing & DLG_NO_END ? 0 : margin); t++) {
            bool candidate = !seen;
            for (size_t i = 0; i < s->n_masks && !candidate; i++) candidate = s->masks[i] == t;
            if (candidate) k->rows[k->n_rows++] = first + t;
        }
    k->rows_from = seen ? DLG_INFERRED : DLG_ASSUMED;
    return DLG_OK;
}

static dlg_status first_rows(dlg_knowledge *k, dlg_error *err)
{
    k->rows = dlg_allocate(k->n_sentences, sizeof *k->rows);
    if (!k->rows) return dlg_fail(err, DLG_ENOMEM, "rows: no memory");
    for (size_t b = 0, first = 0; b < k->n_sentences; first += k->lengths[b++]) k->rows[k->n_rows++] = first;
    k->placed = k->n_sentences == 1 || k->labels_from == DLG_TOLD;
    return DLG_OK;
}

static dlg_status check(const dlg_knowledge *k, const dlg_gradient *gradient, const survey *s, dlg_error *err)
{
    const dlg_config *config = &gradient->model->config;
    const size_t n_classes = config->task == DLG_MASKED_LM ? config->vocabulary_size : config->n_labels;
    for (size_t i = 0; i < k->n_labels; i++)
        if (k->labels[i] >= n_classes)
            return dlg_fail(err, DLG_ESHAPE, "label %zu: want one below %zu", k->labels[i], n_classes);
    for (size_t i = 0; i < k->n_rows; i++)
        if (k->rows[i] >= s->n_tokens)
            return dlg_fail(err, DLG_ESHAPE, "masked position %zu: want one of the %zu tokens", k->rows[i],
                            s->n_tokens);
    const bool is_told = k->rows_from == DLG_TOLD || k->labels_from == DLG_TOLD || k->lengths_from == DLG_TOLD;
    if (k->n_rows < k->n_labels)
        return dlg_fail(err, is_told ? DLG_ESHAPE : DLG_EFORMAT,
                        "want a masked position for each of %zu labels, found %zu", k->n_labels, k->n_rows);
    return DLG_OK;
}

/* Where sentences of several begin their second part is for who finds them to say. */
static dlg_status infer_types(dlg_knowledge *k, dlg_analysis *analysis, dlg_error *err)
{
    const size_t *types, n = k->lengths[0];
    if (k->n_sentences != 1) return DLG_OK;
    const dlg_status status = dlg_analysis_types(&types, analysis, n, err);
    if (status || !types) return status;
    k->types = dlg_allocate(n, sizeof *k->types);
    if (!k->types) return dlg_fail(err, DLG_ENOMEM, "token types: no memory");
    memcpy(k->types, types, n * sizeof *types);
    return DLG_OK;
}

dlg_status dlg_knowledge_infer(dlg_knowledge *k, dlg_analysis *analysis, dlg_error *err)
{
    const dlg_gradient *gradient = dlg_analysis_gradient(analysis);
    const bool is_mlm = gradient->model->config.task == DLG_MASKED_LM;
    survey s = {0};
    k->special = dlg_analysis_special(analysis);
    dlg_status status = DLG_OK;
    if (k->lengths && !k->n_sentences) k->n_sentences = 1;
    if (!k->lengths) status = infer_layout(k, analysis, err);
    if (status) return status;
    const size_t max_positions = gradient->model->config.max_positions;
    for (size_t b = 0; b < k->n_sentences; b++) {
        if (k->lengths[b] > max_positions)
            return dlg_fail(err, DLG_ESHAPE, "length of sentence %zu: want at most %zu tokens, found %zu", b + 1,
                            max_positions, k->lengths[b]);
        s.n_tokens += k->lengths[b];
        s.longest = k->lengths[b] > s.longest ? k->lengths[b] : s.longest;
    }
    status = dlg_analysis_framing(&k->special, analysis, s.longest, err);
    if (!status) status = infer_types(k, analysis, err);
    if (!status && is_mlm && !k->rows) status = find_masks(&s, analysis, err);
    if (!status && !k->labels) status = infer_labels(k, &s, analysis, err);
    if (!status && !k->rows) status = is_mlm ? infer_rows(k, &s, analysis, err) : first_rows(k, err);
    if (!status) status = check(k, gradient, &s, err);
    dlg_free(s.masks);
    return status;
}

dlg_status dlg_knowledge_lay_out(dlg_batch *out, dlg_task task, const dlg_knowledge *k, dlg_error *err)
{
    dlg_status status = dlg_batch_create(out, task, k->n_sentences, k->lengths, err);
    if (status) return status;
    dlg_batch_set_types(out, k->types);
    status = dlg_batch_predict(out, k->n_rows, k->rows, err);
    if (status) dlg_batch_release(out);
    return status;
}

/* *out = a copy of n numbers; stays NULL where there is nothing. @return false without memory */
static bool copy_sizes(size_t **out, const size_t *from, size_t n)
{
    *out = NULL;
    if (!from) return true;
    *out = dlg_allocate(n, sizeof **out);
    if (*out) memcpy(*out, from, n * sizeof **out);
    return *out != NULL;
}

dlg_status dlg_knowledge_copy(dlg_knowledge *out, const dlg_knowledge *from, dlg_error *err)
{
    *out = *from;
    size_t n_tokens = 0;
    for (size_t b = 0; from->types && b < from->n_sentences; b++) n_tokens += from->lengths[b];
    out->lengths = out->types = out->labels = out->rows = NULL;
    if (copy_sizes(&out->lengths, from->lengths, from->n_sentences) && copy_sizes(&out->types, from->types, n_tokens) &&
        copy_sizes(&out->labels, from->labels, from->n_labels) && copy_sizes(&out->rows, from->rows, from->n_rows))
        return DLG_OK;
    dlg_knowledge_release(out);
    return dlg_fail(err, DLG_ENOMEM, "knowledge: no memory");
}

void dlg_knowledge_release(dlg_knowledge *k)
{
    dlg_free(k->lengths);
    dlg_free(k->types);
    dlg_free(k->labels);
    dlg_free(k->rows);
    *k = (dlg_knowledge){0};
}
