#include "io/pickle.h"

#include "base/memory.h"
#include "io/pickle_opcodes.h"

#include <string.h>

/** More objects than this are refused: a state_dict takes about twelve for each tensor. */
enum { MOST = 1 << 20 };

/** Numbers of values, or of places in the stack. */
typedef struct {
    size_t n, room, *items;
} numbers;

/** The machine. */
typedef struct {
    dlg_pickle *made;
    numbers stack, marks, memo; /* marks: how high the stack was */
    size_t n_globals;
    const char *const *globals, *name;
    const unsigned char *bytes, *at, *end;
    dlg_error *err;
} machine;

static size_t place(const machine *m)
{
    return (size_t)(m->at - m->bytes);
}

static dlg_status refuse(const machine *m, const char *what)
{
    return dlg_fail(m->err, DLG_EFORMAT, "%s: pickle: want %s before byte %zu", m->name, what, place(m));
}

static uint64_t number(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;
    while (n-- > 0) value = value << 8 | bytes[n];
    return value;
}

/* Room for n items of a growing block. */
static dlg_status want_room(const machine *m, void **block, size_t n, size_t *room, size_t n_bytes)
{
    if (n > MOST)
        return dlg_fail(m->err, DLG_EFORMAT, "%s: pickle: want at most %d objects, found more", m->name, MOST);
    if (n <= *room) return DLG_OK;
    const size_t new_room = n < 64 ? 64 : 2 * n;
    void *larger = dlg_reallocate(*block, *room, new_room, n_bytes);
    if (!larger) return dlg_fail(m->err, DLG_ENOMEM, "%s: pickle: no memory for %zu objects", m->name, new_room);
    *block = larger;
    *room = new_room;
    return DLG_OK;
}

static dlg_status put(const machine *m, numbers *list, size_t item)
{
    void *block = list->items;
    const dlg_status status = want_room(m, &block, list->n + 1, &list->room, sizeof *list->items);
    list->items = block;
    if (!status) list->items[list->n++] = item;
    return status;
}

/* ---- objects ---- */

static dlg_status push(machine *m, dlg_pickle_value value)
{
    void *block = m->made->values;
    dlg_status status = want_room(m, &block, m->made->n_values + 1, &m->made->values_room, sizeof value);
    m->made->values = block;
    if (status) return status;
    m->made->values[m->made->n_values] = value;
    return put(m, &m->stack, m->made->n_values++);
}

/* How many objects there are above the last mark. */
static size_t above_mark(const machine *m)
{
    return m->stack.n - (m->marks.n ? m->marks.items[m->marks.n - 1] : 0);
}

static dlg_status want_stacked(const machine *m, size_t n)
{
    return above_mark(m) >= n ? DLG_OK : refuse(m, "objects on the stack, found too few");
}

static size_t pop(machine *m)
{
    return m->stack.items[--m->stack.n];
}

static dlg_pickle_value *top(const machine *m)
{
    return &m->made->values[m->stack.items[m->stack.n - 1]];
}

static dlg_status add_item(machine *m, size_t container, size_t item)
{
    void *block = m->made->cells;
    const dlg_status status = want_room(m, &block, m->made->n_cells + 1, &m->made->cells_room, sizeof *m->made->cells);
    m->made->cells = block;
    if (status) return status;
    dlg_pickle_value *value = &m->made->values[container];
    m->made->cells[m->made->n_cells] = (dlg_pickle_cell){.value = item};
    if (value->last) m->made->cells[value->last].next = m->made->n_cells;
    else value->first = m->made->n_cells;
    value->last = m->made->n_cells++;
    value->n++;
    return DLG_OK;
}

/* The last n of the stack become items of the container below them. */
static dlg_status add_items(machine *m, size_t n)
{
    dlg_status status = DLG_OK;
    const size_t first = m->stack.n - n;
    for (size_t i = 0; i < n && !status; i++)
        status = add_item(m, m->stack.items[first - 1], m->stack.items[first + i]);
    m->stack.n = first;
    return status;
}

