#include "report/inspection.h"

#include "base/memory.h"
#include "report/line.h"
#include "report/origins.h"
#include "report/update.h"

enum { COLUMNS = 80, VALUES_FROM = 21, MOST_LINES = 6 };

static dlg_line begin(const char *what, const char *sure)
{
    dlg_line r = {.used = 0};
    dlg_line_append(&r, "%-10s %-8s  ", what, sure);
    return r;
}

static void print(const dlg_screen *screen, const dlg_line *r)
{
    const dlg_layout layout = {.hang = VALUES_FROM, .max_lines = MOST_LINES};
    dlg_screen_print(screen, layout, r->text, NULL);
}

/* What a fact is read off, on a line of its own. */
static void print_ground(const dlg_screen *screen, dlg_ground ground)
{
    const dlg_layout layout = {.indent = VALUES_FROM};
    dlg_line r = {.used = 0};
    dlg_line_append(&r, "(%s)", ground.from);
    dlg_screen_print(screen, layout, r.text, NULL);
}

static dlg_line begin_fact(const char *what, dlg_ground ground)
{
    dlg_line r = begin(what, dlg_confidence_name(ground.sure));
    if (!ground.sure) dlg_line_append(&r, "-");
    return r;
}

static void end_fact(const dlg_screen *screen, const dlg_line *r, dlg_ground ground)
{
    print(screen, r);
    print_ground(screen, ground);
}

/* ---- the facts ---- */

static void append_piece(dlg_line *r, const dlg_subject *subject, size_t id)
{
    const char *piece = dlg_tokenizer_piece(subject->tokenizer, (dlg_token)id);
    dlg_line_append(r, "%s", piece ? piece : "[UNK]");
}

static void print_model(const dlg_screen *screen, const dlg_inspection *found)
{
    dlg_line r = begin_fact("model", found->fits_ground);
    if (found->fits_ground.sure && found->fits) dlg_line_append(&r, "its embeddings fit the gradient");
    else if (found->fits_ground.sure)
        dlg_line_append(&r, "another than this one made the gradient, and what follows are guesses");
    end_fact(screen, &r, found->fits_ground);
}

static void print_length(const dlg_screen *screen, const dlg_inspection *found)
{
    dlg_line r = begin_fact("length", found->length_ground);
    if (found->length_ground.sure) dlg_line_append(&r, "%zu tokens, begin and end included", found->length);
    end_fact(screen, &r, found->length_ground);
}

static void print_sentences(const dlg_screen *screen, const dlg_inspection *found)
{
    const size_t n = found->n_sentences, most = found->n_sentences_most;
    dlg_line r = begin_fact("sentences", found->sentences_ground);
    if (found->sentences_ground.sure && n == most) dlg_line_append(&r, "%zu", n);
    else if (found->sentences_ground.sure && most) dlg_line_append(&r, "at least %zu, at most %zu", n, most);
    else if (found->sentences_ground.sure) dlg_line_append(&r, "at least %zu", n);
    end_fact(screen, &r, found->sentences_ground);
}

static void print_lengths(const dlg_screen *screen, const dlg_inspection *found)
{
    dlg_line r = begin_fact("lengths", found->lengths_ground);
    for (size_t b = 0; found->lengths && found->lengths_ground.sure && b < found->n_sentences; b++)
        dlg_line_append(&r, "%s%zu", b ? ", " : "", found->lengths[b]);
    end_fact(screen, &r, found->lengths_ground);
}

static void print_labels(const dlg_screen *screen, const dlg_subject *subject, const dlg_inspection *found)
{
    const bool is_mlm = subject->model->config.task == DLG_MASKED_LM;
    dlg_line r = begin_fact(is_mlm ? "labels" : "classes", found->labels_ground);
    if (found->labels_ground.sure) dlg_line_append(&r, "%zu:", found->n_labels);
    for (size_t i = 0, n; found->labels_ground.sure && i < found->n_labels; i += n) {
        for (n = 1; i + n < found->n_labels && found->labels[i + n] == found->labels[i];) n++;
        dlg_line_append(&r, i ? ", " : " ");
        if (is_mlm) append_piece(&r, subject, found->labels[i]);
        else dlg_line_append(&r, "%zu", found->labels[i]);
        if (n > 1) dlg_line_append(&r, " (%zu)", n);
    }
    end_fact(screen, &r, found->labels_ground);
}

static void print_masked(const dlg_screen *screen, const dlg_inspection *found)
{
    dlg_line r = begin_fact("masked", found->masked_ground);
    for (size_t i = 0; i < found->n_masked && found->masked_ground.sure; i++)
        dlg_line_append(&r, "%s%zu", i ? ", " : found->text ? "at " : "only at ", found->masked[i]);
    end_fact(screen, &r, found->masked_ground);
}

