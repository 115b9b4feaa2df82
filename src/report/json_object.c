#include "report/json_object.h"

#include "base/json.h"
#include "base/memory.h"
#include "models/architecture.h"
#include "report/update.h"

#include <errno.h>
#include <math.h>
#include <string.h>

dlg_object dlg_object_begin(const dlg_subject *subject, const char *event)
{
    dlg_object o = {subject, cJSON_CreateObject(), false};
    o.failed = !o.root || !cJSON_AddStringToObject(o.root, "event", event);
    return o;
}

void dlg_object_add(dlg_object *o, cJSON *parent, const char *key, cJSON *item)
{
    if (o->failed || !item || !cJSON_AddItemToObject(parent, key, item)) {
        cJSON_Delete(item);
        o->failed = true;
    }
}

void dlg_object_append(dlg_object *o, cJSON *list, cJSON *item)
{
    if (o->failed || !item || !cJSON_AddItemToArray(list, item)) {
        cJSON_Delete(item);
        o->failed = true;
    }
}

cJSON *dlg_object_add_new(dlg_object *o, cJSON *parent, const char *key, cJSON *item)
{
    dlg_object_add(o, parent, key, item);
    return o->failed ? NULL : item;
}

cJSON *dlg_json_number(double value)
{
    return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
}

void dlg_object_add_number(dlg_object *o, const char *key, double value)
{
    dlg_object_add(o, o->root, key, dlg_json_number(value));
}

void dlg_object_add_string(dlg_object *o, const char *key, const char *value)
{
    dlg_object_add(o, o->root, key, value ? cJSON_CreateString(value) : cJSON_CreateNull());
}

void dlg_object_add_subject(dlg_object *o)
{
    const dlg_subject *s = o->subject;
    dlg_object_add_string(o, "version", s->version);
    dlg_object_add_string(o, "gradient", s->gradient);
    dlg_object_add_string(o, "model", s->model->name);
    if (s->is_preset) dlg_object_add_number(o, "model_seed", (double)s->model_seed);
    dlg_object_add_number(o, "n_parameters", (double)dlg_model_size(s->model));
    dlg_object_add_string(o, "model_type", dlg_architecture_of(&s->model->config)->dialect->model_type);
    dlg_object_add_string(o, "task", dlg_task_name(s->model->config.task));
    dlg_object_add_string(o, "defence", s->defence);
    dlg_object_add_number(o, "frozen", (double)s->frozen.n);
    dlg_update_add(o);
    dlg_object_add_string(o, "blas", s->blas);
    dlg_object_add_number(o, "threads", s->n_threads);
}

cJSON *dlg_object_add_sizes(dlg_object *o, cJSON *parent, const char *key, const size_t *values, size_t n)
{
    cJSON *list = dlg_object_add_new(o, parent, key, cJSON_CreateArray());
    for (size_t i = 0; i < n && !o->failed; i++) dlg_object_append(o, list, dlg_json_number((double)values[i]));
    return list;
}

dlg_status dlg_object_finish(dlg_object *o, FILE *stream, dlg_error *err)
{
    char *line = o->failed ? NULL : dlg_json_line(o->root);
    dlg_status status = line ? DLG_OK : dlg_fail(err, DLG_ENOMEM, "JSON: no memory");
    if (!status && (fprintf(stream, "%s\n", line) < 0 || fflush(stream)))
        status = dlg_fail(err, DLG_EIO, "JSON: standard output: %s", strerror(errno));
    dlg_free(line);
    cJSON_Delete(o->root);
    return status;
}
