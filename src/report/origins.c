#include "report/origins.h"

#include "report/line.h"

enum { MOST_ENTRIES = 24 }; /* of a list; the rest is counted */

/* "3, 5 and 8" */
static void append_separator(dlg_line *l, size_t i, size_t n)
{
    if (i) dlg_line_append(l, i + 1 == n ? " and " : ", ");
}

static void append_rest(dlg_line *l, size_t n)
{
    if (n > MOST_ENTRIES) dlg_line_append(l, " and %zu more", n - MOST_ENTRIES);
}

static void append_batch(dlg_line *l, const dlg_subject *subject)
{
    const size_t n = subject->knowledge->n_sentences;
    dlg_line_append(l, "a batch of %zu sentence%s", n, n == 1 ? "" : "s");
}

/* Where the second text of each pair begins. */
static void append_pairs(dlg_line *l, const dlg_knowledge *k)
{
    size_t n = 0;
    for (size_t b = 0, first = 0; k->types && b < k->n_sentences; first += k->lengths[b++]) {
        size_t t = 1;
        while (t < k->lengths[b] && k->types[first + t] == k->types[first + t - 1]) t++;
        if (t == k->lengths[b] || n++ >= MOST_ENTRIES) continue;
        dlg_line_append(l, "%s%zu", n > 1 ? ", " : "; the second of a pair begins at ", t);
        if (k->n_sentences > 1) dlg_line_append(l, " of sentence %zu", b + 1);
    }
    append_rest(l, n);
}

static void append_lengths(dlg_line *l, const dlg_subject *subject)
{
    const dlg_knowledge *k = subject->knowledge;
    bool equal = true;
    for (size_t b = 1; b < k->n_sentences; b++) equal &= k->lengths[b] == k->lengths[0];
    if (k->lengths_are_unsure && k->lengths_from == DLG_INFERRED) dlg_line_append(l, "at least ");
    if (equal) {
        dlg_line_append(l, "%s%zu tokens%s", k->special.framing & DLG_PADDED ? "padded to " : "", k->lengths[0],
                        k->n_sentences > 1 ? " each" : "");
        append_pairs(l, k);
        return;
    }
    for (size_t b = 0; b < k->n_sentences && b < MOST_ENTRIES; b++) {
        append_separator(l, b, k->n_sentences);
        dlg_line_append(l, "%zu", k->lengths[b]);
    }
    append_rest(l, k->n_sentences);
    dlg_line_append(l, " tokens");
    append_pairs(l, k);
}

static size_t count(const dlg_knowledge *k, size_t label)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n_labels; i++) n += k->labels[i] == label;
    return n;
}

static bool is_first(const dlg_knowledge *k, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (k->labels[j] == k->labels[i]) return false;
    return true;
}

static void append_classes(dlg_line *l, const dlg_knowledge *k)
{
    dlg_line_append(l, k->n_labels == 1 ? "class " : "classes ");
    for (size_t i = 0; i < k->n_labels && i < MOST_ENTRIES; i++) {
        append_separator(l, i, k->n_labels);
        dlg_line_append(l, "%zu", k->labels[i]);
    }
    append_rest(l, k->n_labels);
}

static void append_labels(dlg_line *l, const dlg_subject *subject)
{
    const dlg_knowledge *k = subject->knowledge;
    size_t n = 0;
    if (k->labels_are_unsure && k->labels_from == DLG_INFERRED) dlg_line_append(l, "perhaps ");
    if (subject->model->config.task == DLG_SEQUENCE_CLASSIFICATION) {
        append_classes(l, k);
        return;
    }
    dlg_line_append(l, "%zu label%s: ", k->n_labels, k->n_labels == 1 ? "" : "s");
    for (size_t i = 0; i < k->n_labels; i++) {
        if (!is_first(k, i) || n++ >= MOST_ENTRIES) continue;
        const char *piece = dlg_tokenizer_piece(subject->tokenizer, (uint32_t)k->labels[i]);
        const size_t times = count(k, k->labels[i]);
        dlg_line_append(l, "%s%s", n > 1 ? ", " : "", piece ? piece : "[UNK]");
        if (times > 1) dlg_line_append(l, " (%zu times)", times);
    }
    append_rest(l, n);
}

/* Nothing shows which rows were predicted: what kept begin and end out of them, where they are there. */
static void append_any_row(dlg_line *l, const dlg_knowledge *k)
{
    size_t n_tokens = 0;
    for (size_t b = 0; b < k->n_sentences; b++) n_tokens += k->lengths[b];
    const bool first = k->rows[0] == 0, last = k->rows[k->n_rows - 1] + 1 == n_tokens;
    dlg_line_append(l, "any %sposition%s may be masked", first || last ? "" : "inner ",
                    first && last ? ""
                    : first       ? " but a sentence's last"
                    : last        ? " but a sentence's first"
                                  : "");
}

