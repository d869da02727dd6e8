// SPDX-License-Identifier: GPL-3.0-or-later
//
// Entries made and deleted by ctnetlink, many messages a send. Only the last of a batch asks for an acknowledgement,
// but each refusal is answered with an NLMSG_ERROR all the same: accepted = sent - refused.

#include "CTestKit.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define BATCH 256
/// An entry of ours is 160 bytes; libnetfilter_conntrack is not told how much room it has.
#define MESSAGE_MAX 1024

struct generator {
    struct mnl_socket *socket;
    struct nf_conntrack *entry;
    uint32_t sequence;
    uint8_t buffer[BATCH * MESSAGE_MAX] __attribute__((aligned(8)));
};

static void generator_close(struct generator *generator)
{
    if (generator == NULL)
        return;
    if (generator->entry != NULL)
        nfct_destroy(generator->entry);
    if (generator->socket != NULL)
        mnl_socket_close(generator->socket);
    free(generator);
}

static int generator_open(struct generator **out)
{
    struct generator *generator = calloc(1, sizeof(*generator));
    const struct timeval patience = {.tv_sec = 10};
    const int size = 1 << 20;
    int yes = 1;

    if (generator == NULL)
        return -ENOMEM;
    generator->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    generator->entry = nfct_new();
    if (generator->socket == NULL || generator->entry == NULL || mnl_socket_bind(generator->socket, 0, 0) < 0) {
        const int error = errno;
        generator_close(generator);
        return -error;
    }
    // A whole batch of refusals must fit the receive buffer, or the number would be lost: no copies of our messages in
    // them, and a larger buffer where that is allowed.
    const int fd = mnl_socket_get_fd(generator->socket);
    mnl_socket_setsockopt(generator->socket, NETLINK_CAP_ACK, &yes, sizeof(yes));
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    *out = generator;
    return 0;
}

/// Entry number `index`: 10.x.y.z:1024+ -> 192.0.2.1:9, 16,384 source ports an address.
static void describe(struct nf_conntrack *entry, uint32_t index)
{
    const uint32_t client = htonl(0x0a000000 | index >> 14);
    const uint32_t server = htonl(0xc0000201);
    const uint16_t port = htons((uint16_t)(1024 + (index & 0x3fff)));

    nfct_set_attr_u8(entry, ATTR_ORIG_L3PROTO, AF_INET);
    nfct_set_attr_u8(entry, ATTR_ORIG_L4PROTO, IPPROTO_UDP);
    nfct_set_attr_u32(entry, ATTR_ORIG_IPV4_SRC, client);
    nfct_set_attr_u32(entry, ATTR_ORIG_IPV4_DST, server);
    nfct_set_attr_u16(entry, ATTR_ORIG_PORT_SRC, port);
    nfct_set_attr_u16(entry, ATTR_ORIG_PORT_DST, htons(9));
}

static void describe_reply(struct nf_conntrack *entry, uint32_t timeout_s, uint32_t status)
{
    nfct_setobjopt(entry, NFCT_SOPT_SETUP_REPLY);
    nfct_set_attr_u32(entry, ATTR_TIMEOUT, timeout_s);
    if (status != 0)
        nfct_set_attr_u32(entry, ATTR_STATUS, status);
}

static struct nlmsghdr *put_header(struct generator *generator, uint8_t *at, uint16_t type, uint16_t flags)
{
    struct nlmsghdr *header = mnl_nlmsg_put_header(at);
    struct nfgenmsg *message;

    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | flags;
    header->nlmsg_seq = ++generator->sequence;
    message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
    message->nfgen_family = AF_INET;
    message->version = NFNETLINK_V0;
    return header;
}