static void print_tokens(const dlg_screen *screen, const dlg_subject *subject, const dlg_inspection *found)
{
    dlg_line r = begin_fact("tokens", found->tokens_ground);
    if (found->tokens_ground.sure) dlg_line_append(&r, "%zu different:", found->tokens.n);
    for (size_t i = 0; i < found->tokens.n && found->tokens_ground.sure; i++) {
        dlg_line_append(&r, " ");
        append_piece(&r, subject, found->tokens.tokens[i]);
    }
    end_fact(screen, &r, found->tokens_ground);
}

static void print_text(const dlg_screen *screen, const dlg_subject *subject, const dlg_inspection *found)
{
    dlg_line r = begin_fact("text", found->text_ground);
    if (found->text) {
        char *text = dlg_tokenizer_decode(subject->tokenizer, found->text, found->length, false);
        dlg_line_append(&r, "%s", text ? text : "(no memory to show the text)");
        dlg_free(text);
    }
    print(screen, &r);
    dlg_line ground = {.used = 0};
    dlg_line_append(&ground, "%s", found->text_ground.from);
    if (found->text)
        dlg_line_append(&ground, "; nothing else can stand at %zu of %zu", found->n_text_certain, found->length);
    print_ground(screen, (dlg_ground){found->text_ground.sure, ground.text});
}

static void print_scale(const dlg_screen *screen, const dlg_inspection *found)
{
    dlg_line r = begin_fact("scale", found->scale_ground);
    if (found->scale_ground.sure) dlg_line_append(&r, "%.4g times the gradient of the mean loss", found->scale);
    end_fact(screen, &r, found->scale_ground);
}

static void print_places(const dlg_screen *screen, const dlg_subject *subject, const dlg_inspection *found)
{
    dlg_line r = begin_fact("places", found->places_ground);
    for (size_t i = 0; i < found->places.n && found->places_ground.sure; i++) {
        const dlg_placed_token *here = &found->places.tokens[i];
        if (!i || here[-1].position != here->position) dlg_line_append(&r, "%s%zu:", i ? ", " : "", here->position);
        dlg_line_append(&r, " ");
        append_piece(&r, subject, here->token);
    }
    end_fact(screen, &r, found->places_ground);
}

static void print_causes(const dlg_screen *screen, const dlg_inspection *found)
{
    for (size_t i = 0; i < found->causes.n; i++) {
        dlg_line r = begin("perhaps", "");
        dlg_line_append(&r, "%s: %s", found->causes.list[i].name, found->causes.list[i].then);
        print(screen, &r);
        print_ground(screen, (dlg_ground){DLG_LIKELY, found->causes.list[i].seen});
    }
}

void dlg_inspection_print_facts(const dlg_screen *where, const dlg_subject *subject, const dlg_inspection *found)
{
    dlg_screen screen = *where;
    if (!screen.width) screen.width = COLUMNS;
    if (!found->causes.n && (!found->length || (found->fits_ground.sure && !found->fits))) return;
    dlg_screen_print(&screen, (dlg_layout){0}, "What the gradient shows all the same:", NULL);
    if (found->fits_ground.sure) print_model(&screen, found);
    if (found->fits_ground.sure && !found->fits) { /* guesses, all of them */
        print_causes(&screen, found);
        return;
    }
    if (found->length_ground.sure) print_length(&screen, found);
    if (found->sentences_ground.sure) print_sentences(&screen, found);
    if (found->lengths_ground.sure) print_lengths(&screen, found);
    if (found->labels_ground.sure) print_labels(&screen, subject, found);
    if (found->masked_ground.sure) print_masked(&screen, found);
    if (found->tokens_ground.sure) print_tokens(&screen, subject, found);
    if (found->places_ground.sure) print_places(&screen, subject, found);
    if (found->text_ground.sure) print_text(&screen, subject, found);
    if (found->scale_ground.sure) print_scale(&screen, found);
    print_causes(&screen, found);
}

/* ---- traces of a defence ---- */

