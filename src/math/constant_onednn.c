/*
 * Products with a constant matrix on oneDNN (C API of version 2), in float. OpenBLAS packs W anew for each product, which at few rows costs
 * as much as multiplying; here W is packed once for x W^T and once for dy W, in the layout oneDNN asks for.
 *
 * oneDNN compiles a primitive for each number of rows, but on the processors that have a packed layout it is the same for any number, so
 * there are two copies of W, not two for each n. Every primitive adds to what is there (post-op "sum", which costs nothing
 * measurable), so that beta 0 is clearing first.
 */
#include "math/constant.h"

#include "base/memory.h"
#include "math/constant_rows.h"

#include <assert.h>
#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* oneDNN's threads are those of whatever OpenMP it was linked to, which need not be the compiler's. The number is a thread's own. */
extern void omp_set_num_threads(int) __attribute__((weak));
static int threads;

static void use_threads(void)
{
    if (threads && omp_set_num_threads) omp_set_num_threads(threads);
}

/* y (n,m) += x (n,k) B: what is prepared for one n */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t x, y, scratchpad;
    size_t scratchpad_bytes;
} product;

/* B (k,m), which is W^T or W. */
typedef struct {
    size_t k, m;
    dnnl_memory_desc_t layout;
    dnnl_memory_t memory;
    dlg_real *packed; /* NULL where oneDNN has no layout of its own and reads W as it is */
} factor;

enum { TIMES_TRANSPOSE, TIMES, N_FACTORS };

typedef struct {
    size_t n;
    product of[N_FACTORS];
} reserved;

struct dlg_constant {
    dlg_stacked rows;
    factor factors[N_FACTORS];
    size_t n_reserved;
    reserved *reserved;
    unsigned char *scratchpad; /* enough for every product */
    size_t scratchpad_bytes;
};

/* ---- the library ---- */

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_status_t engine_status;

static void start_engine(void)
{
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (!engine_status) engine_status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}

static dlg_status fail(const factor *f, dnnl_status_t found, dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "products with %zu x %zu weights: oneDNN says %d", f->k, f->m, (int)found);
}

const char *dlg_constant_start(int n_threads)
{
    static char line[64];
    const dnnl_version_t *version = dnnl_version();
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), avx2 = dnnl_cpu_isa_avx2, avx512 = dnnl_cpu_isa_avx512_core;
    const char *name = (isa & avx512) == avx512 ? "AVX-512" : (isa & avx2) == avx2 ? "AVX2" : "below AVX2";
    threads = n_threads;
    snprintf(line, sizeof line, "oneDNN %d.%d.%d (%s)", version->major, version->minor, version->patch, name);
    return line;
}

/* ---- packing ---- */

/* A matmul of n rows with B laid out as `layout` says; the caller destroys it. */
static dnnl_status_t describe(dnnl_primitive_desc_t *out, const factor *f, size_t n, const dnnl_memory_desc_t *layout)
{
    const dnnl_dims_t of_x = {(dnnl_dim_t)n, (dnnl_dim_t)f->k}, of_y = {(dnnl_dim_t)n, (dnnl_dim_t)f->m};
    dnnl_memory_desc_t x, y;
    dnnl_matmul_desc_t matmul;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_post_ops_t sum = NULL;
    *out = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&x, 2, of_x, dnnl_f32, dnnl_ab);
    if (!s) s = dnnl_memory_desc_init_by_tag(&y, 2, of_y, dnnl_f32, dnnl_ab);
    if (!s) s = dnnl_matmul_desc_init(&matmul, &x, layout, NULL, &y);
    if (!s) s = dnnl_primitive_attr_create(&attributes);
    if (!s) s = dnnl_post_ops_create(&sum);
    if (!s) s = dnnl_post_ops_append_sum(sum, 1);
    if (!s) s = dnnl_primitive_attr_set_post_ops(attributes, sum);
    if (!s) s = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
    if (!s) s = dnnl_primitive_desc_create(out, &matmul, attributes, engine, NULL);
    if (sum) dnnl_post_ops_destroy(sum);
    if (attributes) dnnl_primitive_attr_destroy(attributes);
    return s;
}