/// Reads up to the acknowledgement of message `last`; adds refusals.
static int read_answers(struct generator *generator, uint32_t last, uint64_t *refused, int *why)
{
    uint8_t answers[8192] __attribute__((aligned(8)));

    for (;;) {
        const ssize_t received = mnl_socket_recvfrom(generator->socket, answers, sizeof(answers));
        const struct nlmsghdr *header = (const void *)answers;
        int rest = (int)received;

        if (received < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        for (; mnl_nlmsg_ok(header, rest); header = mnl_nlmsg_next(header, &rest)) {
            if (header->nlmsg_type != NLMSG_ERROR)
                continue;
            const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
            if (answer->error != 0) {
                (*refused)++;
                *why = answer->error;
            }
            if (header->nlmsg_seq == last)
                return 0;
        }
    }
}

static int send_batch(struct generator *generator, size_t size, uint64_t *refused, int *why)
{
    if (mnl_socket_sendto(generator->socket, generator->buffer, size) < 0)
        return -errno;
    return read_answers(generator, generator->sequence, refused, why);
}

struct request {
    uint16_t type, flags;
    uint32_t first, count, timeout_s, status;
};

static int run(const struct request *request, uint64_t *accepted)
{
    struct generator *generator;
    int why = 0, error = generator_open(&generator);

    *accepted = 0;
    if (error != 0)
        return error;
    for (uint32_t done = 0; done < request->count && error == 0;) {
        const uint32_t batch = request->count - done < BATCH ? request->count - done : BATCH;
        uint64_t refused = 0;
        size_t size = 0;

        for (uint32_t i = 0; i < batch; i++) {
            const uint16_t acknowledge = i + 1 == batch ? NLM_F_ACK : 0;
            struct nlmsghdr *header = put_header(generator, generator->buffer + size, request->type,
                                                 (uint16_t)(request->flags | acknowledge));

            describe(generator->entry, request->first + done + i);
            if ((request->flags & NLM_F_CREATE) != 0)
                describe_reply(generator->entry, request->timeout_s, request->status);
            nfct_nlmsg_build(header, generator->entry);
            size += MNL_ALIGN(header->nlmsg_len);
        }
        error = send_batch(generator, size, &refused, &why);
        *accepted += batch - refused;
        done += batch;
    }
    generator_close(generator);
    // Being refused everything for want of a privilege is a mistake in the test and not a number.
    return error == 0 && *accepted == 0 && why == -EPERM ? why : error;
}

static int make_entries(uint32_t first, uint32_t count, uint32_t timeout_s, uint32_t status, uint64_t *made)
{
    const struct request request = {
        .type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
        .flags = NLM_F_CREATE | NLM_F_EXCL,
        .first = first,
        .count = count,
        .timeout_s = timeout_s,
        .status = status,
    };

    return run(&request, made);
}

int ctk_make_entries(uint32_t first, uint32_t count, uint32_t timeout_s, uint64_t *made)
{
    return make_entries(first, count, timeout_s, 0, made);
}

int ctk_make_assured_entries(uint32_t first, uint32_t count, uint32_t timeout_s, uint64_t *made)
{
    // The kernel refuses a status without IPS_CONFIRMED, which the entry has by then.
    return make_entries(first, count, timeout_s, IPS_CONFIRMED | IPS_SEEN_REPLY | IPS_ASSURED, made);
}

int ctk_delete_entries(uint32_t first, uint32_t count, uint64_t *deleted)
{
    const struct request request = {
        .type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
        .first = first,
        .count = count,
    };

    return run(&request, deleted);
}

/// Sends the one message in `header` and returns what the kernel said of it.
static int send_one(struct generator *generator, const struct nlmsghdr *header)
{
    uint64_t refused = 0;
    int why = 0;
    const int error = send_batch(generator, header->nlmsg_len, &refused, &why);

    return error != 0 ? error : why;
}

int ctk_flush_entries(void)
{
    struct generator *generator;
    int error = generator_open(&generator);

    if (error != 0)
        return error;
    struct nlmsghdr *header =
        put_header(generator, generator->buffer, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK);
    // Without a tuple DELETE means all; with AF_INET it would mean all of IPv4.
    ((struct nfgenmsg *)mnl_nlmsg_get_payload(header))->nfgen_family = AF_UNSPEC;
    error = send_one(generator, header);
    generator_close(generator);
    return error;
}