/* They become a tuple. */
static dlg_status make_tuple(machine *m, size_t n)
{
    dlg_status status = want_stacked(m, n);
    if (status) return status;
    const size_t first = m->stack.n - n, tuple = m->made->n_values;
    status = push(m, (dlg_pickle_value){.kind = DLG_PICKLE_TUPLE});
    for (size_t i = 0; i < n && !status; i++) status = add_item(m, tuple, m->stack.items[first + i]);
    if (status) return status;
    m->stack.n = first;
    return put(m, &m->stack, tuple);
}

/* Below the last mark there must be a container that these items can be put in. The mark goes. */
static dlg_status add_marked(machine *m, bool is_list)
{
    if (!m->marks.n) return refuse(m, "a mark, found none");
    const size_t n = above_mark(m);
    m->marks.n--;
    const dlg_status status = want_stacked(m, n + 1);
    if (status) return status;
    const dlg_pickle_kind kind = m->made->values[m->stack.items[m->stack.n - n - 1]].kind;
    if (is_list ? kind != DLG_PICKLE_LIST : kind != DLG_PICKLE_DICT && kind != DLG_PICKLE_CALL)
        return refuse(m, is_list ? "a list to append to, found another object" : "a dict, found another object");
    if (!is_list && n % 2) return refuse(m, "a value for each key, found one less");
    return add_items(m, n);
}

/* ---- what opcodes do; n bytes of argument follow them ---- */

/* Two's complement; more than 64 bits are no size. */
static dlg_status push_signed(machine *m, const unsigned char *argument, size_t n)
{
    if (n > 8) return refuse(m, "an integer of at most 64 bits, found a longer one");
    uint64_t value = number(argument, n);
    if (n && n < 8 && argument[n - 1] & 0x80) value |= UINT64_MAX << 8 * n;
    return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_INTEGER, .integer = (int64_t)value});
}

static dlg_status push_string(machine *m, const unsigned char *argument, size_t n)
{
    if (memchr(argument, 0, n)) return refuse(m, "strings without a NUL, found one with it");
    return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_STRING, .text = (const char *)argument, .n_text = n});
}

static dlg_status push_global(machine *m, const char *module, size_t n_module, const char *name, size_t n_name)
{
    enum { SHOWN = 80 };
    for (size_t i = 0; i < m->n_globals; i++) {
        const char *allowed = m->globals[i];
        if (strlen(allowed) == n_module + 1 + n_name && !memcmp(allowed, module, n_module) &&
            allowed[n_module] == '.' && !memcmp(allowed + n_module + 1, name, n_name))
            return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_GLOBAL, .text = allowed, .n_text = strlen(allowed)});
    }
    return dlg_fail(m->err, DLG_EFORMAT,
                    "%s: pickle: want tensors in dicts and lists, found %.*s.%.*s at byte %zu, which is not run",
                    m->name, (int)(n_module < SHOWN ? n_module : SHOWN), module, (int)(n_name < SHOWN ? n_name : SHOWN),
                    name, place(m));
}

/* Module and name, a line each. */
static dlg_status push_lines(machine *m, const unsigned char *lines, size_t n)
{
    const size_t n_module = (size_t)((const unsigned char *)memchr(lines, '\n', n) - lines);
    return push_global(m, (const char *)lines, n_module, (const char *)lines + n_module + 1, n - n_module - 2);
}

static dlg_status push_stacked_global(machine *m)
{
    const dlg_status status = want_stacked(m, 2);
    if (status) return status;
    const dlg_pickle_value *name = &m->made->values[pop(m)], *module = &m->made->values[pop(m)];
    if (name->kind != DLG_PICKLE_STRING || module->kind != DLG_PICKLE_STRING)
        return refuse(m, "two strings that name a global, found others");
    return push_global(m, module->text, module->n_text, name->text, name->n_text);
}

