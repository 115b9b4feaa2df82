#include "attacks/session/budget.h"

#include "base/clock.h"

#include <math.h>

static bool is_spent(const dlg_budget *budget)
{
    return isfinite(budget->until) && dlg_clock_now() >= budget->until;
}

static bool is_over(void *payload)
{
    const dlg_budget *budget = payload;
    return is_spent(budget) || (budget->before.asked && budget->before.asked(budget->before.payload));
}

void dlg_budget_begin(dlg_budget *budget, double seconds)
{
    *budget = (dlg_budget){seconds > 0 ? dlg_clock_now() + seconds : INFINITY, dlg_interrupter_of_thread()};
    dlg_interrupter_set((dlg_interrupter){is_over, budget});
}

void dlg_budget_shorten(dlg_budget *budget, double seconds)
{
    budget->until = fmin(budget->until, dlg_clock_now() + seconds);
}

double dlg_budget_left(const dlg_budget *budget)
{
    return isfinite(budget->until) ? fmax(0, budget->until - dlg_clock_now()) : INFINITY;
}

bool dlg_budget_end(dlg_budget *budget)
{
    const bool was_spent = is_spent(budget);
    dlg_interrupter_set(budget->before);
    return was_spent;
}
