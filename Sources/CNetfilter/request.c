// SPDX-License-Identifier: GPL-3.0-or-later

#include "request.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void cnf_request_init(struct request *request, int fd)
{
    request->fd = fd;
    request->port = 0;
    request->sequence = 1; // any number but 0
    request->ended = request->interrupted = false;
    request->at = request->size = 0;
}

int cnf_request_open(struct request *request, int patience_s)
{
    const struct timeval patience = {.tv_sec = patience_s};
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    socklen_t length = sizeof(address);

    cnf_request_init(request, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (request->fd < 0)
        return -errno;
    if (bind(request->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(request->fd, (struct sockaddr *)&address, &length) != 0 ||
        setsockopt(request->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        return -errno;
    request->port = address.nl_pid;
    return 0;
}

void cnf_request_close(struct request *request)
{
    if (request->fd >= 0)
        close(request->fd);
    request->fd = -1;
}

int cnf_request_dump(struct request *request, uint16_t type, uint8_t family)
{
    return cnf_request_dump_with(request, type, family, NULL, 0);
}

int cnf_request_dump_with(struct request *request, uint16_t type, uint8_t family, const void *attributes, size_t size)
{
    const struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } asked = {
        .header =
            {
                .nlmsg_len = (uint32_t)(sizeof(asked) + size),
                .nlmsg_type = type,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                .nlmsg_seq = request->sequence,
            },
        .message = {.nfgen_family = family, .version = NFNETLINK_V0},
    };
    struct iovec parts[] = {
        {.iov_base = (void *)&asked, .iov_len = sizeof(asked)},
        {.iov_base = (void *)attributes, .iov_len = size},
    };
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    const struct msghdr message = {
        .msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1};

    for (;;) {
        if (sendmsg(request->fd, &message, 0) >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

/// Anybody with CAP_NET_ADMIN may send us a datagram as well; only port 0 is the kernel.
int cnf_request_receive(struct request *request)
{
    for (;;) {
        struct sockaddr_nl sender;
        struct iovec vector = {.iov_base = request->datagram, .iov_len = sizeof(request->datagram)};
        struct msghdr message = {
            .msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &vector, .msg_iovlen = 1};
        const ssize_t size = recvmsg(request->fd, &message, 0);

        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        if (message.msg_namelen >= sizeof(sender) && sender.nl_pid != 0)
            continue;
        if ((message.msg_flags & MSG_TRUNC) != 0)
            return -EMSGSIZE;
        if (size == 0) // the end of a stream that netlink does not have
            return -EBADMSG;
        request->at = 0;
        request->size = (size_t)size;
        return 0;
    }
}
