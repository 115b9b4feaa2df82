/** Write, read: what was written comes back, rounded to the dtype, for random shapes, names, metadata and values. */
#include "io/safetensors.h"

#include "math/half.h"
#include "math/random.h"
#include "scratch.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/** Beyond the range of every narrower dtype. */
#ifdef DLG_DOUBLE
#define LARGEST 1e300
#else
#define LARGEST FLT_MAX
#endif

enum { N_FILES = 200, MAX_TENSORS = 12, MAX_SIZE = 9, LONGEST = 20 };

typedef struct {
    dlg_tensor_source sources[MAX_TENSORS];
    size_t n_tensors, n_metadata;
    char names[MAX_TENSORS][4 * LONGEST + 16];
    dlg_metadata metadata[2];
    char text[2][4 * LONGEST + 16];
} content;

/** Text with quotes, controls and characters of one to four bytes; `number` makes it unique. */
static void random_text(char *out, size_t number, dlg_random *random)
{
    static const char *const pieces[] = {
        "a", ".w", "\"", "\\", "\n", "\x01", "\x7f", "\xc3\xa9", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80", "/"};
    out += sprintf(out, "%zu", number);
    for (size_t n = dlg_random_below(random, LONGEST); n; n--) {
        const char *piece = pieces[dlg_random_below(random, sizeof pieces / sizeof *pieces)];
        strcpy(out, piece);
        out += strlen(piece);
    }
}

/** Numbers of all sizes, zeros of both signs among them. */
static dlg_real random_value(dlg_random *random)
{
    const double exponent = 250 * dlg_random_uniform(random) - 125,
                 value = ldexp(dlg_random_uniform(random) - 0.5, (int)exponent);
    switch (dlg_random_below(random, 16)) {
    case 0: return 0;
    case 1: return -(dlg_real)0;
    case 2: return LARGEST;
    default: return (dlg_real)value;
    }
}

static double rounded(dlg_real value, dlg_dtype dtype)
{
    const double wide = (double)value, limit = (double)FLT_MAX;
    if (dtype == DLG_F16) return (double)dlg_round_to_f16(wide);
    if (dtype == DLG_BF16) return (double)dlg_round_to_bf16(wide);
    if (dtype == DLG_F32) return (double)(float)(wide > limit ? limit : wide < -limit ? -limit : wide);
    return wide;
}

static void make(content *out, dlg_random *random)
{
    memset(out, 0, sizeof *out);
    out->n_tensors = dlg_random_below(random, MAX_TENSORS + 1);
    out->n_metadata = dlg_random_below(random, 3);
    for (size_t i = 0; i < out->n_metadata; i++) {
        random_text(out->text[i], i, random);
        out->metadata[i] = (dlg_metadata){out->text[i], out->text[i] + 1};
    }
    for (size_t i = 0; i < out->n_tensors; i++) {
        dlg_tensor_source *source = &out->sources[i];
        size_t n = 1;
        random_text(out->names[i], i, random);
        source->name = out->names[i];
        source->n_dims = dlg_random_below(random, DLG_TENSOR_MAX_DIMS + 1);
        for (size_t d = 0; d < source->n_dims; d++) n *= source->shape[d] = dlg_random_below(random, MAX_SIZE);
        dlg_real *values = malloc((n ? n : 1) * sizeof *values);
        assert_non_null(values);
        for (size_t k = 0; k < n; k++) values[k] = random_value(random);
        source->values = values;
    }
}

static void compare(const content *written, const dlg_safetensors *file, dlg_dtype dtype)
{
    assert_int_equal(dlg_safetensors_count(file), written->n_tensors);
    for (size_t i = 0; i < written->n_metadata; i++)
        assert_string_equal(dlg_safetensors_metadata(file, written->metadata[i].key), written->metadata[i].value);
    for (size_t i = 0; i + 1 < written->n_tensors; i++)
        assert_true(strcmp(dlg_safetensors_at(file, i)->name, dlg_safetensors_at(file, i + 1)->name) < 0);
    for (size_t i = 0; i < written->n_tensors; i++) {
        const dlg_tensor_source *source = &written->sources[i];
        const dlg_tensor *tensor = dlg_safetensors_find(file, source->name);
        assert_non_null(tensor);
        assert_int_equal(tensor->dtype, dtype);
        assert_int_equal(tensor->n_dims, source->n_dims);
        assert_memory_equal(tensor->shape, source->shape, sizeof tensor->shape);
        dlg_real *values = malloc((tensor->n_items ? tensor->n_items : 1) * sizeof *values);
        assert_non_null(values);
        assert_int_equal(dlg_tensor_read(values, tensor, "", NULL), DLG_OK);
        for (size_t k = 0; k < tensor->n_items; k++) {
            const double want = rounded(source->values[k], dtype);
            assert_true((double)values[k] == want && !signbit((double)values[k]) == !signbit(want));
        }
        const dlg_real *borrowed = dlg_tensor_borrow(tensor);
        if (borrowed) assert_memory_equal(borrowed, values, tensor->n_items * sizeof *values);
        free(values);
    }
}

static void what_is_written_comes_back(void **state)
{
    (void)state;
    const uint64_t seed = 1;
    print_message("seed %d\n", (int)seed);
    dlg_random random = dlg_random_at(seed, 0);
    const char *path = scratch_path("file.safetensors");
    for (int i = 0; i < N_FILES; i++) {
        static content written;
        const dlg_dtype dtype = (dlg_dtype)(i % (DLG_BF16 + 1));
        dlg_error err;
        dlg_safetensors *file = NULL;
        make(&written, &random);
        dlg_status status = dlg_safetensors_write(path, written.n_tensors, written.sources, dtype, written.n_metadata,
                                                  written.metadata, &err);
        if (!status) status = dlg_safetensors_open(&file, path, &err);
        if (status) fail_msg("file %d: %s", i, err.message);
        compare(&written, file, dtype);
        dlg_safetensors_close(file);
        for (size_t k = 0; k < written.n_tensors; k++) free((void *)(size_t)written.sources[k].values);
    }
    assert_int_equal(scratch_count(), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
