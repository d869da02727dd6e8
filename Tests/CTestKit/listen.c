// SPDX-License-Identifier: GPL-3.0-or-later
//
// A socket that hears everything, expectations too: what the decoder must pass over.

#define _GNU_SOURCE
#include "CTestKit.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int ctk_listen(void)
{
    static const int groups[] = {
        NFNLGRP_CONNTRACK_NEW,     NFNLGRP_CONNTRACK_UPDATE,     NFNLGRP_CONNTRACK_DESTROY,
        NFNLGRP_CONNTRACK_EXP_NEW, NFNLGRP_CONNTRACK_EXP_UPDATE, NFNLGRP_CONNTRACK_EXP_DESTROY,
    };
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) != 0)
        error = -errno;
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]) && error == 0; i++) {
        if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof(groups[i])) != 0)
            error = -errno;
    }
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

int ctk_ask_dump(void)
{
    const struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } request = {
        .header = {.nlmsg_len = sizeof(request),
                   .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .message = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0},
    };
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

    if (fd < 0)
        return -errno;
    if (sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
        return fd;
    const int error = -errno;
    close(fd);
    return error;
}

int ctk_forge(const void *message, size_t size, int group)
{
    const struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = 1u << (group - 1)};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (sendto(fd, message, size, 0, (const struct sockaddr *)&to, sizeof(to)) != (ssize_t)size)
        error = -errno;
    close(fd);
    return error;
}

/// Sends a uevent to `groups`, or without groups to the kernel. Waits for the kernel's answer then.
static int send_uevent(const void *message, size_t size, unsigned groups)
{
    const struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = groups};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    int error = 0;

    if (fd < 0)
        return -errno;
    if (sendto(fd, message, size, 0, (const struct sockaddr *)&to, sizeof(to)) != (ssize_t)size)
        error = -errno;
    if (error == 0 && groups == 0) {
        struct {
            struct nlmsghdr header;
            struct nlmsgerr error;
            char more[512];
        } answer;

        if (recv(fd, &answer, sizeof(answer), 0) < (ssize_t)(sizeof(answer.header) + sizeof(int)))
            error = -errno;
        else
            error = answer.error.error;
    }
    close(fd);
    return error;
}

int ctk_forge_uevent(const void *text, size_t size)
{
    return send_uevent(text, size, 1);
}

int ctk_kernel_uevent(const void *text, size_t size)
{
    struct {
        struct nlmsghdr header;
        char text[1024];
    } message = {.header = {.nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK}};

    if (size > sizeof(message.text))
        return -EMSGSIZE;
    message.header.nlmsg_len = (unsigned)(NLMSG_HDRLEN + size);
    memcpy(message.text, text, size);
    return send_uevent(&message, message.header.nlmsg_len, 0);
}

int ctk_packet_pair(int ends[2], int bytes)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    if (setsockopt(ends[0], SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) != 0)
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    return 0;
}
