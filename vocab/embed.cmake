# cmake -DINPUT=vocab.txt -DOUTPUT=vocabulary.c -P embed.cmake: the file's bytes as a C array behind vocab/vocabulary.h.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................................)" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUTPUT}.new "/* Made from vocab.txt by embed.cmake; not to be edited. */
#include \"vocab/vocabulary.h\"

static const unsigned char vocabulary[] = {
    ${bytes}
};

const unsigned char *dlg_builtin_vocabulary(size_t *n_bytes)
{
    *n_bytes = sizeof vocabulary;
    return vocabulary;
}
")
# Or each run of cmake would have it compiled again.
execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${OUTPUT}.new ${OUTPUT})
file(REMOVE ${OUTPUT}.new)
