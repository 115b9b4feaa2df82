#define _DEFAULT_SOURCE /* RLIMIT_AS */
#include "base/memory.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* The first number behind a word in a file of the system, or the first number where the word is empty; SIZE_MAX where
 * there is none. */
static size_t number_in(const char *path, const char *word)
{
    char line[256];
    uint64_t value;
    size_t found = SIZE_MAX;
    FILE *file = fopen(path, "re");
    while (file && found == SIZE_MAX && fgets(line, sizeof line, file))
        if (!strncmp(line, word, strlen(word)) && sscanf(line + strlen(word), "%" SCNu64, &value) == 1)
            found = (size_t)value;
    if (file) fclose(file);
    return found;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What is left of `all` when `taken` and more are gone; all where there is no limit. */
static size_t left_of(size_t all, size_t taken)
{
    if (all == SIZE_MAX || taken == SIZE_MAX) return SIZE_MAX;
    return all > taken ? all - taken : 0;
}

static size_t of_kilobytes(size_t n)
{
    return n > SIZE_MAX / 1024 ? SIZE_MAX : 1024 * n;
}

static size_t of_address_space(size_t n_reserved)
{
    struct rlimit space;
    if (getrlimit(RLIMIT_AS, &space) || space.rlim_cur == RLIM_INFINITY) return SIZE_MAX;
    const size_t taken = of_kilobytes(number_in("/proc/self/status", "VmSize:"));
    return left_of((size_t)space.rlim_cur, taken > SIZE_MAX - n_reserved ? SIZE_MAX - 1 : taken + n_reserved);
}

/* Of a container: version 2 of control groups, then version 1. */
static size_t of_control_group(void)
{
    const size_t two =
        left_of(number_in("/sys/fs/cgroup/memory.max", ""), number_in("/sys/fs/cgroup/memory.current", ""));
    const size_t one = left_of(number_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", ""),
                               number_in("/sys/fs/cgroup/memory/memory.usage_in_bytes", ""));
    return least(one, two);
}

size_t dlg_memory_available(size_t n_reserved)
{
    const size_t machine = of_kilobytes(number_in("/proc/meminfo", "MemAvailable:"));
    return least(least(machine, of_control_group()), of_address_space(n_reserved));
}
