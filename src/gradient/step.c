/* The participant: one training step's gradient, for every parameter. */
#include "gradient/gradient.h"

#include "base/interrupt.h"

#include <assert.h>
#include <string.h>

/* Each label is certain of its row: Y is the identity, its rows weighed. */
static dlg_status set_labels(dlg_network *network, const dlg_step *step, dlg_real **share, dlg_error *err)
{
    const size_t n = step->batch->n_predicted;
    *share = dlg_allocate(n * n, sizeof **share);
    if (!*share) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    for (size_t i = 0; i < n; i++) (*share)[i * n + i] = step->weights ? (dlg_real)((double)n * step->weights[i]) : 1;
    network->loss->n_labels = n;
    network->loss->label = step->labels;
    network->loss->share = *share;
    network->loss->count = (double)n / (step->loss ? step->loss->factor : 1);
    network->loss->smoothing = step->loss ? step->loss->smoothing : 0;
    return DLG_OK;
}

static dlg_real *block_of(const dlg_gradient *gradient, const char *name)
{
    return gradient->owned[dlg_model_parameter(gradient->model, name) - gradient->model->parameters];
}

/* The word embedding: the rows that were looked up and, where the decoder is tied to it, the decoder's part. */
static void share_word_embedding(dlg_gradient *out, const dlg_network *network, const dlg_step *step)
{
    const size_t H = network->words->n_cols;
    const dlg_roles *roles = &out->model->roles;
    dlg_real *g = out->owned[roles->words - out->model->parameters];
    if (roles->decoder.weight == roles->words)
        dlg_linear_weight_gradient(network->decoder, 0, network->decoder->y->n_cols, g);
    const uint32_t pad = dlg_model_padding(out->model);
    for (size_t i = 0; i < step->batch->n_rows; i++)
        for (size_t j = 0; step->fed[i] != pad && j < H; j++) g[step->fed[i] * H + j] += network->words->dx[i * H + j];
}

dlg_status dlg_gradient_share(dlg_gradient *out, double *loss, const dlg_model *model, const dlg_step *step,
                              dlg_error *err)
{
    const dlg_real *table = dlg_model_word_embeddings(model);
    const size_t H = model->config.hidden_size;
    dlg_network network = {0};
    dlg_real *share = NULL;
    assert(step->batch->n_predicted > 0);
    *out = (dlg_gradient){0};
    dlg_status status = dlg_network_create(&network, model, step->batch, DLG_BOTH_WAYS, step->batch->n_predicted, err);
    if (!status) status = set_labels(&network, step, &share, err);
    if (!status) status = dlg_gradient_create(out, model, err);
    if (status) goto out;

    for (size_t i = 0; i < step->batch->n_rows; i++)
        memcpy(network.words->x + i * H, table + (size_t)step->fed[i] * H, H * sizeof *table);
    dlg_tape_forward(&network.tape);
    if (step->slopes) dlg_tape_backward_from(&network.tape, network.tape.n_ops - 1, network.loss->logits, step->slopes);
    else dlg_tape_backward(&network.tape);
    dlg_tape_gradient(&network.tape);
    status = dlg_check_interrupt(err);
    if (status) goto out;
    for (size_t i = 0; i < network.tape.n_parameters; i++) {
        const dlg_tape_parameter *p = &network.tape.parameters[i];
        dlg_real *g = block_of(out, p->name);
        if (p->linear) dlg_linear_weight_gradient(p->linear, p->offset, p->n_rows, g);
        else memcpy(g, p->small->gradient + p->offset, p->n_rows * p->n_cols * sizeof *g);
    }
    share_word_embedding(out, &network, step);
    if (loss) *loss = network.loss->loss;
out:
    if (status) dlg_gradient_release(out);
    dlg_free(share);
    dlg_network_release(&network);
    return status;
}
