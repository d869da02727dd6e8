// SPDX-License-Identifier: GPL-3.0-or-later
//
// What there is to hear: entries made and deleted by ctnetlink at full speed, and connections by real packets.

#define _GNU_SOURCE
#include "floors.h"

#include "CTestKit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#define TIMEOUT_S 600

static int refused(const char *what, int error)
{
    errno = -error;
    return failed(what);
}

int run_entries(const struct options *options)
{
    for (uint64_t round = 0; round < options->rounds; round++) {
        uint64_t made, deleted;
        const double begin = seconds(), begin_cpu = cpu_seconds();
        int error = ctk_make_entries(0, (uint32_t)options->count, TIMEOUT_S, &made);
        const double middle = seconds(), middle_cpu = cpu_seconds();

        if (error == 0)
            error = ctk_delete_entries(0, (uint32_t)options->count, &deleted);
        if (error != 0)
            return refused("entries", error);
        printf("made=%lu make_seconds=%.6f make_cpu=%.6f deleted=%lu delete_seconds=%.6f delete_cpu=%.6f\n", made,
               middle - begin, middle_cpu - begin_cpu, deleted, seconds() - middle, cpu_seconds() - middle_cpu);
    }
    return 0;
}

int run_fill(const struct options *options)
{
    uint64_t made;
    const int error = ctk_make_entries(0, (uint32_t)options->count, TIMEOUT_S, &made);

    if (error != 0)
        return refused("fill", error);
    printf("made=%lu\n", made);
    return 0;
}

#define PACKETS 256

/// Sleeps until `sent` packets are due that were begun to be sent at `begin`. A rate is kept in steps of a batch.
static void keep_rate(double begin, uint64_t sent, uint64_t rate)
{
    const double early = rate == 0 ? 0 : begin + (double)sent / (double)rate - seconds();

    if (early > 0)
        sleep_ns((uint64_t)(early * 1e9), -1);
}

/// Each packet goes to another address of 127.0.0.0/8 and is a connection of its own. Whom they reach reads none: its
/// queue is full at once, and packets to it are dropped without an answer, which would be another packet to track.
int run_packets(const struct options *options)
{
    static struct mmsghdr messages[PACKETS];
    static struct sockaddr_in addresses[PACKETS];
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    struct iovec payload = {.iov_base = &any, .iov_len = 8};
    socklen_t length = sizeof(any);
    const int smallest = 1;
    const int target = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const int source = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (target < 0 || source < 0 || setsockopt(target, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)) != 0 ||
        bind(target, (const struct sockaddr *)&any, sizeof(any)) != 0 ||
        getsockname(target, (struct sockaddr *)&any, &length) != 0)
        return failed("packets");
    for (size_t i = 0; i < PACKETS; i++) {
        addresses[i] = any;
        messages[i].msg_hdr = (struct msghdr){
            .msg_name = &addresses[i], .msg_namelen = sizeof(any), .msg_iov = &payload, .msg_iovlen = 1};
    }

    const double begin = seconds();
    uint64_t sent = 0;
    while (sent < options->count) {
        keep_rate(begin, sent, options->rate);
        const uint64_t left = options->count - sent;
        for (uint32_t i = 0; i < PACKETS; i++)
            addresses[i].sin_addr.s_addr = htonl(0x7f010000 + (uint32_t)sent + i);
        const int done = sendmmsg(source, messages, left < PACKETS ? (unsigned int)left : PACKETS, 0);
        if (done <= 0)
            return failed("sendmmsg");
        sent += (uint64_t)done;
    }
    printf("sent=%lu seconds=%.6f cpu=%.6f\n", sent, seconds() - begin, cpu_seconds());
    return 0;
}
