/**
 * What can be read off a gradient, as a table for a person (80 columns where the screen has no width of its own) and as
 * a line of JSON.
 */
#ifndef DLG_REPORT_INSPECTION_H
#define DLG_REPORT_INSPECTION_H

#include "analytic/inspect.h"
#include "report/json_object.h"
#include "report/screen.h"
#include "report/subject.h"

/** @param subject its knowledge and options are not looked at */
void dlg_inspection_print(const dlg_screen *, const dlg_subject *, const dlg_inspection *, double seconds);

/** Of the facts alone those that are seen, under a heading; nothing where all are guesses and nothing says why. */
void dlg_inspection_print_facts(const dlg_screen *, const dlg_subject *, const dlg_inspection *);

/** All facts, as members of an object. */
void dlg_inspection_add_facts(dlg_object *, cJSON *parent, const dlg_inspection *);

/** The object of dlg/print.h. Errors: DLG_ENOMEM; DLG_EIO when the stream refuses it. */
DLG_MUST_USE dlg_status dlg_inspection_json(FILE *, const dlg_subject *, const dlg_inspection *, double seconds,
                                            dlg_error *);

#endif
