// SPDX-License-Identifier: GPL-3.0-or-later

#include "floors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int (*run)(const struct options *options);
} commands[] = {
    {"netlink", run_netlink}, {"bpf", run_bpf},   {"drop", run_drop},       {"dump", run_dump},
    {"entries", run_entries}, {"fill", run_fill}, {"packets", run_packets}, {"buffer", run_buffer},
};

static int misused(void)
{
    fputs("usage: BenchmarkFloors netlink|bpf|drop|dump|entries|fill|packets|buffer [NAME=NUMBER ...]\n"
          "       BenchmarkFloors guard PROGRAM [ARGUMENT ...]\n",
          stderr);
    return 64;
}

static bool set_option(struct options *options, const char *text)
{
    const struct {
        const char *name;
        uint64_t *value;
    } known[] = {
        {"groups", &options->groups}, {"buffer", &options->buffer},     {"ring", &options->ring},
        {"batch", &options->batch},   {"datagram", &options->datagram}, {"tick", &options->tick},
        {"name", &options->name},     {"count", &options->count},       {"rounds", &options->rounds},
        {"rate", &options->rate},     {"pid", &options->pid},
    };
    const char *equals = strchr(text, '=');
    char *end;

    for (size_t i = 0; equals != NULL && i < sizeof(known) / sizeof(known[0]); i++) {
        const size_t length = strlen(known[i].name);
        if (length != (size_t)(equals - text) || strncmp(text, known[i].name, length) != 0)
            continue;
        *known[i].value = strtoull(equals + 1, &end, 10);
        return end != equals + 1 && *end == '\0';
    }
    return false;
}

int main(int argc, char **argv)
{
    // The monitor's own defaults: new and destroy, 16 MiB asked for and half of it for a ring, 64 x 2 KiB, 2 ms.
    struct options options = {.groups = 5,
                              .buffer = 16 << 20,
                              .ring = 8 << 20,
                              .batch = 64,
                              .datagram = 2048,
                              .tick = 2000,
                              .name = 1,
                              .count = 100000,
                              .rounds = 1};

    if (argc < 2)
        return misused();
    if (strcmp(argv[1], "guard") == 0 && argc > 2)
        return guard(argv + 2);
    for (int i = 2; i < argc; i++) {
        if (!set_option(&options, argv[i]))
            return misused();
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(&options);
    }
    return misused();
}
