/** Every defence there is, one a file; defence.c lists them. */
#ifndef DLG_DEFEND_CLASSES_H
#define DLG_DEFEND_CLASSES_H

#include "defend/defence.h"

extern const dlg_defence_class dlg_defence_gaussian;
extern const dlg_defence_class dlg_defence_laplace;
extern const dlg_defence_class dlg_defence_fp16;
extern const dlg_defence_class dlg_defence_bf16;
extern const dlg_defence_class dlg_defence_int8;
extern const dlg_defence_class dlg_defence_prune;

#endif
