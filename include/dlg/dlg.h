/**
 * dlg-text as a library: what a shared gradient gives away of the text behind it.
 *
 * The participant (dlg/truth.h, dlg/gradient.h):        The attacker (dlg/attack.h):
 *
 *     dlg_model_open(&model, NULL, &err)                    dlg_model_open(&model, &choice, &err)
 *     dlg_texts_create(&texts, &err)                        dlg_gradient_read(&gradient, model, "bert.g", &err)
 *     dlg_texts_add(texts, "A sentence.", &err)             dlg_attack_create(&attack, gradient, NULL, &err)
 *     dlg_truth_of_texts(&step, model, texts, NULL, &err)   dlg_attack_run(attack, NULL, &err)
 *     dlg_gradient_compute(&gradient, model, step, ...)     dlg_attack_is_recovered(attack)
 *     dlg_gradient_write(gradient, "bert.g", ...)           dlg_attack_text(attack, 0)
 *
 * All types but plain records are opaque. What a function makes through an `out` is the caller's and ends with the
 * type's own _free, which accepts NULL; a pointer that is returned is borrowed from the object. Functions that can fail
 * return a dlg_status and write one line into the dlg_error they are given (dlg/status.h); indices and names of
 * constants are the caller's to get right, and asserted. Numbers are double, or as a dlg_dtype says, whatever the
 * library computes in. Functions and records stay as they are within one soname.
 *
 * Different threads may work at once, each with objects of its own, or with a model and a gradient that they share.
 */
#ifndef DLG_DLG_H
#define DLG_DLG_H

#include "dlg/attack.h"
#include "dlg/catalogue.h"
#include "dlg/gradient.h"
#include "dlg/inspect.h"
#include "dlg/machine.h"
#include "dlg/model.h"
#include "dlg/print.h"
#include "dlg/scores.h"
#include "dlg/status.h"
#include "dlg/truth.h"
#include "dlg/update.h"
#include "dlg/version.h"

#endif
