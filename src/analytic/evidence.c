#include "analytic/evidence.h"

/* Of so few tokens that were admitted the best is taken at its word. */
enum { FEW_CHOICES = 3 };

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
    return e->n_choices == 1 || e->margin >= clear_margin;
}
