/** What a tied decoder adds to the words' rows is taken out of them: what is left is an untied model's. */
#include "analytic/tokens/tied_decoder.h"

#include "analytic/tokens/candidates.h"
#include "analysed.h"
#include "base/memory.h"
#include "math/blas.h"
#include "math/svd.h"
#include "scarce.h"
#include "shared_step.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { VOCABULARY = 1200, HIDDEN = 64, POSITIONS = 32, SENTENCES = 2, N_MASKS = 4, FED_LABEL = 62, FED_TWICE = 104 };

static const size_t lengths[SENTENCES] = {11, 9}, masked[N_MASKS] = {3, 6, 13, 16};

/* One label was fed as well, and one that was is a label twice. */
static const size_t labels[N_MASKS] = {FED_TWICE, FED_LABEL, 350, FED_TWICE};

static shared_step tied, untied;

static void begin(shared_step *s, dlg_model *model)
{
    step_begin(s, model, SENTENCES, lengths);
    for (uint32_t i = 0; i < s->batch.n_rows; i++)
        if (!s->fed[i]) s->fed[i] = 20 + 21 * i;
    for (size_t i = 0; i < N_MASKS; i++) s->fed[masked[i]] = MASK;
    memcpy(s->labels, labels, sizeof labels);
}

/* The tied model's weights; its words' are the decoder's, too. */
static dlg_model *untie(const dlg_model *model, dlg_config config)
{
    config.tied_decoder = false;
    dlg_model *like = step_model(&config, 1), *out;
    const dlg_real **values = dlg_allocate(like->n_parameters, sizeof *values);
    for (size_t i = 0; i < like->n_parameters; i++) {
        const dlg_parameter *p = &like->parameters[i];
        if (p == like->roles.decoder.weight) values[i] = model->roles.words->value;
        else if (p == like->roles.decoder.bias) values[i] = model->roles.decoder.bias->value;
        else values[i] = dlg_model_parameter(model, p->name)->value;
    }
    assert_int_equal(dlg_model_with(&out, like, values, NULL), DLG_OK);
    dlg_free(values);
    dlg_model_free(like);
    return out;
}

static int share(void **state)
{
    (void)state;
    const dlg_config config = step_config(DLG_MASKED_LM, VOCABULARY, HIDDEN, POSITIONS);
    begin(&tied, step_model(&config, 1));
    begin(&untied, untie(tied.model, config));
    step_share(&tied, N_MASKS, masked);
    step_share(&untied, N_MASKS, masked);
    return 0;
}

static int release(void **state)
{
    (void)state;
    step_release(&untied);
    step_release(&tied);
    return 0;
}

static const dlg_real *rows_of(const shared_step *s)
{
    return dlg_gradient_at(&s->gradient, s->model->roles.words);
}

static double norm(size_t n, const double *x)
{
    return sqrt(dlg_dot_of_doubles(n, x, x));
}

/* looked_up: ascending. @return how many */
static size_t list_looked_up(uint32_t *looked_up)
{
    size_t n = 0;
    for (uint32_t v = 0; v < VOCABULARY; v++) {
        bool is_there = false;
        for (size_t i = 0; i < tied.batch.n_rows; i++) is_there |= tied.fed[i] == v;
        if (is_there) looked_up[n++] = v;
    }
    return n;
}

/* The span of what the decoder added, of the rows of nobody's. */
static void find_basis(double *basis, size_t n, const uint32_t *looked_up)
{
    static dlg_real rows[VOCABULARY * HIDDEN];
    double values[N_MASKS];
    size_t n_rows = 0;
    for (size_t v = 0, i = 0; v < VOCABULARY; v++) {
        if (i < n && looked_up[i] == v) i++;
        else memcpy(rows + HIDDEN * n_rows++, rows_of(&tied) + v * HIDDEN, HIDDEN * sizeof *rows);
    }
    assert_int_equal(dlg_svd_right(&(dlg_stack){1, HIDDEN, {rows}, {n_rows}}, N_MASKS, values, basis, NULL), DLG_OK);
}

