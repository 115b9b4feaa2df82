/** What was shared where it was no gradient, and what the rows that the training moved show. */
#ifndef DLG_REPORT_UPDATE_H
#define DLG_REPORT_UPDATE_H

#include "report/json_object.h"
#include "report/screen.h"

/** A line such as "shared: weights after 1 step of adamw, lr 5e-05"; nothing of a gradient. */
void dlg_update_print_training(const dlg_screen *, const dlg_subject *);

/** A line on the weight decay that was found in what was shared; nothing where none was. */
void dlg_update_print_decay(const dlg_screen *, const dlg_subject *);

/** What is certain whether a text was found or not: the bag of tokens, the longest sentence. Nothing of a gradient. */
void dlg_update_print_tokens(const dlg_screen *, const dlg_subject *);

/** The members "weight_decay_found", and "update": null of a gradient. */
void dlg_update_add(dlg_object *);

#endif
