// SPDX-License-Identifier: GPL-3.0-or-later
//
// GET_STATS_CPU of the conntrack and the expectation subsystem: two dumps, each read to its end, since a dump left half
// read pins nf_conntrack_netlink.

#include "CNetfilter.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#define UNKNOWN CNF_STAT_COUNT

static const uint8_t conntrack_stats[] = {
    [CTA_STATS_SEARCHED] = UNKNOWN,
    [CTA_STATS_FOUND] = CNF_STAT_FOUND,
    [CTA_STATS_NEW] = UNKNOWN,
    [CTA_STATS_INVALID] = CNF_STAT_INVALID,
    [CTA_STATS_IGNORE] = UNKNOWN,
    [CTA_STATS_DELETE] = UNKNOWN,
    [CTA_STATS_DELETE_LIST] = UNKNOWN,
    [CTA_STATS_INSERT] = CNF_STAT_INSERT,
    [CTA_STATS_INSERT_FAILED] = CNF_STAT_INSERT_FAILED,
    [CTA_STATS_DROP] = CNF_STAT_DROP,
    [CTA_STATS_EARLY_DROP] = CNF_STAT_EARLY_DROP,
    [CTA_STATS_ERROR] = CNF_STAT_ERROR,
    [CTA_STATS_SEARCH_RESTART] = CNF_STAT_SEARCH_RESTART,
    [14] = CNF_STAT_CLASH_RESOLVE, // CTA_STATS_CLASH_RESOLVE, kernel 5.10
    [15] = CNF_STAT_CHAIN_TOOLONG, // CTA_STATS_CHAIN_TOOLONG, kernel 5.15
};

static const uint8_t expectation_stats[] = {
    [CTA_STATS_EXP_UNSPEC] = UNKNOWN,
    [CTA_STATS_EXP_NEW] = CNF_STAT_EXPECT_NEW,
    [CTA_STATS_EXP_CREATE] = CNF_STAT_EXPECT_CREATE,
    [CTA_STATS_EXP_DELETE] = CNF_STAT_EXPECT_DELETE,
};

struct dump {
    const uint8_t *stats;
    size_t known;
    struct cnf_cpu_stats *out;
    size_t capacity;
    int cpus;
};

static int on_cpu(const struct nlmsghdr *header, void *context)
{
    struct dump *dump = context;
    const struct nlattr *attribute;

    if (header->nlmsg_len < MNL_NLMSG_HDRLEN + sizeof(struct nfgenmsg))
        return MNL_CB_OK;
    // res_id carries the CPU's number, in network byte order.
    const struct nfgenmsg *message = mnl_nlmsg_get_payload(header);
    const uint16_t cpu = be16toh(message->res_id);
    if (cpu >= dump->capacity)
        return MNL_CB_OK;

    struct cnf_cpu_stats *stats = &dump->out[cpu];
    stats->cpu = cpu;
    if (cpu >= dump->cpus)
        dump->cpus = cpu + 1;
    mnl_attr_for_each(attribute, header, sizeof(struct nfgenmsg))
    {
        const uint16_t type = mnl_attr_get_type(attribute);

        if (type >= dump->known || dump->stats[type] == UNKNOWN)
            continue;
        if (mnl_attr_validate(attribute, MNL_TYPE_U32) < 0)
            continue;
        stats->value[dump->stats[type]] = be32toh(mnl_attr_get_u32(attribute));
        stats->present |= 1u << dump->stats[type];
    }
    return MNL_CB_OK;
}

static int ask(struct mnl_socket *socket, uint16_t type, struct dump *dump)
{
    uint8_t buffer[8192] __attribute__((aligned(8)));
    const unsigned int sequence = (unsigned int)time(NULL) ^ type;
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    struct nfgenmsg *message;
    ssize_t length;
    int more;

    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = sequence;
    message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
    message->nfgen_family = AF_UNSPEC;
    message->version = NFNETLINK_V0;
    if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0)
        return -errno;

    do {
        length = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
        if (length < 0)
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        more = mnl_cb_run(buffer, (size_t)length, sequence, mnl_socket_get_portid(socket), on_cpu, dump);
    } while (more > MNL_CB_STOP);
    return more < 0 ? -errno : 0;
}

static int ask_both(struct mnl_socket *socket, struct cnf_cpu_stats *out, size_t capacity)
{
    struct dump conntrack = {conntrack_stats, sizeof(conntrack_stats), out, capacity, 0};
    struct dump expectations = {expectation_stats, sizeof(expectation_stats), out, capacity, 0};
    int error;

    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
        return -errno;
    error = ask(socket, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS_CPU, &conntrack);
    if (error != 0)
        return error;
    error = ask(socket, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET_STATS_CPU, &expectations);
    return error != 0 ? error : conntrack.cpus;
}

int cnf_stats_cpu(struct cnf_cpu_stats *out, size_t capacity)
{
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    const struct timeval patience = {.tv_sec = 1};

    if (socket == NULL)
        return -errno;
    memset(out, 0, capacity * sizeof(*out));
    setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));

    const int result = ask_both(socket, out, capacity);
    mnl_socket_close(socket);
    return result;
}
