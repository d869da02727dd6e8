// SPDX-License-Identifier: GPL-3.0-or-later
//
// Decodes messages from files over and over. run.sh beside it counts the instructions or asks for the time.
//
// usage: decode TIMES FILE ...      decodes the files' messages TIMES times, in a shuffled order when they are several
//        decode --time FILE ...     prints nanoseconds a message: decoded; every 8 bytes of it added up

#include "CNetfilter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILES 16
#define ORDER 4096 // longer than what a branch predictor learns by heart
#define ROUNDS 200

struct message {
    uint64_t words[128];
    size_t length;
};

static struct message messages[FILES];
static const struct message *order[ORDER];
static struct cnf_event events[64]; // with the messages, all stays in the first cache: what is timed is the decoding

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "decode: %s: %s\n", name, what);
    exit(1);
}

static void read_message(const char *name, struct message *out)
{
    struct cnf_event event;
    FILE *file = fopen(name, "rb");

    if (file == NULL)
        fail("cannot be opened", name);
    out->length = fread(out->words, 1, sizeof(out->words), file);
    fclose(file);
    if (cnf_decode(out->words, out->length, 0, &event) != 1)
        fail("is no conntrack event", name);
}

/// Every message about as often, in an order that is the same in every run.
static void load(char **names, size_t count)
{
    uint32_t random = 1;

    for (size_t i = 0; i < count; i++)
        read_message(names[i], &messages[i]);
    for (size_t i = 0; i < ORDER; i++) {
        random = random * 1664525 + 1013904223;
        order[i] = &messages[(random >> 8) % count];
    }
}

static void decode_all(size_t times)
{
    for (size_t i = 0; i < times; i++)
        cnf_decode(order[i % ORDER]->words, order[i % ORDER]->length, i, &events[i % 64]);
}

static uint64_t add_all(size_t times)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < times; i++) {
        const struct message *message = order[i % ORDER];

        for (size_t word = 0; word < (message->length + 7) / 8; word++)
            sum += message->words[word];
    }
    return sum;
}

static double nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void time_both(void)
{
    static volatile uint64_t sums;     // so that they are made
    double decoded = 1e9, added = 1e9; // the best round of each: what disturbs a round only adds to it

    for (int round = 0; round < ROUNDS; round++) {
        const double start = nanoseconds();
        decode_all(ORDER);
        const double middle = nanoseconds();
        sums = sums + add_all(ORDER);
        const double end = nanoseconds();

        decoded = middle - start < decoded ? middle - start : decoded;
        added = end - middle < added ? end - middle : added;
    }
    printf("%.1f %.1f\n", decoded / ORDER, added / ORDER);
}

int main(int argc, char **argv)
{
    if (argc < 3 || argc > 2 + FILES) {
        fprintf(stderr, "usage: decode TIMES|--time FILE ...\n");
        return 64;
    }
    load(argv + 2, (size_t)argc - 2);
    if (strcmp(argv[1], "--time") == 0)
        time_both();
    else
        decode_all(strtoul(argv[1], NULL, 10));
    return 0;
}
