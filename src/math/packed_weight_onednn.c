/*
 * Products with a weight on oneDNN (C API of version 2), in float. OpenBLAS packs W anew for each product, which at few
 * rows costs as much as multiplying; here W is packed once for x W^T and, where that is asked for, once for dy W, in
 * the layout oneDNN asks for.
 *
 * oneDNN compiles a primitive for each number of rows, but on the processors that have a packed layout it is the same
 * for any number, so there are two copies of W, not two for each n. Every primitive adds to what is there (post-op
 * "sum", which costs nothing measurable), so that beta 0 is clearing first.
 */
#include "math/packed_weight.h"

#include "base/memory.h"
#include "math/packed_weight_rows.h"

#include <assert.h>
#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* oneDNN's threads are those of whatever OpenMP it was linked to, which need not be the compiler's. The number is a
 * thread's own. */
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

struct dlg_packed_weight {
    dlg_stacked rows; /* what is packed both ways is kept no longer */
    size_t n_in;
    pthread_mutex_t lock; /* of what follows */
    factor factors[N_FACTORS];
};

struct dlg_products {
    size_t n;
    const factor *factors; /* (N_FACTORS) of the weight */
    product of[N_FACTORS];
    dnnl_stream_t stream;
    unsigned char *scratchpad; /* enough for each */
};

/* ---- the library ---- */

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_status_t engine_status;

/* Descriptions and primitives are made one at a time: one thread's look into oneDNN's cache of primitives reads what
 * another is writing (ThreadSanitizer, oneDNN 2.6). They are executed side by side. */
static pthread_mutex_t creation = PTHREAD_MUTEX_INITIALIZER;

static void start_engine(void)
{
    engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
    if (!engine_status) engine_status = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
}

static dlg_status fail(const factor *f, dnnl_status_t found, dlg_error *err)
{
    return dlg_fail(err, DLG_ENOMEM, "products with %zu x %zu weights: oneDNN says %d", f->k, f->m, (int)found);
}

const char *dlg_packed_weight_start(int n_threads)
{
    static char line[64];
    const dnnl_version_t *version = dnnl_version();
    const unsigned isa = (unsigned)dnnl_get_effective_cpu_isa(), avx2 = dnnl_cpu_isa_avx2,
                   avx512 = dnnl_cpu_isa_avx512_core;
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
    pthread_mutex_lock(&creation);
    if (!s) s = dnnl_primitive_desc_create(out, &matmul, attributes, engine, NULL);
    pthread_mutex_unlock(&creation);
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
    pthread_mutex_lock(&creation);
    if (!s) s = dnnl_reorder_primitive_desc_create(&description, plain, engine, &f->layout, engine, NULL);
    if (!s) s = dnnl_primitive_create(&primitive, description);
    pthread_mutex_unlock(&creation);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, f->memory}};
    if (!s) s = dnnl_primitive_execute(primitive, stream, 2, arguments);
    if (!s) s = dnnl_stream_wait(stream);
    if (primitive) dnnl_primitive_destroy(primitive);
    if (description) dnnl_primitive_desc_destroy(description);
    if (from) dnnl_memory_destroy(from);
    return s;
}

