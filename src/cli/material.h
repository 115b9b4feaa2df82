/** What an attack is given: the shared gradient, the model it belongs to, and what is known before it begins. */
#ifndef DLG_CLI_MATERIAL_H
#define DLG_CLI_MATERIAL_H

#include "cli/known.h"
#include "cli/source.h"
#include "gradient/gradient.h"

/** Zero-initialise; release with dlg_material_release. */
typedef struct {
    const char *path;      /**< the gradient's */
    dlg_safetensors *file; /**< its metadata are borrowed, and the gradient */
    dlg_source source;
    dlg_source_choice choice; /**< which that is */
    dlg_gradient gradient;
    dlg_analysis *analysis;  /**< of it */
    dlg_knowledge knowledge; /**< empty before dlg_material_know */
    /** its status is set where the gradient does not show what every attack needs; the message says what */
    dlg_error unreadable;
} dlg_material;

/**
 * Open a gradient against its model.
 * @param choice what the user said of the model @param has_preset whether a preset was named: where neither that nor a
 *   directory was, the gradient's metadata say which it is
 * Errors: those of the files; DLG_EARG for a preset that there is not. The material must be released all the same.
 */
DLG_MUST_USE dlg_status dlg_material_open(dlg_material *, const char *path, const dlg_source_choice *choice,
                                          bool has_preset, dlg_error *);

/**
 * Complete the knowledge: what metadata and user say, and what is inferred. A gradient that does not show what is
 * needed is no error, for that is what it gives away: nothing. `unreadable` says so. Errors: those of dlg_known_tell,
 * and others of dlg_knowledge_infer.
 */
DLG_MUST_USE dlg_status dlg_material_know(dlg_material *, const dlg_known *, dlg_error *);

/** Accepts a zeroed one. */
void dlg_material_release(dlg_material *);

#endif