static dlg_status make_tuple_of_marked(machine *m)
{
    if (!m->marks.n) return refuse(m, "a mark, found none");
    const size_t n = above_mark(m);
    m->marks.n--;
    return make_tuple(m, n);
}

/* Without a mark: a key and its value, or one more of a list. */
static dlg_status add_unmarked(machine *m, bool is_list)
{
    const size_t n = is_list ? 1 : 2;
    dlg_status status = want_stacked(m, n + 1);
    if (!status) status = put(m, &m->marks, m->stack.n - n);
    return status ? status : add_marked(m, is_list);
}

/* Noted, not called. */
static dlg_status note_call(machine *m)
{
    const dlg_status status = want_stacked(m, 2);
    if (status) return status;
    const size_t arguments = pop(m), callee = pop(m);
    if (m->made->values[callee].kind != DLG_PICKLE_GLOBAL || m->made->values[arguments].kind != DLG_PICKLE_TUPLE)
        return refuse(m, "a global and a tuple of arguments, found others");
    return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_CALL, .callee = callee, .arguments = arguments});
}

/* Attributes of an object, which a tensor's name does not depend on: an OrderedDict's _metadata. */
static dlg_status drop_state(machine *m)
{
    const dlg_status status = want_stacked(m, 2);
    if (status) return status;
    pop(m);
    return top(m)->kind == DLG_PICKLE_CALL ? DLG_OK : refuse(m, "an object to set attributes of, found another");
}

static dlg_status note_persistent(machine *m)
{
    const dlg_status status = want_stacked(m, 1);
    if (status) return status;
    return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_PERSISTENT, .arguments = pop(m)});
}

/* Places are handed out one after the other. */
static dlg_status memorise(machine *m, uint64_t at)
{
    dlg_status status = want_stacked(m, 1);
    if (status) return status;
    if (at > m->memo.n)
        return dlg_fail(m->err, DLG_EFORMAT, "%s: pickle: want a memo of at most %zu places, found %llu at byte %zu",
                        m->name, m->memo.n, (unsigned long long)at, place(m));
    const size_t value = m->stack.items[m->stack.n - 1];
    if (at == m->memo.n) return put(m, &m->memo, value);
    m->memo.items[at] = value;
    return DLG_OK;
}

static dlg_status recall(machine *m, uint64_t at)
{
    if (at < m->memo.n) return put(m, &m->stack, m->memo.items[at]);
    return dlg_fail(m->err, DLG_EFORMAT, "%s: pickle: want one of %zu places of the memo, found %llu at byte %zu",
                    m->name, m->memo.n, (unsigned long long)at, place(m));
}

static dlg_status act(machine *m, unsigned char opcode, const unsigned char *argument, size_t n)
{
    switch (opcode) {
    case PROTO: return *argument <= 5 ? DLG_OK : refuse(m, "protocol 2 to 5, found another");
    case FRAME: return DLG_OK;
    case NONE: return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_NONE});
    case NEWTRUE:
    case NEWFALSE: return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_BOOL, .integer = opcode == NEWTRUE});
    case BININT1:
    case BININT2: /* these two are unsigned */
        return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_INTEGER, .integer = (int64_t)number(argument, n)});
    case BININT:
    case LONG1: return push_signed(m, argument, n);
    case BINFLOAT: return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_REAL});
    case BINUNICODE:
    case SHORT_BINUNICODE: return push_string(m, argument, n);
    case GLOBAL: return push_lines(m, argument, n);
    case STACK_GLOBAL: return push_stacked_global(m);
    case MARK: return put(m, &m->marks, m->stack.n);
    case EMPTY_TUPLE: return make_tuple(m, 0);
    case TUPLE1: return make_tuple(m, 1);
    case TUPLE2: return make_tuple(m, 2);
    case TUPLE3: return make_tuple(m, 3);
    case TUPLE: return make_tuple_of_marked(m);
    case EMPTY_LIST: return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_LIST});
    case APPEND:
    case SETITEM: return add_unmarked(m, opcode == APPEND);
    case APPENDS:
    case SETITEMS: return add_marked(m, opcode == APPENDS);
    case EMPTY_DICT: return push(m, (dlg_pickle_value){.kind = DLG_PICKLE_DICT});
    case REDUCE: return note_call(m);
    case BUILD: return drop_state(m);
    case BINPERSID: return note_persistent(m);
    case BINPUT:
    case LONG_BINPUT: return memorise(m, number(argument, n));
    case MEMOIZE: return memorise(m, m->memo.n);
    case BINGET:
    case LONG_BINGET: return recall(m, number(argument, n));
    default:
        return dlg_fail(m->err, DLG_EFORMAT,
                        "%s: pickle: want containers of tensors, found the opcode %s at byte "
                        "%zu, which is not run",
                        m->name, dlg_pickle_opcodes[opcode].name, place(m));
    }
}

