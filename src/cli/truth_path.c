#include "cli/truth_path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *dlg_truth_path_of(const char *output)
{
    static const char ending[] = ".truth.json";
    const char *slash = strrchr(output, '/'), *base = slash ? slash + 1 : output, *dot = strrchr(base, '.');
    const size_t n = dot && dot > base ? (size_t)(dot - output) : strlen(output);
    char *path = malloc(n + sizeof ending);
    if (path) snprintf(path, n + sizeof ending, "%.*s%s", (int)n, output, ending);
    return path;
}