/* The layout that products of a usual number of rows ask for. */
static dnnl_status_t ask_layout(factor *f)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)f->k, (dnnl_dim_t)f->m};
    const size_t usual = 32;
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&any, 2, dims, dnnl_f32, dnnl_format_tag_any);
    if (!s) s = describe(&description, f, usual, &any);
    if (!s) f->layout = *dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0);
    if (description) dnnl_primitive_desc_destroy(description);
    return s;
}

static dnnl_status_t reorder(const factor *f, const dnnl_memory_desc_t *plain, const dlg_real *w)
{
    dnnl_memory_t from = NULL;
    dnnl_primitive_desc_t description = NULL;
    dnnl_primitive_t primitive = NULL;
    dnnl_status_t s = dnnl_memory_create(&from, plain, engine, (void *)(uintptr_t)w);
    if (!s) s = dnnl_reorder_primitive_desc_create(&description, plain, engine, &f->layout, engine, NULL);
    if (!s) s = dnnl_primitive_create(&primitive, description);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, f->memory}};
    if (!s) s = dnnl_primitive_execute(primitive, stream, 2, arguments);
    if (!s) s = dnnl_stream_wait(stream);
    if (primitive) dnnl_primitive_destroy(primitive);
    if (description) dnnl_primitive_desc_destroy(description);
    if (from) dnnl_memory_destroy(from);
    return s;
}

/* Fill a factor whose k and m are set. W is (n_out, n_in) row-major; B's numbers lie as strides say. */
static dlg_status pack(factor *f, const dlg_real *w, const dnnl_dims_t strides, dlg_error *err)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)f->k, (dnnl_dim_t)f->m};
    dnnl_memory_desc_t plain;
    dnnl_status_t s = dnnl_memory_desc_init_by_strides(&plain, 2, dims, dnnl_f32, strides);
    if (!s) s = ask_layout(f);
    if (s) return fail(f, s, err);
    const bool has_own_layout = f->layout.format_desc.blocking.inner_nblks > 0;
    if (has_own_layout) {
        const size_t n_bytes = dnnl_memory_desc_get_size(&f->layout);
        f->packed = dlg_allocate(n_bytes, 1);
        if (!f->packed) return dlg_fail(err, DLG_ENOMEM, "packed weights: no memory for %zu bytes", n_bytes);
    } else {
        f->layout = plain;
    }
    s = dnnl_memory_create(&f->memory, &f->layout, engine, has_own_layout ? f->packed : (void *)(uintptr_t)w);
    if (!s && has_own_layout) s = reorder(f, &plain, w);
    return s ? fail(f, s, err) : DLG_OK;
}

dlg_status dlg_constant_of_rows(dlg_constant **out, dlg_stacked rows, size_t n_in, dlg_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    dlg_constant *constant = dlg_allocate(1, sizeof *constant);
    if (!constant) {
        dlg_free(rows.owned);
        return dlg_fail(err, DLG_ENOMEM, "weights: no memory");
    }
    constant->rows = rows;
    factor *transpose = &constant->factors[TIMES_TRANSPOSE], *plain = &constant->factors[TIMES];
    *transpose = (factor){.k = n_in, .m = rows.n_out};
    *plain = (factor){.k = rows.n_out, .m = n_in};
    pthread_once(&once, start_engine);
    use_threads();
    dlg_status status = engine_status ? fail(plain, engine_status, err) : DLG_OK;
    if (!status) status = pack(transpose, rows.w, (dnnl_dims_t){1, (dnnl_dim_t)n_in}, err);
    if (!status) status = pack(plain, rows.w, (dnnl_dims_t){(dnnl_dim_t)n_in, 1}, err);
    if (transpose->packed && plain->packed) {
        dlg_free(rows.owned);
        constant->rows = (dlg_stacked){.n_out = rows.n_out};
    }
    if (status) dlg_constant_free(constant);
    else *out = constant;
    return status;
}

/* ---- products of n rows ---- */

static void release(product *p)
{
    if (p->primitive) dnnl_primitive_destroy(p->primitive);
    if (p->x) dnnl_memory_destroy(p->x);
    if (p->y) dnnl_memory_destroy(p->y);
    if (p->scratchpad) dnnl_memory_destroy(p->scratchpad);
    *p = (product){0};
}

