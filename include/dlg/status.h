/**
 * How every function that can fail reports: by value. It returns a status, and writes one line that names the object,
 * what was wanted and what was found, where its caller wants to have it. The library prints nothing, ends no program,
 * and handles no signal.
 */
#ifndef DLG_STATUS_H
#define DLG_STATUS_H

#if defined(__GNUC__)
#define DLG_PUBLIC __attribute__((visibility("default"))) /**< a function that the shared library exports */
#define DLG_MUST_USE __attribute__((warn_unused_result))
#define DLG_PRINTF(format_at, args_at) __attribute__((format(printf, format_at, args_at)))
#else
#define DLG_PUBLIC
#define DLG_MUST_USE
#define DLG_PRINTF(format_at, args_at)
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    DLG_OK = 0,
    DLG_ENOMEM,     /**< memory ran out */
    DLG_EIO,        /**< the operating system refused a file operation */
    DLG_EFORMAT,    /**< a file's bytes are not what its format demands */
    DLG_ESHAPE,     /**< two things that should fit each other do not */
    DLG_ENONFINITE, /**< NaN or infinity where a number must be */
    DLG_EARG,       /**< the caller asked for something that does not exist */
    DLG_ECANCELLED  /**< the user interrupted */
} dlg_status;

/** Where a message goes; owned by the caller, who may pass NULL to every function. */
typedef struct {
    dlg_status status;
    /** one line of valid UTF-8, no newline; what of foreign names a terminal would not show is "?" */
    char message[512];
} dlg_error;

/**
 * Write a message and hand the status on, so that a failing function ends with `return dlg_fail(err, DLG_ESHAPE, "...",
 * ...);`. For a caller's own functions too. A message too long is cut.
 * @param err may be NULL @return status
 */
DLG_PUBLIC dlg_status dlg_fail(dlg_error *err, dlg_status status, const char *format, ...) DLG_PRINTF(3, 4);

#ifdef __cplusplus
}
#endif

#endif
