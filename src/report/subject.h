/** What every report of an attack speaks about. */
#ifndef DLG_REPORT_SUBJECT_H
#define DLG_REPORT_SUBJECT_H

#include "analytic/frozen.h"
#include "analytic/tokens/update_tokens.h"
#include "attacks/session/attack.h"
#include "tokenizer/tokenizer.h"

/** All of it is borrowed. */
typedef struct {
    const char *version;  /**< of the program */
    const char *gradient; /**< the file's name */
    const char *attack;   /**< its name */
    bool asks_prior;      /**< the attack asks a language model (dlg_attack_prior) */
    const char *defence;  /**< as the file's metadata have it, or NULL */
    dlg_frozen frozen;    /**< what the gradient lacks */
    struct {
        const dlg_gradient *gradient;   /**< how it was shared */
        const dlg_update_tokens *found; /**< what the rows show; NULL: of a gradient, or not looked for */
    } update;
    bool is_preset; /**< the weights were drawn from model_seed */
    uint64_t model_seed;
    const dlg_model *model;
    const dlg_tokenizer *tokenizer;
    const dlg_knowledge *knowledge; /**< complete (dlg_knowledge_infer); of a result, what its text rests on */
    /** of a result: what the attack began with, which may be more than its sentences; else NULL */
    const dlg_knowledge *told;
    const dlg_attack_options *options;
    const char *blas; /**< the line of dlg_blas_start */
    int n_threads;
    struct {
        /** bytes: before the attack, what it will take more (dlg_attack_count_bytes), of how many together */
        size_t held, wanted, limit;
    } memory;
    const char *checkpoint; /**< the journal's file, or NULL */
    size_t n_resumed;       /**< evaluations that it holds already */
} dlg_subject;

/**
 * A distance as all reports give it: as a part of that of a zero gradient, so that 0 is the same gradient and 1 none at
 * all. Rounding may leave less than zero. Not finite where there is no distance yet.
 */
static inline double dlg_part_of_zero(double distance, double scale)
{
    const double part = distance / scale;
    return part < 0 ? 0 : part;
}

/** Whether the text that an attack ended with is to be taken for the participant's. */
static inline bool dlg_is_recovered(dlg_attack_end end)
{
    return end == DLG_EXPLAINED || end == DLG_SETTLED;
}

#endif
