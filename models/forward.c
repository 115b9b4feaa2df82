#include "models/forward.h"

#include "base/interrupt.h"
#include "base/memory.h"

#include <string.h>

static bool has_layout(const dlg_forward *f, const dlg_forward_text *text)
{
    const dlg_batch *b = &f->batch;
    if (b->n_sentences != text->n_sentences) return false;
    for (size_t i = 0; i < b->n_sentences; i++)
        if (b->first[i + 1] - b->first[i] != text->lengths[i]) return false;
    for (size_t i = 0; i < b->n_rows; i++)
        if (b->type[i] != (text->types ? text->types[i] : 0)) return false;
    if (f->model->config.task == DLG_SEQUENCE_CLASSIFICATION) return true;
    return b->n_predicted == text->n_predicted &&
           !memcmp(b->predicted, text->predicted, b->n_predicted * sizeof *b->predicted);
}

static dlg_status lay_out(dlg_forward *f, const dlg_forward_text *text, dlg_error *err)
{
    const dlg_task task = f->model->config.task;
    dlg_forward_release(f);
    dlg_status status = dlg_batch_create(&f->batch, task, text->n_sentences, text->lengths, err);
    if (!status) dlg_batch_set_types(&f->batch, text->types);
    if (!status && task != DLG_SEQUENCE_CLASSIFICATION)
        status = dlg_batch_predict(&f->batch, text->n_predicted, text->predicted, err);
    if (!status) status = dlg_network_create(&f->network, f->model, &f->batch, DLG_FORWARD_ONLY, 0, err);
    return status;
}

dlg_status dlg_forward_run(const dlg_network **out, dlg_forward *f, const dlg_forward_text *text, dlg_error *err)
{
    const dlg_real *table = dlg_model_word_embeddings(f->model);
    const size_t H = f->model->config.hidden_size;
    dlg_status status = has_layout(f, text) ? DLG_OK : lay_out(f, text, err);
    const size_t n = f->batch.n_rows;
    *out = &f->network;
    if (!status && f->fed && !memcmp(f->fed, text->fed, n * sizeof *f->fed)) return DLG_OK;
    if (!status && !f->fed && !(f->fed = dlg_allocate(n, sizeof *f->fed)))
        status = dlg_fail(err, DLG_ENOMEM, "forward pass: no memory");
    if (!status) {
        memcpy(f->fed, text->fed, n * sizeof *f->fed);
        for (size_t i = 0; i < n; i++)
            memcpy(f->network.words->x + i * H, table + (size_t)text->fed[i] * H, H * sizeof *table);
        dlg_tape_forward(&f->network.tape);
        status = dlg_check_interrupt(err);
    }
    if (status) dlg_forward_release(f);
    return status;
}

void dlg_forward_release(dlg_forward *f)
{
    dlg_network_release(&f->network);
    dlg_batch_release(&f->batch);
    dlg_free(f->fed);
    *f = (dlg_forward){.model = f->model};
}
