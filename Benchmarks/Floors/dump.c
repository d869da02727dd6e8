// SPDX-License-Identifier: GPL-3.0-or-later
//
// The dump floor: the whole table by ctnetlink through a 32 KiB buffer, and nothing of it parsed.

#define _GNU_SOURCE
#include "floors.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static bool is_end(const void *at)
{
    const struct nlmsghdr *header = at;

    return header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR;
}

int run_dump(const struct options *options)
{
    static uint8_t buffer[32768] __attribute__((aligned(8)));
    const struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                   .nlmsg_seq = 1},
        .message = {.version = NFNETLINK_V0},
    };
    /// The end message may come alone or behind entries; it is as long as this.
    const size_t end = NLMSG_LENGTH(sizeof(int));
    const double begin = seconds();
    const int fd = open_socket(0);
    uint64_t bytes = 0;

    (void)options;
    if (fd < 0 || send(fd, &request, sizeof(request), 0) != sizeof(request))
        return failed("dump");
    for (;;) {
        const ssize_t received = recv(fd, buffer, sizeof(buffer), 0);

        if (received <= 0)
            return failed("dump");
        bytes += (uint64_t)received;
        if (is_end(buffer) ||
            ((size_t)received >= end && is_end(buffer + (size_t)received - end) &&
             ((const struct nlmsghdr *)(const void *)(buffer + (size_t)received - end))->nlmsg_len == end))
            break;
    }
    printf("bytes=%lu seconds=%.6f cpu=%.6f\n", bytes, seconds() - begin, cpu_seconds());
    return 0;
}
