// SPDX-License-Identifier: GPL-3.0-or-later
//
// The netlink floor: recvmmsg on the monitor's timer policy, messages thrown away unread. And the dropping listener:
// a socket that is subscribed and whose filter refuses every message, which is what any listener costs whoever makes
// the entries: the kernel has built and broadcast the message by then.

#define _GNU_SOURCE
#include "floors.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct batch {
    struct mmsghdr *messages;
    struct iovec *vectors;
    struct sockaddr_nl *senders;
    uint8_t *bytes;
};

static bool allocate(const struct options *options, struct batch *batch)
{
    batch->messages = calloc(options->batch, sizeof(*batch->messages));
    batch->vectors = calloc(options->batch, sizeof(*batch->vectors));
    batch->senders = calloc(options->batch, sizeof(*batch->senders));
    batch->bytes = calloc(options->batch, options->datagram);
    if (batch->messages == NULL || batch->vectors == NULL || batch->senders == NULL || batch->bytes == NULL)
        return false;
    for (size_t i = 0; i < options->batch; i++) {
        batch->vectors[i].iov_base = batch->bytes + i * options->datagram;
        batch->vectors[i].iov_len = options->datagram;
        batch->messages[i].msg_hdr.msg_iov = &batch->vectors[i];
        batch->messages[i].msg_hdr.msg_iovlen = 1;
        batch->messages[i].msg_hdr.msg_name = options->name != 0 ? &batch->senders[i] : NULL;
    }
    return true;
}

struct counts {
    uint64_t received, truncated, bytes, calls, overruns;
};

/// Empties the queue; false when nothing was there.
static bool drain(int fd, const struct options *options, struct batch *batch, struct counts *counts)
{
    bool any = false;

    for (;;) {
        if (options->name != 0) {
            for (size_t i = 0; i < options->batch; i++)
                batch->messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);
        }
        const int received = recvmmsg(fd, batch->messages, (unsigned int)options->batch, MSG_DONTWAIT, NULL);

        counts->calls++;
        if (received < 0 && errno == ENOBUFS) {
            counts->overruns++;
            continue;
        }
        if (received <= 0)
            return any;
        any = true;
        counts->received += (uint64_t)received;
        for (int i = 0; i < received; i++) {
            counts->bytes += batch->messages[i].msg_len;
            counts->truncated += (batch->messages[i].msg_hdr.msg_flags & MSG_TRUNC) != 0;
        }
    }
}

int run_netlink(const struct options *options)
{
    const uint64_t short_ns = options->tick * 1000;
    uint64_t tick = short_ns;
    struct counts counts = {0};
    struct batch batch;
    const int fd = open_socket(options->buffer);

    if (fd < 0 || !allocate(options, &batch) || join_groups(fd, options->groups) != 0)
        return failed("netlink");
    while (!stopping()) {
        const bool busy = drain(fd, options, &batch, &counts);
        tick = next_tick(tick, short_ns, busy);
        sleep_ns(short_ns == 0 ? 1000000000 : tick, short_ns == 0 ? fd : -1);
    }
    drain(fd, options, &batch, &counts);
    printf("received=%lu truncated=%lu bytes=%lu calls=%lu overruns=%lu\n", counts.received, counts.truncated,
           counts.bytes, counts.calls, counts.overruns);
    return 0;
}

int run_drop(const struct options *options)
{
    struct sock_filter refuse = {.code = BPF_RET | BPF_K, .k = 0};
    const struct sock_fprog program = {.len = 1, .filter = &refuse};
    const int fd = open_socket(0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0 ||
        join_groups(fd, options->groups) != 0)
        return failed("drop");
    while (!stopping())
        sleep_ns(1000000000, -1);
    return 0;
}
