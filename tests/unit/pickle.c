/** Pickles read as data: nothing is run, and what is not of the subset is refused by name. */
#include "io/pickle.h"

#include "scarce.h"
#include "scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const GLOBALS[] = {"collections.OrderedDict", "torch.FloatStorage"};

static dlg_status read_bytes(dlg_pickle *out, const void *bytes, size_t n, dlg_error *err)
{
    unsigned char *copy = malloc(n ? n : 1); /* for a sanitizer to see what is read beyond */
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    const dlg_status status = dlg_pickle_read(out, 2, GLOBALS, "x.pt", copy, n, err);
    if (status) {
        assert_null(out->values);
        free(copy);
    }
    return status;
}

/* Texts stay within it as long as it is looked at. */
static const dlg_pickle_value *read_right(dlg_pickle *out, const char *bytes, size_t n)
{
    dlg_error err;
    if (dlg_pickle_read(out, 2, GLOBALS, "x.pt", (const unsigned char *)bytes, n, &err)) fail_msg("%s", err.message);
    return &out->values[out->root];
}
#define READ(bytes) read_right(&pickle, bytes, sizeof bytes - 1)

static const dlg_pickle_value *item(const dlg_pickle *pickle, const dlg_pickle_value *value, size_t i)
{
    size_t cell = value->first;
    while (i-- > 0) cell = pickle->cells[cell].next;
    return &pickle->values[pickle->cells[cell].value];
}

static void containers(void **state)
{
    (void)state;
    dlg_pickle pickle;
    const dlg_pickle_value *root =
        READ("\x80\2]q\0(K\5M\1\2J\xfe\xff\xff\xff\x8a\2\xff\x7f\x8a\0G12345678N\x88\x89h\0e.");
    static const int64_t integers[] = {5, 513, -2, 32767, 0};
    assert_int_equal(root->kind, DLG_PICKLE_LIST);
    assert_int_equal(root->n, 10);
    for (size_t i = 0; i < 5; i++) assert_true(item(&pickle, root, i)->integer == integers[i]);
    assert_int_equal(item(&pickle, root, 5)->kind, DLG_PICKLE_REAL);
    assert_int_equal(item(&pickle, root, 6)->kind, DLG_PICKLE_NONE);
    assert_true(item(&pickle, root, 7)->integer == 1 && item(&pickle, root, 8)->integer == 0);
    assert_ptr_equal(item(&pickle, root, 9), root); /* a list that holds itself is no harm: nobody walks it */
    dlg_pickle_release(&pickle);

    root = READ("\x80\4\x95\0\0\0\0\0\0\0\0}\x94\x8c\1a\x94K\1s\x8c\1b)s\x8c\1cK\1K\2\x86s.");
    assert_int_equal(root->kind, DLG_PICKLE_DICT);
    assert_int_equal(root->n, 6);
    assert_true(dlg_pickle_is(item(&pickle, root, 0), DLG_PICKLE_STRING, "a"));
    assert_true(item(&pickle, root, 3)->kind == DLG_PICKLE_TUPLE && item(&pickle, root, 3)->n == 0);
    assert_true(item(&pickle, root, 5)->n == 2);
    dlg_pickle_release(&pickle);
}

static void calls_are_noted(void **state)
{
    (void)state;
    dlg_pickle pickle;
    const dlg_pickle_value *root = READ("\x80\2ccollections\nOrderedDict\n)R(X\1\0\0\0kK\1u}X\1\0\0\0mNsb.");
    assert_int_equal(root->kind, DLG_PICKLE_CALL);
    assert_string_equal(dlg_pickle_kind_of(&pickle, root), "collections.OrderedDict");
    assert_int_equal(root->n, 2); /* its attributes are left aside */
    dlg_pickle_release(&pickle);
    root = READ("\x80\4\x8c\5torch\x8c\x0c"
                "FloatStorage\x93\x85Q.");
    assert_int_equal(root->kind, DLG_PICKLE_PERSISTENT);
    assert_true(dlg_pickle_is(item(&pickle, &pickle.values[root->arguments], 0), DLG_PICKLE_GLOBAL, GLOBALS[1]));
    dlg_pickle_release(&pickle);
}

#define CASE(bytes, object)                                                                                            \
    {                                                                                                                  \
        bytes, sizeof bytes - 1, object                                                                                \
    }

