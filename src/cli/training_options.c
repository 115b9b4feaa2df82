#include "cli/training_options.h"

#include "cli/option.h"

/* A name that there is not is wrong usage. */
static void check(const struct argp_state *state, const dlg_training_choice *training)
{
    dlg_error err;
    if (dlg_training_check(training, &err)) argp_failure(state, DLG_EXIT_USAGE, 0, "--%s", err.message);
}

error_t dlg_training_option(int key, char *arg, const struct argp_state *state, const char *steps,
                            dlg_training_choice *training)
{
    switch (key) {
    case DLG_KEY_UPDATE: training->shared = arg; break;
    case DLG_KEY_STEPS: training->n_steps = (size_t)dlg_option_whole(state, steps, arg, 1, 1000000000); break;
    case DLG_KEY_OPTIMIZER: training->optimizer = arg; break;
    case DLG_KEY_LR: training->lr = dlg_option_real(state, "lr", arg, 1e-12, 1e6); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    check(state, training);
    return 0;
}
