#include "analytic/causes.h"

#include "math/rank.h"

#include <math.h>
#include <string.h>

/*
 * Parts (squared) of the inputs of begin and end outside of layer 0's row space, relative to those of a foreign
 * model's. Over trained and random models of 2 to 6 layers, one sentence and three: without a cause at most 1e-6; with
 * dropout 1.6e-2 or more of either; after one step of the participant's optimizer 3e-6 to 7e-3; foreign 0.8 or more.
 *
 * Of begin alone, over trained models of 128 x 2 and 256 x 4 and steps of SGD and AdamW: of another step 2e-7 or more
 * (72), of the sum of three that began at the model 1e-7 or less, mostly (89 of 100) below 1e-8.
 */
static const double dropped = 5e-3, nearly = 0.1, went_in = 1e-8;

/* Of what was dropped most went in all the same, unless it was the one number that is larger than all others: seldom of
 * both. */
static const double most_dropped = 0.5;

/* Directions that must be left for anything to lie outside. */
enum { LEAST_OUTSIDE = 8 };

static const dlg_cause
    missing = {"dropout", "begin went into layer 0 with some of its numbers missing",
               "no text has such a gradient, but what went into layer 0 is read off it all the same"},
    dropout = {"dropout", "begin and end fit the position embedding's rows, but layer 0 saw other inputs",
               "no text has such a gradient: have it computed with model.eval(). The text of one "
               "sentence is read off the rows for positions all the same"},
    weights = {"weights", "begin and end all but lie in layer 0's row space, and neither fits exactly",
               "the model is another step's, or the gradient the sum of several steps: attack one "
               "step's gradient with the weights it was computed at, saved before the optimizer's "
               "step"},
    steps = {"steps", "begin lies in layer 0's row space, and yet does not fit the position embedding's rows",
             "the gradient is the sum of several steps, the first of which was taken at this model: attack "
             "one step's, or what they made of the weights (--update)"},
    clipped = {"clipped", "the norm is a number somebody chose",
               "it is the gradient times one number: what is read off holds"};

typedef struct {
    bool are_known;
    double begin, end; /* outside */
} outsides;

static dlg_status look_in_layer_0(outsides *out, dlg_analysis *analysis, size_t length, dlg_error *err)
{
    const dlg_model *model = dlg_analysis_gradient(analysis)->model;
    const dlg_special_tokens special = dlg_analysis_special(analysis);
    const dlg_spectrum *inputs;
    dlg_span_check *check;
    *out = (outsides){.are_known = false};
    dlg_status status = dlg_analysis_inputs(&inputs, analysis, SIZE_MAX, err);
    if (status) return status;
    const size_t H = inputs->n_in, rank = dlg_rank_visible(inputs->n, inputs->values, inputs->roundoff);
    if (rank < length || rank + LEAST_OUTSIDE > H) return DLG_OK; /* one layer shows what the head looks at, no more */
    status = dlg_span_check_create(&check, model, inputs, rank, dlg_analysis_count_types(analysis), err);
    if (status) return status;
    const double foreign = (double)(H - rank) / (double)H;
    *out = (outsides){true, dlg_span_check_outside(check, special.begin, 0) / foreign,
                      dlg_span_check_outside(check, special.end, length - 1) / foreign};
    dlg_span_check_free(check);
    return DLG_OK;
}

/* Most of begin and of end went in, and some did not. */
static bool look_dropped(const outsides *of)
{
    const double least = fmin(of->begin, of->end);
    return of->are_known && least > dropped && least < most_dropped;
}

/* @param[out] of what layer 0 shows besides; not known where numbers of begin are missing there, which says it all */
static dlg_status look_for_dropout(bool *was_on, outsides *of, dlg_analysis *analysis, size_t length, dlg_error *err)
{
    const dlg_special_tokens special = dlg_analysis_special(analysis);
    const dlg_position_check *check;
    *of = (outsides){.are_known = false};
    dlg_status status = dlg_analysis_dropout(was_on, analysis, err);
    if (!status && !*was_on) status = look_in_layer_0(of, analysis, length, err);
    if (status || *was_on || !look_dropped(of)) return status;
    status = dlg_analysis_position_check(&check, analysis, length, err);
    *was_on = !status && check && dlg_position_check_admits(check, special.begin, 0) &&
              dlg_position_check_admits(check, special.end, length - 1);
    return status;
}

static dlg_status look_for_another_step(dlg_causes *out, dlg_analysis *analysis, size_t length, dlg_error *err)
{
    const dlg_special_tokens special = dlg_analysis_special(analysis);
    const dlg_position_check *check;
    outsides of;
    bool was_dropped = false;
    dlg_status status = look_for_dropout(&was_dropped, &of, analysis, length, err);
    if (was_dropped) out->list[out->n++] = of.are_known ? dropout : missing;
    if (status || was_dropped || !of.are_known) return status;
    status = dlg_analysis_position_check(&check, analysis, length, err);
    if (status || !check) return status;
    const bool is_there = dlg_position_check_admits(check, special.begin, 0) ||
                          dlg_position_check_admits(check, special.end, length - 1); /* another kind of text, perhaps */
    if (!is_there && of.begin < nearly && of.end < nearly) out->list[out->n++] = of.begin < went_in ? steps : weights;
    return DLG_OK;
}

dlg_status dlg_causes_find_dropout(bool *was_on, dlg_analysis *analysis, size_t length, dlg_error *err)
{
    outsides of;
    return look_for_dropout(was_on, &of, analysis, length, err);
}

dlg_status dlg_causes_find(dlg_causes *out, dlg_analysis *analysis, size_t length, bool is_defended, dlg_error *err)
{
    const dlg_defence_traces *traces;
    *out = (dlg_causes){0};
    dlg_status status = dlg_analysis_traces(&traces, analysis, err);
    if (!status && length && !is_defended) status = look_for_another_step(out, analysis, length, err);
    if (!status && traces->is_norm_round) out->list[out->n++] = clipped;
    return status;
}

bool dlg_causes_have(const dlg_causes *causes, const char *name)
{
    for (size_t i = 0; i < causes->n; i++)
        if (!strcmp(causes->list[i].name, name)) return true;
    return false;
}