static const struct {
    const char *bytes;
    size_t n;
    const char *object;
} cases[] = {
    CASE("\x80\2cposix\nsystem\nX\2\0\0\0ls\x85R.", "found posix.system at byte 16, which is not run"),
    CASE("cbuiltins\neval\n", "found builtins.eval"),
    CASE("ctorch\nFloatStorageX\n", "found torch.FloatStorageX"),
    CASE("ctorch.FloatStorage\n\n", "found torch.FloatStorage."),
    CASE("\x8c\2os\x8c\6system\x93", "found os.system"),
    CASE("(S'ls'\nios\nsystem\n.", "found the opcode STRING"),
    CASE("(iposix\nsystem\n.", "found the opcode INST"),
    CASE("(o.", "found the opcode OBJ"),
    CASE(")\x81.", "found the opcode NEWOBJ"),
    CASE("\x82\1.", "found the opcode EXT1"),
    CASE("P0\n.", "found the opcode PERSID"),
    CASE("\x98.", "found the opcode READONLY_BUFFER"),
    CASE("B\1\0\0\0x.", "found the opcode BINBYTES"),
    CASE("\xff", "want an opcode at byte 0, found ff"),
    CASE("", "want the opcode STOP"),
    CASE("N", "want the opcode STOP"),
    CASE(".", "want one object and the end of the file"),
    CASE("NN.", "want one object and the end of the file"),
    CASE("(N.", "want one object and the end of the file"),
    CASE("N.N", "want one object and the end of the file"),
    CASE("\x80\6N.", "want protocol 2 to 5"),
    CASE("\x80", "want more bytes"),
    CASE("X\xff\xff\xff\xffx", "want more bytes"),
    CASE("X\2\0\0", "want more bytes"),
    CASE("X\2\0\0\0x", "want more bytes"),
    CASE("\x8a\xff", "want more bytes"),
    CASE("cposix\nsystem", "want more bytes"),
    CASE("X\1\0\0\0\0.", "want strings without a NUL"),
    CASE("\x8a\x09"
         "123456789.",
         "want an integer of at most 64 bits"),
    CASE("h\0.", "want one of 0 places of the memo, found 0"),
    CASE("Nq\0h\1.", "want one of 1 places of the memo, found 1"),
    CASE("Nj\xff\xff\xff\xff", "want one of 0 places of the memo, found 4294967295"),
    CASE("Nr\xff\xff\xff\xff", "want a memo of at most 0 places, found 4294967295"),
    CASE("q\0", "want objects on the stack"),
    CASE("R", "want objects on the stack"),
    CASE("N)R", "want a global and a tuple"),
    CASE("ctorch\nFloatStorage\nNR", "want a global and a tuple"),
    CASE("\x85", "want objects on the stack"),
    CASE("N(\x85", "want objects on the stack"), /* not from below the mark */
    CASE("t", "want a mark"),
    CASE("u", "want a mark"),
    CASE("(u", "want objects on the stack"),
    CASE("}(Nu", "want a value for each key"),
    CASE("}(NNe", "want a list to append to"),
    CASE("](NNu", "want a dict"),
    CASE(")Na", "want a list to append to"),
    CASE("NNNs", "want a dict"),
    CASE("]Nb", "want an object to set attributes of"),
    CASE("NN\x93", "want two strings"),
    CASE("Q", "want objects on the stack"),
};

static void refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        dlg_pickle pickle;
        dlg_error err;
        assert_refused(read_bytes(&pickle, cases[i].bytes, cases[i].n, &err), DLG_EFORMAT, &err,
                       "x.pt: pickle: ", cases[i].object);
    }
}

/* No number of opcodes asks for more than a bounded number of objects, and no depth for more stack. */
static void many(void **state)
{
    (void)state;
    enum { N = (1 << 20) + 2 };
    static const char *const repeated[] = {"N", "(", "]", ")"};
    char *bytes = malloc(N);
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        dlg_pickle pickle;
        dlg_error err;
        memset(bytes, *repeated[i], N);
        assert_refused(read_bytes(&pickle, bytes, N, &err), DLG_EFORMAT, &err, "x.pt", "want at most 1048576 objects");
    }
    free(bytes);
}

static dlg_status attempt(void *argument, dlg_error *err)
{
    dlg_pickle pickle;
    const dlg_status status = dlg_pickle_read(&pickle, 2, GLOBALS, "x.pt", argument, strlen(argument), err);
    dlg_pickle_release(&pickle);
    return status;
}

static void out_of_memory(void **state)
{
    (void)state;
    char bytes[] = "](NNK\1e.";
    assert_true(fail_every_allocation(attempt, bytes) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers), cmocka_unit_test(calls_are_noted), cmocka_unit_test(refused),
        cmocka_unit_test(many),       cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
