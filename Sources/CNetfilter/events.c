// SPDX-License-Identifier: GPL-3.0-or-later
//
// The ctnetlink multicast socket: opened, joined, and emptied in batches straight into ring slots.

#define _GNU_SOURCE
#include "CNetfilter.h"

#include "message.h"
#include "ring.h"
#include "slots.h"

#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// Datagrams a recvmmsg: from 16 to 256 an event costs the same (docs/performance.md), and 64 x 2 KiB stays in the L2
/// cache.
#define BATCH 64
/// Ring records a pump when there are no slots to say how many.
#define RING_BATCH 1024
/// An event with every attribute a kernel knows is below 1 KiB; security contexts and labels may add to it.
#define DATAGRAM 2048

struct cnf_events {
    int fd;
    struct cnf_ring *ring; ///< NULL = recvmmsg
    cnf_tap *tap;          ///< NULL = nobody
    void *context;         ///< the tap's
    struct glance glance;  ///< what the kernel keeps out
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_nl senders[BATCH];
    uint8_t buffers[BATCH][DATAGRAM];
};

int cnf_events_adopt(int fd, struct cnf_events **out)
{
    struct cnf_events *events = calloc(1, sizeof(*events));

    if (events == NULL)
        return -ENOMEM;
    events->fd = fd;
    events->glance = (struct glance){.family = -1, .protocol = -1};
    for (int i = 0; i < BATCH; i++) {
        events->vectors[i].iov_base = events->buffers[i];
        events->vectors[i].iov_len = DATAGRAM;
        events->messages[i].msg_hdr.msg_iov = &events->vectors[i];
        events->messages[i].msg_hdr.msg_iovlen = 1;
        events->messages[i].msg_hdr.msg_name = &events->senders[i];
    }
    *out = events;
    return 0;
}

int cnf_events_open(uint32_t receive_buffer, struct cnf_events **out)
{
    const struct sockaddr_nl any_port = {.nl_family = AF_NETLINK};
    const int size = receive_buffer > INT32_MAX / 2 ? INT32_MAX / 2 : (int)receive_buffer;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

    if (fd < 0)
        return -errno;
    // FORCE needs CAP_NET_ADMIN in the initial user namespace; without it net.core.rmem_max caps the buffer.
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));

    // Unbound, the socket has port 0 like the kernel, and a multicast passes over its own sender: it would hear nothing.
    int error = bind(fd, (const struct sockaddr *)&any_port, sizeof(any_port)) == 0 ? 0 : -errno;
    if (error == 0)
        error = cnf_events_adopt(fd, out);
    if (error != 0)
        close(fd);
    return error;
}

void cnf_events_close(struct cnf_events *events)
{
    if (events == NULL)
        return;
    cnf_ring_close(events->ring);
    close(events->fd);
    free(events);
}

int cnf_events_filter(struct cnf_events *events, const struct cnf_filter *filter)
{
    struct sock_filter program[CLASSIC_LENGTH];
    struct sock_fprog code = {.filter = program};

    const int hurries = events->glance.hurries;

    events->glance = cnf_glance(filter);
    events->glance.hurries = hurries;
    code.len = (unsigned short)cnf_filter_make_classic(events->glance, program);
    if (code.len == 0)
        return 0;
    // A ring's filter takes its place.
    return setsockopt(events->fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof(code)) == 0 ? 0 : -errno;
}

void cnf_events_hurry(struct cnf_events *events)
{
    events->glance.hurries = 1;
}

int cnf_events_attach_ring(struct cnf_events *events, uint32_t bytes)
{
    return cnf_ring_open(events->fd, bytes, events->glance, &events->ring);
}

uint32_t cnf_events_ring_size(const struct cnf_events *events)
{
    return events->ring == NULL ? 0 : cnf_ring_size(events->ring);
}

int cnf_events_descriptor(const struct cnf_events *events)
{
    return events->ring == NULL ? -1 : cnf_ring_descriptor(events->ring);
}

void cnf_events_silence(const struct cnf_events *events)
{
    if (events->ring != NULL)
        cnf_ring_silence(events->ring);
}

void cnf_events_tap(struct cnf_events *events, cnf_tap *tap, void *context)
{
    events->tap = tap;
    events->context = context;
}

int cnf_events_kernel_counts(struct cnf_events *events, struct cnf_kernel_counts *out)
{
    return events->ring == NULL ? -ENOTSUP : cnf_ring_counts(events->ring, out);
}

static const struct {
    enum cnf_group bit;
    int group;
} known_groups[] = {
    {CNF_GROUP_NEW, NFNLGRP_CONNTRACK_NEW},
    {CNF_GROUP_UPDATE, NFNLGRP_CONNTRACK_UPDATE},
    {CNF_GROUP_DESTROY, NFNLGRP_CONNTRACK_DESTROY},
};

