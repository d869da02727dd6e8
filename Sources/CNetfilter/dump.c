// SPDX-License-Identifier: GPL-3.0-or-later
//
// One dump of the table: asked for once, received a datagram at a time, decoded a batch at a time. The kernel builds the
// next datagram inside the receive call, so that reading is what drives it and nothing piles up.

#include "CNetfilter.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/// The kernel's datagrams grow with the buffer they are received into, up to 32 KiB (net/netlink/af_netlink.c).
#define DATAGRAM 32768
/// The kernel answers within the calls that ask; waiting at all is a fault.
#define PATIENCE_S 5

struct cnf_dump {
    int fd;
    uint32_t port;
    bool ended;
    size_t at, size; ///< in `datagram`: the next message, and the end
    uint8_t datagram[DATAGRAM] __attribute__((aligned(8)));
};

/// Any number but 0: an answer must carry it and our port.
static const uint32_t sequence = 1;

static int ask(struct cnf_dump *dump, uint8_t family)
{
    const struct {
        struct nlmsghdr header;
        struct nfgenmsg message;
    } request = {
        .header =
            {
                .nlmsg_len = sizeof(request),
                .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                .nlmsg_seq = sequence,
            },
        .message = {.nfgen_family = family, .version = NFNETLINK_V0},
    };
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    for (;;) {
        if (sendto(dump->fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
            return 0;
        if (errno != EINTR)
            return -errno;
    }
}

static int open_socket(struct cnf_dump *dump)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    socklen_t length = sizeof(address);

    dump->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (dump->fd < 0)
        return -errno;
    if (bind(dump->fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(dump->fd, (struct sockaddr *)&address, &length) != 0 ||
        setsockopt(dump->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
        return -errno;
    dump->port = address.nl_pid;
    return 0;
}

/// Takes `fd` over, which may be -1; NULL when there is no memory for it.
static struct cnf_dump *dump_of(int fd)
{
    struct cnf_dump *dump = malloc(sizeof(*dump));

    if (dump == NULL)
        return NULL;
    dump->fd = fd;
    dump->port = 0;
    dump->ended = false;
    dump->at = dump->size = 0;
    return dump;
}

int cnf_dump_adopt(int fd, struct cnf_dump **out)
{
    struct cnf_dump *dump = dump_of(fd);

    if (dump == NULL)
        return -ENOMEM;
    *out = dump;
    return 0;
}

int cnf_dump_open(uint8_t family, struct cnf_dump **out)
{
    struct cnf_dump *dump = dump_of(-1);

    if (dump == NULL)
        return -ENOMEM;
    int error = open_socket(dump);
    if (error == 0)
        error = ask(dump, family);
    if (error != 0) {
        cnf_dump_close(dump);
        return error;
    }
    *out = dump;
    return 0;
}

void cnf_dump_close(struct cnf_dump *dump)
{
    if (dump == NULL)
        return;
    if (dump->fd >= 0)
        close(dump->fd);
    free(dump);
}

/// The next datagram of the kernel's; anybody with CAP_NET_ADMIN may send us one as well.
static int receive(struct cnf_dump *dump)
{
    for (;;) {
        struct sockaddr_nl sender;
        struct iovec vector = {.iov_base = dump->datagram, .iov_len = sizeof(dump->datagram)};
        struct msghdr message = {
            .msg_name = &sender, .msg_namelen = sizeof(sender), .msg_iov = &vector, .msg_iovlen = 1};
        const ssize_t size = recvmsg(dump->fd, &message, 0);

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
        dump->at = 0;
        dump->size = (size_t)size;
        return 0;
    }
}

/// The errno value at the start of NLMSG_ERROR and NLMSG_DONE; 0 when it is not there.
static int status_of(const struct nlmsghdr *header)
{
    int status = 0;

    if (header->nlmsg_len >= NLMSG_HDRLEN + sizeof(status))
        memcpy(&status, (const uint8_t *)header + NLMSG_HDRLEN, sizeof(status));
    return status;
}

/// Takes the message that `dump` stands at. Returns 1 when it filled `out`, 0 when not, -errno.
static int take(struct cnf_dump *dump, struct cnf_entry *out, struct cnf_dump_tally *tally)
{
    const struct nlmsghdr *header = (const void *)(dump->datagram + dump->at);
    const size_t left = dump->size - dump->at;

    if (left < sizeof(*header) || header->nlmsg_len < sizeof(*header) || header->nlmsg_len > left)
        return -EBADMSG;
    dump->at += NLMSG_ALIGN(header->nlmsg_len) < left ? NLMSG_ALIGN(header->nlmsg_len) : left;
    if (header->nlmsg_seq != sequence || header->nlmsg_pid != dump->port)
        return 0;
    tally->interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
        dump->ended = true;
        return status_of(header);
    }
    const int decoded = cnf_decode_entry(header, header->nlmsg_len, out);
    tally->entries += decoded > 0;
    tally->truncated += decoded < 0;
    return decoded > 0;
}

int cnf_dump_next(struct cnf_dump *dump, struct cnf_entry *entries, size_t capacity, struct cnf_dump_tally *tally)
{
    size_t filled = 0;

    while (filled == 0 && !dump->ended) {
        if (dump->at >= dump->size) {
            const int error = receive(dump);
            if (error != 0)
                return error;
        }
        // What one datagram gives is handed on while it is in the cache.
        while (filled < capacity && dump->at < dump->size && !dump->ended) {
            const int taken = take(dump, &entries[filled], tally);
            if (taken < 0)
                return taken;
            filled += (size_t)taken;
        }
    }
    return (int)filled;
}
