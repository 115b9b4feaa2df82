/**
 * Pickles, read as data. A pickle is a program for a stack machine that makes Python objects, and may call whatever it
 * names. Here nothing is called: what it would have called is noted, with its arguments, and its names are held against
 * a list beforehand. Of the opcodes there are those that torch.save writes for containers of tensors; any other is
 * refused by name.
 */
#ifndef DLG_IO_PICKLE_H
#define DLG_IO_PICKLE_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    DLG_PICKLE_NONE,
    DLG_PICKLE_BOOL,
    DLG_PICKLE_INTEGER,
    DLG_PICKLE_REAL,
    DLG_PICKLE_STRING,
    DLG_PICKLE_GLOBAL, /**< a name */
    DLG_PICKLE_TUPLE,  /**< also an empty one */
    DLG_PICKLE_LIST,
    DLG_PICKLE_DICT,      /**< items: key, value, key, value ... */
    DLG_PICKLE_CALL,      /**< what a global would have been called with; items as a dict's, put in afterwards */
    DLG_PICKLE_PERSISTENT /**< something outside of the pickle, by its id */
} dlg_pickle_kind;

/** One object. Others are named by their number. */
typedef struct {
    dlg_pickle_kind kind;
    int64_t integer;          /**< of an integer; 0 or 1 of a bool */
    const char *text;         /**< a string's bytes, within the pickle; a global's, from the list of those allowed */
    size_t n_text;            /**< how many */
    size_t first, last, n;    /**< items of a container: first and last cell, and how many; 0: none */
    size_t callee, arguments; /**< of a call: its global and its tuple; of what is persistent the id in arguments */
} dlg_pickle_value;

/** An item of a container. */
typedef struct {
    size_t value, next; /**< the next cell; 0: none */
} dlg_pickle_cell;

/** Number 0 of both is no value and no cell. */
typedef struct {
    size_t n_values, n_cells, values_room, cells_room;
    dlg_pickle_value *values;
    dlg_pickle_cell *cells;
    size_t root; /**< what the pickle is */
} dlg_pickle;

/**
 * Read a pickle, whose bytes must outlive it. `name` starts every message.
 * @param globals (n_globals) "module.name" of those it may name; must outlive it
 * Errors: DLG_EFORMAT names the opcode or the global and its place; DLG_ENOMEM. On failure *out is empty.
 */
DLG_MUST_USE dlg_status dlg_pickle_read(dlg_pickle *out, size_t n_globals, const char *const globals[],
                                        const char *name, const unsigned char *bytes, size_t n_bytes, dlg_error *);

/** Accepts an empty one. */
void dlg_pickle_release(dlg_pickle *);

/** Whether a value is a string or a global of that text. */
bool dlg_pickle_is(const dlg_pickle_value *, dlg_pickle_kind, const char *text);

/** What a value is, for messages: "a string", or the global that was to be called. Static, or the list's. */
const char *dlg_pickle_kind_of(const dlg_pickle *, const dlg_pickle_value *);

#endif
