/**
 * dlg-text as a library: what a shared gradient gives away of the text behind it.
 *
 * All types but plain records are opaque: what a function makes through an `out` is the caller's and ends with the
 * type's own _free, which accepts NULL; a pointer that is returned is borrowed from the object. Functions that can fail
 * return a dlg_status and write one line into the dlg_error they are given (dlg/status.h). Numbers are double or as a
 * dlg_dtype says, whatever the library computes in. A record is extended at its end only within one soname.
 *
 * Different threads may work at once, each with objects of its own, or with a model and a gradient that they share.
 */
#ifndef DLG_DLG_H
#define DLG_DLG_H

#include "dlg/attack.h"
#include "dlg/gradient.h"
#include "dlg/inspect.h"
#include "dlg/machine.h"
#include "dlg/model.h"
#include "dlg/print.h"
#include "dlg/scores.h"
#include "dlg/status.h"
#include "dlg/truth.h"
#include "dlg/version.h"

#endif