typedef struct {
    uint32_t looked_up[POSITIONS];
    size_t n;
    double basis[N_MASKS * HIDDEN];
} scene;

static scene see(void)
{
    scene s;
    s.n = list_looked_up(s.looked_up);
    find_basis(s.basis, s.n, s.looked_up);
    return s;
}

static void takes_out_the_decoders_part(void **state)
{
    (void)state;
    const scene s = see();
    dlg_tied_decoder *decoder;
    size_t n_known = 0;
    assert_int_equal(dlg_tied_decoder_find(&decoder, &tied.gradient, N_MASKS, s.basis, s.n, s.looked_up, NULL), DLG_OK);
    assert_non_null(decoder);
    for (size_t i = 0; i < s.n; i++) {
        const uint32_t v = s.looked_up[i];
        double row[HIDDEN], left[HIDDEN];
        for (size_t j = 0; j < HIDDEN; j++) row[j] = (double)rows_of(&tied)[v * HIDDEN + j];
        const double size = norm(HIDDEN, row), off = dlg_tied_decoder_take_out(decoder, v, row);
        if (isinf(off)) continue;
        n_known++;
        for (size_t j = 0; j < HIDDEN; j++) left[j] = row[j] - (double)rows_of(&untied)[v * HIDDEN + j];
        assert_true(norm(HIDDEN, left) < off + 1e-6 * size);
        assert_true(off < 1e-3 * norm(HIDDEN, row));
    }
    assert_true(n_known >= s.n - 2);
    dlg_tied_decoder_free(decoder);
}

/* Nothing is seen of what is no softmax's. */
static void of_something_else_nothing(void **state)
{
    (void)state;
    const scene s = see();
    dlg_tied_decoder *decoder;
    dlg_real *bias = tied.gradient.owned[tied.model->roles.decoder.bias - tied.model->parameters];
    dlg_real kept[VOCABULARY];
    memcpy(kept, bias, sizeof kept);
    for (size_t v = 0; v < VOCABULARY; v += 2) bias[v] *= (dlg_real)1.5;
    assert_int_equal(dlg_tied_decoder_find(&decoder, &tied.gradient, N_MASKS, s.basis, s.n, s.looked_up, NULL), DLG_OK);
    assert_null(decoder);
    memcpy(bias, kept, sizeof kept);
    assert_int_equal(dlg_tied_decoder_find(&decoder, &tied.gradient, 0, s.basis, s.n, s.looked_up, NULL), DLG_OK);
    assert_null(decoder);
}

/* What stood where: none is lost, and few are there that were not. */
static void places_of_a_batch(void **state)
{
    (void)state;
    dlg_candidates c;
    size_t n_certain = 0;
    assert_int_equal(analysed_candidates(&c, &tied.gradient, lengths[0]), DLG_OK);
    assert_int_equal(dlg_candidates_from_embedding(&c, &tied.gradient, NULL), DLG_OK);
    for (size_t i = 0; i < tied.batch.n_rows; i++)
        assert_true(dlg_candidates_has(&c, tied.fed[i], tied.batch.position[i]));
    for (size_t t = 0; t < lengths[0]; t++) n_certain += c.certain[t];
    assert_int_equal(n_certain, lengths[0]);
    dlg_candidates_release(&c);
}

static dlg_status attempt(void *what, dlg_error *err)
{
    const scene *s = what;
    dlg_tied_decoder *decoder;
    const dlg_status status =
        dlg_tied_decoder_find(&decoder, &tied.gradient, N_MASKS, s->basis, s->n, s->looked_up, err);
    dlg_tied_decoder_free(decoder);
    return status;
}

static void no_memory(void **state)
{
    (void)state;
    scene s = see();
    assert_true(fail_every_allocation(attempt, &s) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_out_the_decoders_part),
        cmocka_unit_test(of_something_else_nothing),
        cmocka_unit_test(places_of_a_batch),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, share, release);
}