static void print_traces(const dlg_screen *screen, const dlg_defence_traces *t)
{
    dlg_line r = begin("norm", "");
    dlg_line_append(&r, "%.6g%s", t->norm, t->is_norm_round ? ": a number somebody chose, so clipped to it" : "");
    if (t->n_at_bound)
        dlg_line_append(&r, "; in %zu of %zu matrices several entries share the largest magnitude, as clipped",
                        t->n_at_bound, t->n_matrices);
    print(screen, &r);
    r = begin("rounded", "");
    switch (t->rounding) {
    case DLG_NOT_ROUNDED: dlg_line_append(&r, "no"); break;
    case DLG_ROUNDED_F16: dlg_line_append(&r, "to fp16"); break;
    case DLG_ROUNDED_BF16: dlg_line_append(&r, "to bf16"); break;
    case DLG_ROUNDED_LEVELS:
        dlg_line_append(&r, "to integers: at most %zu magnitudes above zero in a matrix", t->n_levels);
        break;
    }
    print(screen, &r);
    r = begin("pruned", "");
    dlg_line_append(&r, "%s", t->is_pruned ? "yes" : "no");
    if (t->zeros > 0)
        dlg_line_append(&r, ": %.1f %% of a matrix's entries are zero%s", 100 * t->zeros,
                        t->is_pruned ? "" : ", as rounding leaves them");
    print(screen, &r);
    r = begin("noise", "");
    if (!t->n_behind) dlg_line_append(&r, "not seen: no row of the position embedding is known to be behind the text");
    else if (!(t->noise > 0)) dlg_line_append(&r, "no: all %zu entries behind the text are zero", t->n_behind);
    else
        dlg_line_append(&r, "yes: deviation %.3g behind the text, kurtosis %.1f (normal noise 3, Laplace 6)", t->noise,
                        t->kurtosis);
    print(screen, &r);
}

/* ---- ranks ---- */

enum { MATRICES_OF_A_LAYER = 6 };

static void print_ranks(const dlg_screen *screen, const dlg_inspection *found)
{
    const dlg_layout plain = {.indent = 0};
    dlg_screen_print(screen, plain, "", NULL);
    dlg_screen_print(screen, plain, "rank of the gradient       query     key   value  output  middle   outer", NULL);
    const size_t n_layers = found->n_ranks / MATRICES_OF_A_LAYER;
    dlg_line r = {.used = 0};
    for (size_t i = 0; i < found->n_ranks; i++) {
        const dlg_matrix_rank *m = &found->ranks[i];
        const size_t layer = i / MATRICES_OF_A_LAYER;
        if (layer == n_layers) {
            dlg_line_append(&r, "  %-28s", m->parameter->name);
        } else if (i % MATRICES_OF_A_LAYER == 0) {
            dlg_line_append(&r, "  layer %-16zu", layer);
        }
        if (m->is_frozen) dlg_line_append(&r, "  frozen");
        else if (m->rank.is_clear) dlg_line_append(&r, "%8zu", m->rank.rank);
        else dlg_line_append(&r, "       -");
        if (layer < n_layers && i % MATRICES_OF_A_LAYER != MATRICES_OF_A_LAYER - 1) continue;
        dlg_screen_print(screen, plain, r.text, NULL);
        r = (dlg_line){.used = 0};
    }
    for (size_t i = 0; i < found->n_ranks; i++)
        if (!found->ranks[i].is_frozen && !found->ranks[i].rank.is_clear) {
            dlg_line_append(&r, "- no gap between singular values: noise or rounding, or more than %zu",
                            found->ranks[i].rank.rank);
            dlg_screen_print(screen, (dlg_layout){.indent = 2}, r.text, NULL);
            break;
        }
}

void dlg_inspection_print(const dlg_screen *where, const dlg_subject *subject, const dlg_inspection *found,
                          double seconds)
{
    dlg_screen screen = *where;
    if (!screen.width) screen.width = COLUMNS;
    dlg_line r = {.used = 0};
    dlg_line_append(&r, "%s against %s: %s, read in %.2f s", subject->gradient, subject->model->name,
                    subject->model->config.task == DLG_MASKED_LM ? "masked LM" : "classifier", seconds);
    dlg_screen_print(&screen, (dlg_layout){.hang = 2}, r.text, NULL);
    r = (dlg_line){.used = 0};
    dlg_line_append(&r, "metadata: defence %s", subject->defence ? subject->defence : "not named");
    dlg_screen_print(&screen, (dlg_layout){.indent = 2, .hang = 2}, r.text, NULL);
    dlg_frozen_print(&screen, &subject->frozen);
    dlg_update_print_training(&screen, subject);
    dlg_update_print_decay(&screen, subject);
    dlg_screen_print(&screen, (dlg_layout){0}, "", NULL);
    print_model(&screen, found);
    print_length(&screen, found);
    print_sentences(&screen, found);
    print_lengths(&screen, found);
    print_labels(&screen, subject, found);
    if (subject->model->config.task == DLG_MASKED_LM) print_masked(&screen, found);
    print_tokens(&screen, subject, found);
    if (found->places_ground.sure) print_places(&screen, subject, found);
    print_text(&screen, subject, found);
    print_scale(&screen, found);
    print_causes(&screen, found);
    print_traces(&screen, &found->traces);
    print_ranks(&screen, found);
}