/* ---- the whole ---- */

/* The argument that follows the opcode; *n is how long it is. NULL: it is cut off. */
static const unsigned char *take_argument(machine *m, int form, size_t *n)
{
    const size_t left = (size_t)(m->end - m->at);
    const unsigned char *start = m->at;
    size_t n_length = 0;
    *n = 0;
    if (form == DLG_PICKLE_TWO_LINES) {
        const unsigned char *first = memchr(start, '\n', left);
        const unsigned char *second = first ? memchr(first + 1, '\n', (size_t)(m->end - first - 1)) : NULL;
        if (!second) return NULL;
        *n = (size_t)(second + 1 - start);
    } else if (form == DLG_PICKLE_LENGTH_1 || form == DLG_PICKLE_LENGTH_4) {
        n_length = form == DLG_PICKLE_LENGTH_1 ? 1 : 4;
        if (left < n_length) return NULL;
        *n = (size_t)number(start, n_length);
    } else {
        *n = (size_t)form;
    }
    if (*n > left - n_length) return NULL;
    m->at += n_length + *n;
    return start + n_length;
}

static dlg_status run(machine *m)
{
    while (m->at < m->end) {
        size_t n;
        const unsigned char opcode = *m->at++;
        if (opcode == STOP) {
            if (m->at != m->end || m->stack.n != 1 || m->marks.n)
                return refuse(m, "one object and the end of the file, found more or less");
            m->made->root = m->stack.items[0];
            return DLG_OK;
        }
        if (!dlg_pickle_opcodes[opcode].name)
            return dlg_fail(m->err, DLG_EFORMAT, "%s: pickle: want an opcode at byte %zu, found %02x", m->name,
                            place(m) - 1, (unsigned)opcode);
        const unsigned char *argument = take_argument(m, dlg_pickle_opcodes[opcode].argument, &n);
        const dlg_status status = argument ? act(m, opcode, argument, n) : refuse(m, "more bytes, found the end");
        if (status) return status;
    }
    return refuse(m, "the opcode STOP, found the end");
}

dlg_status dlg_pickle_read(dlg_pickle *out, size_t n_globals, const char *const globals[], const char *name,
                           const unsigned char *bytes, size_t n_bytes, dlg_error *err)
{
    *out = (dlg_pickle){.n_values = 1, .n_cells = 1}; /* number 0 stands for none */
    machine m = {.made = out,
                 .n_globals = n_globals,
                 .globals = globals,
                 .name = name,
                 .bytes = bytes,
                 .at = bytes,
                 .end = bytes + n_bytes,
                 .err = err};
    const dlg_status status = run(&m);
    dlg_free(m.stack.items);
    dlg_free(m.marks.items);
    dlg_free(m.memo.items);
    if (status) dlg_pickle_release(out);
    return status;
}
