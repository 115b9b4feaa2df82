/** A line of --json as it is built: once something failed the rest does nothing, and the end tells. */
#ifndef DLG_REPORT_JSON_OBJECT_H
#define DLG_REPORT_JSON_OBJECT_H

#include "report/subject.h"

#include <cjson/cJSON.h>
#include <stdio.h>

typedef struct {
    const dlg_subject *subject; /**< what the line is about; borrowed */
    cJSON *root;
    bool failed;
} dlg_object;

/** An object with its "event". */
dlg_object dlg_object_begin(const dlg_subject *, const char *event);

/** Add a member or an entry, which may be NULL where memory ran out; it is owned by the object from then on. */
void dlg_object_add(dlg_object *, cJSON *parent, const char *key, cJSON *item);
void dlg_object_append(dlg_object *, cJSON *list, cJSON *item);

/** A member that is a list or an object, to be filled; NULL when nothing works any more. */
cJSON *dlg_object_add_new(dlg_object *, cJSON *parent, const char *key, cJSON *item);

/** null where the value is not finite. */
cJSON *dlg_json_number(double value);

/** What the line is about, so that it can be read alone: version, gradient, model, machine. */
void dlg_object_add_subject(dlg_object *);

/** Members of the object itself. A string may be NULL: null. */
void dlg_object_add_number(dlg_object *, const char *key, double value);
void dlg_object_add_string(dlg_object *, const char *key, const char *value);

/** A list of numbers. */
cJSON *dlg_object_add_sizes(dlg_object *, cJSON *parent, const char *key, const size_t *values, size_t n);

/** Print the line, flush it, and free the object. Errors: DLG_ENOMEM; DLG_EIO when the stream refuses it. */
DLG_MUST_USE dlg_status dlg_object_finish(dlg_object *, FILE *, dlg_error *);

#endif