static void release_factor(factor *f)
{
    if (f->memory) dnnl_memory_destroy(f->memory);
    dlg_free(f->packed);
    *f = (factor){0};
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

static dlg_status pack_factor(dlg_packed_weight *weight, size_t which, dlg_error *err)
{
    factor *f = &weight->factors[which];
    if (f->memory) return DLG_OK;
    const size_t n_in = weight->n_in, n_out = weight->rows.n_out;
    *f = which == TIMES ? (factor){.k = n_out, .m = n_in} : (factor){.k = n_in, .m = n_out};
    const dnnl_dims_t strides = {which == TIMES ? (dnnl_dim_t)n_in : 1, which == TIMES ? 1 : (dnnl_dim_t)n_in};
    use_threads();
    const dlg_status status = pack(f, weight->rows.w, strides, err);
    if (status) release_factor(f);
    return status;
}

dlg_status dlg_packed_weight_pack_both_ways(dlg_packed_weight *weight, dlg_error *err)
{
    pthread_mutex_lock(&weight->lock);
    const dlg_status status = pack_factor(weight, TIMES, err);
    if (weight->factors[TIMES].packed && weight->factors[TIMES_TRANSPOSE].packed && weight->rows.owned) {
        dlg_free(weight->rows.owned);
        weight->rows.owned = NULL;
        weight->rows.w = NULL;
    }
    pthread_mutex_unlock(&weight->lock);
    return status;
}

dlg_status dlg_packed_weight_of_rows(dlg_packed_weight **out, dlg_stacked rows, size_t n_in, dlg_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    *out = NULL;
    dlg_packed_weight *weight = dlg_allocate(1, sizeof *weight);
    if (!weight) {
        dlg_free(rows.owned);
        return dlg_fail(err, DLG_ENOMEM, "weights: no memory");
    }
    weight->rows = rows;
    weight->n_in = n_in;
    pthread_mutex_init(&weight->lock, NULL);
    pthread_once(&once, start_engine);
    dlg_status status =
        engine_status ? fail(weight->factors, engine_status, err) : pack_factor(weight, TIMES_TRANSPOSE, err);
    if (status) dlg_packed_weight_free(weight);
    else *out = weight;
    return status;
}

void dlg_packed_weight_free(dlg_packed_weight *weight)
{
    if (!weight) return;
    for (size_t k = 0; k < N_FACTORS; k++) release_factor(&weight->factors[k]);
    pthread_mutex_destroy(&weight->lock);
    dlg_free(weight->rows.owned);
    dlg_free(weight);
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
    pthread_mutex_lock(&creation);
    if (!s) s = dnnl_primitive_create(&p->primitive, description);
    pthread_mutex_unlock(&creation);
    if (!s)
        s = dnnl_memory_create(&p->x, dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0), engine,
                               DNNL_MEMORY_NONE);
    if (!s)
        s = dnnl_memory_create(&p->y, dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0), engine,
                               DNNL_MEMORY_NONE);
    if (!s) {
        const dnnl_memory_desc_t *scratchpad = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
        p->scratchpad_bytes = dnnl_memory_desc_get_size(scratchpad);
        s = dnnl_memory_create(&p->scratchpad, scratchpad, engine, DNNL_MEMORY_NONE);
    }
    if (description) dnnl_primitive_desc_destroy(description);
    return s ? fail(f, s, err) : DLG_OK;
}

dlg_status dlg_products_create(dlg_products **out, dlg_packed_weight *weight, size_t n, dlg_ways ways, dlg_error *err)
{
    const size_t n_factors = ways == DLG_BOTH_WAYS ? N_FACTORS : 1;
    size_t n_bytes = 1;
    *out = NULL;
    dlg_status status = ways == DLG_BOTH_WAYS ? dlg_packed_weight_pack_both_ways(weight, err) : DLG_OK;
    if (status) return status;
    dlg_products *products = dlg_allocate(1, sizeof *products);
    if (!products) return dlg_fail(err, DLG_ENOMEM, "products with packed weights: no memory");
    products->n = n;
    products->factors = weight->factors;
    use_threads();
    if (n && dnnl_stream_create(&products->stream, engine, dnnl_stream_default_flags))
        status = fail(weight->factors, dnnl_out_of_memory, err);
    for (size_t i = 0; i < n_factors && n && !status; i++) {
        status = prepare(&products->of[i], &weight->factors[i], n, err);
        if (products->of[i].scratchpad_bytes > n_bytes) n_bytes = products->of[i].scratchpad_bytes;
    }
    if (!status) products->scratchpad = dlg_allocate(n_bytes, 1);
    if (!status && !products->scratchpad)
        status = dlg_fail(err, DLG_ENOMEM, "products with packed weights: no memory for %zu bytes", n_bytes);
    if (status) dlg_products_free(products);
    else *out = products;
    return status;
}

void dlg_products_free(dlg_products *products)
{
    if (!products) return;
    for (size_t k = 0; k < N_FACTORS; k++) release(&products->of[k]);
    if (products->stream) dnnl_stream_destroy(products->stream);
    dlg_free(products->scratchpad);
    dlg_free(products);
}

static void multiply(const dlg_products *products, size_t which, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    const factor *f = &products->factors[which];
    const product *p = &products->of[which];
    if (!products->n) return;
    assert(p->primitive);
    if (beta == 0) memset(y, 0, products->n * f->m * sizeof *y);
    dnnl_memory_set_data_handle(p->x, (void *)(uintptr_t)x);
    dnnl_memory_set_data_handle(p->y, y);
    dnnl_memory_set_data_handle(p->scratchpad, products->scratchpad);
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, p->x},
                                         {DNNL_ARG_WEIGHTS, f->memory},
                                         {DNNL_ARG_DST, p->y},
                                         {DNNL_ARG_SCRATCHPAD, p->scratchpad}};
    const dnnl_status_t s =
        dnnl_primitive_execute(p->primitive, products->stream, sizeof arguments / sizeof *arguments, arguments);
    (void)s;
    assert(!s); /* everything it could lack was given when it was prepared */
}

void dlg_products_times_transpose(const dlg_products *products, const dlg_real *x, dlg_real beta, dlg_real *y)
{
    multiply(products, TIMES_TRANSPOSE, x, beta, y);
}

void dlg_products_times(const dlg_products *products, const dlg_real *dy, dlg_real beta, dlg_real *dx)
{
    multiply(products, TIMES, dy, beta, dx);
}