static dlg_status prepare(product *p, const factor *f, size_t n, dlg_error *err)
{
    dnnl_primitive_desc_t description = NULL;
    dnnl_status_t s = describe(&description, f, n, &f->layout);
    if (!s) s = dnnl_primitive_create(&p->primitive, description);
    if (!s) s = dnnl_memory_create(&p->x, dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0), engine, DNNL_MEMORY_NONE);
    if (!s) s = dnnl_memory_create(&p->y, dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0), engine, DNNL_MEMORY_NONE);
    if (!s) {
        const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
        p->scratchpad_bytes = dnnl_memory_desc_get_size(scratchpad);
        s = dnnl_memory_create(&p->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE);
    }
    if (description) dnnl_primitive_desc_destroy(description);
    return s ? fail(f, s, err) : DLG_OK;
}

static dlg_status grow_scratchpad(dlg_constant *constant, size_t n_bytes, dlg_error *err)
{
    if (n_bytes <= constant->scratchpad_bytes) return DLG_OK;
    unsigned char *scratchpad = dlg_allocate(n_bytes, 1);
    if (!scratchpad) return dlg_fail(err, DLG_ENOMEM, "products with packed weights: no memory for %zu bytes", n_bytes);
    dlg_free(constant->scratchpad);
    constant->scratchpad = scratchpad;
    constant->scratchpad_bytes = n_bytes;
    return DLG_OK;
}

dlg_status dlg_constant_reserve(dlg_constant *constant, size_t n, dlg_error *err)
{
    const size_t count = constant->n_reserved;
    for (size_t i = 0; i < count; i++)
        if (constant->reserved[i].n == n) return DLG_OK;
    if (!n) return DLG_OK;
    use_threads();
    reserved *grown = dlg_reallocate(constant->reserved, count, count + 1, sizeof *grown);
    if (!grown) return dlg_fail(err, DLG_ENOMEM, "products with packed weights: no memory");
    constant->reserved = grown;
    reserved *next = &grown[count];
    *next = (reserved){.n = n};
    dlg_status status = DLG_OK;
    for (size_t i = 0; i < N_FACTORS && !status; i++) {
        status = prepare(&next->of[i], &constant->factors[i], n, err);
        if (!status) status = grow_scratchpad(constant, next->of[i].scratchpad_bytes, err);
    }
    if (!status) constant->n_reserved++;
    for (size_t i = 0; i < N_FACTORS && status; i++) release(&next->of[i]);
    return status;
}

void dlg_constant_free(dlg_constant *constant)
{
    if (!constant) return;
    for (size_t i = 0; i < constant->n_reserved; i++)
        for (size_t k = 0; k < N_FACTORS; k++) release(&constant->reserved[i].of[k]);
    for (size_t k = 0; k < N_FACTORS; k++) {
        if (constant->factors[k].memory) dnnl_memory_destroy(constant->factors[k].memory);
        dlg_free(constant->factors[k].packed);
    }
    dlg_free(constant->rows.owned);
    dlg_free(constant->reserved);
    dlg_free(constant->scratchpad);
    dlg_free(constant);
}

static void multiply(const dlg_constant *constant, size_t which, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    const factor *f = &constant->factors[which];
    const reserved *r = constant->reserved, *end = r + constant->n_reserved;
    if (!n) return;
    while (r < end && r->n != n) r++;
    assert(r < end);
    const product *p = &r->of[which];
    if (beta == 0) memset(y, 0, n * f->m * sizeof *y);
    dnnl_memory_set_data_handle(p->x, (void *)(uintptr_t)x);
    dnnl_memory_set_data_handle(p->y, y);
    dnnl_memory_set_data_handle(p->scratchpad, constant->scratchpad);
    const dnnl_exec_arg_t arguments[] = {
        {DNNL_ARG_SRC, p->x}, {DNNL_ARG_WEIGHTS, f->memory}, {DNNL_ARG_DST, p->y}, {DNNL_ARG_SCRATCHPAD, p->scratchpad}};
    const dnnl_status_t s = dnnl_primitive_execute(p->primitive, stream, sizeof arguments / sizeof *arguments, arguments);
    (void)s;
    assert(!s); /* everything it could lack was given at reserve */
}

void dlg_constant_times_transpose(const dlg_constant *constant, size_t n, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    multiply(constant, TIMES_TRANSPOSE, n, x, beta, y);
}

void dlg_constant_times(const dlg_constant *constant, size_t n, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    multiply(constant, TIMES, n, dy, beta, dx);
}