#define KNOWN_GROUPS (sizeof(known_groups) / sizeof(known_groups[0]))

static int change_membership(const struct cnf_events *events, int option, uint32_t groups, size_t which)
{
    if ((groups & known_groups[which].bit) == 0)
        return 0;
    return setsockopt(events->fd, SOL_NETLINK, option, &known_groups[which].group, sizeof(int)) == 0 ? 0 : -errno;
}

int cnf_events_join(struct cnf_events *events, uint32_t groups)
{
    int error = 0;

    for (size_t i = 0; error == 0 && i < KNOWN_GROUPS; i++)
        error = change_membership(events, NETLINK_ADD_MEMBERSHIP, groups, i);
    return error;
}

// The other way round than joined: an entry of which we hear that it went must be one of which we heard that it came.
int cnf_events_leave(struct cnf_events *events, uint32_t groups)
{
    int error = 0;

    for (size_t i = KNOWN_GROUPS; error == 0 && i > 0; i--)
        error = change_membership(events, NETLINK_DROP_MEMBERSHIP, groups, i - 1);
    return error;
}

int cnf_events_receive_buffer(struct cnf_events *events)
{
    int size;
    socklen_t length = sizeof(size);

    return getsockopt(events->fd, SOL_SOCKET, SO_RCVBUF, &size, &length) == 0 ? size : -errno;
}

int cnf_events_overruns(struct cnf_events *events, uint32_t *out)
{
    uint32_t memory[SK_MEMINFO_VARS] = {0};
    socklen_t length = sizeof(memory);

    if (getsockopt(events->fd, SOL_SOCKET, SO_MEMINFO, memory, &length) != 0)
        return -errno;
    if (length < (SK_MEMINFO_DROPS + 1) * sizeof(memory[0]))
        return -ENOPROTOOPT;
    *out = memory[SK_MEMINFO_DROPS];
    return 0;
}

/// Anybody with CAP_NET_ADMIN may send to the group; only port 0 is the kernel.
static bool from_kernel(const struct msghdr *header)
{
    const struct sockaddr_nl *sender = header->msg_name;

    return header->msg_namelen < sizeof(*sender) || sender->nl_family != AF_NETLINK || sender->nl_pid == 0;
}

/// ctnetlink sends each event as a datagram of its own, but nothing in netlink promises that.
static void place_all(const uint8_t *datagram, size_t length, uint64_t time_ns, struct slots *slots,
                      struct cnf_tally *tally)
{
    struct nlmsghdr header;

    while (read_header(datagram, length, &header)) {
        const size_t room = room_of(&header, length);

        cnf_place(datagram, length, time_ns, slots, tally);
        if (room == 0)
            return;
        datagram += room;
        length -= room;
    }
}

/// A cut datagram has its first header all the same.
static void count_truncated(const uint8_t *datagram, size_t length, struct cnf_tally *tally)
{
    struct nlmsghdr header;
    const int kind = read_header(datagram, length, &header) ? kind_of(&header) : -1;

    if (kind >= 0)
        tally->truncated[kind]++;
    else
        tally->malformed++;
}

int cnf_events_pump(struct cnf_events *events, union cnf_record *first, size_t count, uint64_t time_ns,
                    struct cnf_tally *tally, size_t *datagrams)
{
    // Never receive more than there are slots for, unless there are none at all.
    const unsigned int batch = count == 0 || count > BATCH ? BATCH : (unsigned int)count;
    struct slots slots = {.first = first, .count = count, .tap = events->tap, .context = events->context};

    *datagrams = 0;
    if (events->ring != NULL) {
        *datagrams = cnf_ring_pump(events->ring, count == 0 ? RING_BATCH : count, time_ns, &slots, tally);
        return (int)slots.used;
    }
    for (unsigned int i = 0; i < batch; i++)
        events->messages[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_nl);

    int received;
    do
        received = recvmmsg(events->fd, events->messages, batch, MSG_DONTWAIT, NULL);
    while (received < 0 && errno == EINTR);
    if (received < 0)
        return errno == EAGAIN ? 0 : -errno;

    *datagrams = (size_t)received;
    for (int i = 0; i < received; i++) {
        const struct msghdr *header = &events->messages[i].msg_hdr;

        if (!from_kernel(header))
            continue;
        if ((header->msg_flags & MSG_TRUNC) != 0)
            count_truncated(events->buffers[i], events->messages[i].msg_len, tally);
        else
            place_all(events->buffers[i], events->messages[i].msg_len, time_ns, &slots, tally);
    }
    return (int)slots.used;
}