static void append_masked(dlg_line *l, const dlg_subject *subject)
{
    const dlg_knowledge *k = subject->knowledge;
    if (k->rows_from == DLG_ASSUMED) {
        append_any_row(l, k);
        return;
    }
    dlg_line_append(l, k->n_rows > k->n_labels ? "masked among " : "masked at ");
    for (size_t b = 0, first = 0; b < k->n_sentences; first += k->lengths[b++]) {
        size_t n = 0, i = 0;
        for (size_t j = 0; j < k->n_rows; j++) n += k->rows[j] >= first && k->rows[j] < first + k->lengths[b];
        if (k->n_sentences > 1) dlg_line_append(l, "%s%s", b ? ", " : "", n ? "" : "none");
        for (size_t j = 0; j < k->n_rows && i < MOST_ENTRIES; j++) {
            if (k->rows[j] < first || k->rows[j] >= first + k->lengths[b]) continue;
            append_separator(l, i++, n);
            dlg_line_append(l, "%zu", k->rows[j] - first);
        }
        append_rest(l, n);
        if (k->n_sentences > 1) dlg_line_append(l, " of sentence %zu", b + 1);
    }
}

/* One line: what comes from there, after `first`, or nothing. @param is_all take it all to come from there */
static void print_origin(const dlg_screen *screen, const dlg_subject *subject, dlg_origin origin, const char *first,
                         bool is_all)
{
    const dlg_knowledge *k = subject->knowledge;
    const struct {
        dlg_origin from;
        bool is_known;
        void (*append)(dlg_line *, const dlg_subject *);
    } pieces[] = {{k->sentences_from, !is_all && k->n_sentences, append_batch},
                  {k->lengths_from, k->lengths, append_lengths},
                  {k->labels_from, k->n_labels, append_labels},
                  {k->rows_from, k->n_rows && k->lengths, append_masked}};
    const bool is_classifier = subject->model->config.task == DLG_SEQUENCE_CLASSIFICATION;
    const size_t n_pieces = sizeof pieces / sizeof *pieces - is_classifier; /* a classifier masks nothing */
    dlg_line l = {.used = 0};
    size_t n = 0;
    dlg_line_append(&l, "%s: %s", dlg_origin_name(origin), first);
    for (size_t i = 0; i < n_pieces; i++) {
        if ((pieces[i].from != origin && !is_all) || !pieces[i].is_known) continue;
        if (n++) dlg_line_append(&l, "; ");
        pieces[i].append(&l, subject);
    }
    if (origin == DLG_METADATA && subject->defence)
        dlg_line_append(&l, "%sdefence %s", n++ ? "; " : "", subject->defence);
    if (!n && origin == DLG_TOLD) dlg_line_append(&l, "nothing"), n++;
    if (n) dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, l.text, NULL);
}

/* What was told of the batch, and what is known of the sentences that were found. */
static void print_part(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    dlg_subject whole = *subject;
    dlg_line found = {.used = 0};
    whole.knowledge = subject->told;
    print_origin(screen, &whole, DLG_TOLD, "", false);
    print_origin(screen, &whole, DLG_METADATA, "", false);
    dlg_line_append(&found, "at least %zu sentence%s in the batch, %zu found: ", result->part.n_least,
                    result->part.n_least == 1 ? "" : "s", result->n_sentences);
    print_origin(screen, subject, DLG_INFERRED, found.text, true);
}

void dlg_origins_print(const dlg_screen *screen, const dlg_subject *subject, const dlg_attack_result *result)
{
    static const dlg_origin order[] = {DLG_TOLD, DLG_METADATA, DLG_INFERRED, DLG_ASSUMED};
    if (result && result->end == DLG_PARTLY) {
        print_part(screen, subject, result);
        return;
    }
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) print_origin(screen, subject, order[i], "", false);
}

void dlg_frozen_print(const dlg_screen *screen, const dlg_frozen *frozen)
{
    dlg_line line = {.used = 0};
    if (!frozen->n) return;
    dlg_line_append(&line, "frozen: %zu of %zu parameters", frozen->n, frozen->n_parameters);
    for (size_t i = 0; i < frozen->n_lost; i++)
        dlg_line_append(&line, "%s%s (read off %s)", i ? "; " : "; not seen: ", frozen->lost[i].reading,
                        frozen->lost[i].from);
    dlg_screen_print(screen, (dlg_layout){.indent = 2, .hang = 2}, line.text, NULL);
}
