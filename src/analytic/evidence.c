#include "analytic/evidence.h"

#include <math.h>

/* Of so few tokens that were admitted the best is taken at its word. */
enum { FEW_CHOICES = 3 };

/* A chance of one in 10^13, against vocabularies of 10^5 and noise that is not quite as it seems. */
static const double clear_lead = 30;

/* From this cosine on an embedding has arrived; from this margin on no other token is near. */
static const double arrived = 0.9, clear_margin = 0.2;

const char *dlg_confidence_name(dlg_confidence sure)
{
    static const char *const names[] = {"not seen", "guess", "likely", "certain"};
    return names[sure];
}

const char *dlg_token_source_name(dlg_token_source source)
{
    static const char *const names[] = {"descent", "read", "label"};
    return names[source];
}

bool dlg_evidence_is_good(const dlg_evidence *e)
{
    if (e->source == DLG_FROM_READING) return e->n_choices && e->n_choices <= FEW_CHOICES;
    return e->cosine >= arrived;
}

bool dlg_evidence_is_clear(const dlg_evidence *e)
{
    if (!isnan(e->lead)) return e->lead >= clear_lead;
    return e->n_choices == 1 || e->margin >= clear_margin;
}
