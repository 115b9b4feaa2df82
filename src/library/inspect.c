#include "library/inspect.h"

#include "base/clock.h"
#include "base/memory.h"

const char *dlg_fact_name(dlg_fact fact)
{
    static const char *const names[] = {"model",  "length", "sentences", "lengths", "labels",
                                        "masked", "tokens", "text",      "scale"};
    return names[fact];
}

dlg_status dlg_gradient_inspect(dlg_leakage **out, const dlg_gradient *gradient, dlg_error *err)
{
    const double begun_s = dlg_clock_now();
    dlg_analysis *analysis;
    dlg_error inner = {.status = DLG_OK};
    *out = NULL;
    dlg_leakage *leakage = dlg_allocate(1, sizeof *leakage);
    if (!leakage) return dlg_fail(err, DLG_ENOMEM, "%s: no memory", dlg_gradient_name(gradient));
    leakage->gradient = gradient;
    dlg_status status =
        dlg_analysis_create(&analysis, gradient, dlg_tokenizer_special(gradient->model->tokenizer), &inner);
    if (!status) status = dlg_inspect(&leakage->found, analysis, &inner);
    dlg_analysis_free(analysis);
    if (status) {
        dlg_free(leakage);
        return dlg_fail(err, status, "%s: %s", dlg_gradient_name(gradient), inner.message);
    }
    leakage->seconds = dlg_clock_now() - begun_s;
    *out = leakage;
    return DLG_OK;
}

void dlg_leakage_free(dlg_leakage *leakage)
{
    if (leakage) dlg_inspection_release(&leakage->found);
    dlg_free(leakage);
}

dlg_confidence dlg_leakage_ground(const dlg_leakage *leakage, dlg_fact fact, const char **from)
{
    const dlg_inspection *found = &leakage->found;
    const dlg_ground grounds[DLG_N_FACTS] = {
        [DLG_FACT_MODEL] = found->fits_ground,          [DLG_FACT_LENGTH] = found->length_ground,
        [DLG_FACT_SENTENCES] = found->sentences_ground, [DLG_FACT_LENGTHS] = found->lengths_ground,
        [DLG_FACT_LABELS] = found->labels_ground,       [DLG_FACT_MASKED] = found->masked_ground,
        [DLG_FACT_TOKENS] = found->tokens_ground,       [DLG_FACT_TEXT] = found->text_ground,
        [DLG_FACT_SCALE] = found->scale_ground};
    if (from) *from = grounds[fact].from;
    return grounds[fact].sure;
}

static size_t one(double value, double *out)
{
    if (out) *out = value;
    return 1;
}

static size_t sizes(const size_t *values, size_t n, double *out)
{
    for (size_t i = 0; values && out && i < n; i++) out[i] = (double)values[i];
    return values ? n : 0;
}

static size_t tokens(const uint32_t *values, size_t n, double *out)
{
    for (size_t i = 0; values && out && i < n; i++) out[i] = (double)values[i];
    return values ? n : 0;
}

size_t dlg_leakage_values(const dlg_leakage *leakage, dlg_fact fact, double *values)
{
    const dlg_inspection *found = &leakage->found;
    if (dlg_leakage_ground(leakage, fact, NULL) == DLG_UNSEEN) return 0;
    switch (fact) {
    case DLG_FACT_MODEL: return one(found->fits, values);
    case DLG_FACT_LENGTH: return one((double)found->length, values);
    case DLG_FACT_SENTENCES: return one((double)found->n_sentences, values);
    case DLG_FACT_LENGTHS: return sizes(found->lengths, found->n_sentences, values);
    case DLG_FACT_LABELS: return sizes(found->labels, found->n_labels, values);
    case DLG_FACT_MASKED: return sizes(found->masked, found->n_masked, values);
    case DLG_FACT_TOKENS: return tokens(found->tokens.tokens, found->tokens.n, values);
    case DLG_FACT_TEXT: return tokens(found->text, found->length, values);
    case DLG_FACT_SCALE: return one(found->scale, values);
    default: return 0;
    }
}
