/*
 * Labels from the last layer's bias. Mean cross-entropy over M rows leaves in it, for the token or class v,
 *
 *   g[v] = (1/M) sum_m p_m[v] - n_v / M,
 *
 * n_v how often v is a label. The model's own prediction q for a blank input stands for the mean of p: q[v] - g[v] = n_v / M + a small
 * error. For the right M the numbers M (q[v] - g[v]) that are not small are whole and sum to M.
 */
#include "leak/infer.h"

#include <math.h>
#include <string.h>

/* q (n): the mean prediction at the predicted rows of one sentence [CLS] [MASK] ... [MASK] [SEP] */
static dlg_status blank_prediction(const dlg_model *model, size_t length, dlg_markers markers, double *q, dlg_error *err)
{
    const dlg_real *table = dlg_model_word_embeddings(model);
    const size_t H = model->config.hidden_size;
    dlg_batch batch = {0};
    dlg_network network = {0};
    dlg_status status = dlg_batch_create(&batch, model->config.task, 1, &length, err);
    if (!status && model->config.task == DLG_MASKED_LM) {
        size_t n_inner = length > 2 ? length - 2 : length;
        n_inner = n_inner < 32 ? n_inner : 32; /* a mean of so many changes little with more */
        status = dlg_batch_predict(&batch, n_inner, batch.position + (length > 2), err);
    }
    if (!status) status = dlg_network_create(&network, model, &batch, 0, err);
    if (status) goto out;
    for (size_t i = 0; i < length; i++) {
        const uint32_t token = i == 0 ? markers.cls : i == length - 1 ? markers.sep : markers.mask;
        memcpy(network.words->x + i * H, table + (size_t)token * H, H * sizeof *table);
    }
    dlg_tape_forward(&network.tape);
    const size_t V = network.loss->logits->n_cols, n = network.loss->logits->n_rows;
    for (size_t i = 0; i < n; i++)
        for (size_t v = 0; v < V; v++) q[v] += (double)network.loss->logits->x[i * V + v] / (double)n;
out:
    dlg_network_release(&network);
    dlg_batch_release(&batch);
    return status;
}

/* Two numbers of labels whose misfits differ by less explain the bias equally well: 3 x the same label looks like 1 x that label. */
static const double as_good = 0.2;

/* How far the counts for M labels are from whole numbers that sum to M. */
static double misfit(size_t n, const double *excess, size_t M)
{
    double off = 0, sum = 0;
    for (size_t v = 0; v < n; v++) {
        const double count = (double)M * excess[v];
        if (count <= 0.5) continue;
        off += fabs(count - round(count));
        sum += round(count);
    }
    return off + fabs(sum - (double)M);
}

/* labels := every v as often as its count for M says, at most M in all. @return how many */
static size_t round_counts(size_t n, const double *excess, size_t M, size_t *labels)
{
    size_t n_labels = 0;
    for (size_t v = 0; v < n; v++)
        for (double count = round((double)M * excess[v]); count >= 1 && n_labels < M; count--) labels[n_labels++] = v;
    return n_labels;
}

static dlg_status find_excess(double **excess, const dlg_gradient *gradient, const char *bias, size_t length, dlg_markers markers, size_t *n,
                              dlg_error *err)
{
    const dlg_real *g = dlg_gradient_of(gradient, bias);
    *n = dlg_model_parameter(gradient->model, bias)->n_cols;
    *excess = dlg_allocate(*n, sizeof **excess);
    if (!*excess) return dlg_fail(err, DLG_ENOMEM, "labels: no memory");
    const dlg_status status = blank_prediction(gradient->model, length, markers, *excess, err);
    for (size_t v = 0; v < *n; v++) (*excess)[v] -= (double)g[v];
    return status;
}

dlg_status dlg_infer_labels(size_t *labels, size_t *n_labels, const dlg_gradient *gradient, size_t length, size_t max_labels,
                            size_t expected, bool is_known, dlg_markers markers, dlg_error *err)
{
    const char *bias = gradient->model->config.tied_decoder ? "cls.predictions.bias" : "cls.predictions.decoder.bias";
    double *excess = NULL;
    size_t n, best = 0;
    *n_labels = 0;
    const dlg_status status = find_excess(&excess, gradient, bias, length, markers, &n, err);
    if (status) goto out;
    double least = INFINITY;
    for (size_t M = 1; M <= max_labels; M++) {
        const double off = misfit(n, excess, M);
        if (off < least) least = off, best = M;
    }
    if (expected && expected <= max_labels && (is_known || misfit(n, excess, expected) < least + as_good)) best = expected;
    *n_labels = round_counts(n, excess, best, labels);
out:
    dlg_free(excess);
    return status;
}

dlg_status dlg_infer_classes(size_t *labels, size_t n_sentences, const dlg_gradient *gradient, size_t length, dlg_markers markers,
                             dlg_error *err)
{
    const dlg_real *g = dlg_gradient_of(gradient, "classifier.bias");
    double *excess = NULL;
    size_t n;
    const dlg_status status = find_excess(&excess, gradient, "classifier.bias", length, markers, &n, err);
    /* One sentence: p - 1 is the only negative entry, whatever p is. */
    for (size_t c = 0; !status && n_sentences == 1 && c < n; c++) excess[c] = -(double)g[c];
    for (size_t i = 0; !status && i < n_sentences; i++) {
        size_t top = 0;
        for (size_t c = 1; c < n; c++)
            if (excess[c] > excess[top]) top = c;
        excess[top] -= 1 / (double)n_sentences;
        labels[i] = top;
    }
    dlg_free(excess);
    return status;
}
