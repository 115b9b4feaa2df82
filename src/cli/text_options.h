/** What dlg-text is asked to do. */
#ifndef DLG_CLI_TEXT_OPTIONS_H
#define DLG_CLI_TEXT_OPTIONS_H

#include "dlg/dlg.h"

/** Strings are borrowed from the command line. */
typedef struct {
    const char *gradient, *truth, *prior;
    dlg_model_choice model;
    bool has_preset, about_preset; /**< --preset; an option that says more about one */
    dlg_training_choice training;
    dlg_attack_choice how;
    const char *known[DLG_N_KNOWN]; /**< the truth file that each piece is read from, or NULL */
    int n_threads;
    size_t memory; /**< bytes; 0: what is free */
    size_t every;
    dlg_format color;
    bool json, quiet, inspect;
} dlg_text_options;

/** The command line's. What is wrong with it ends the program with one line and exit 64. */
dlg_text_options dlg_text_options_parse(int argc, char **argv);

#endif
