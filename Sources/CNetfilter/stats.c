// SPDX-License-Identifier: GPL-3.0-or-later
//
// GET_STATS_CPU of the conntrack and the expectation subsystem: two dumps, each read to its end, since a dump left half
// read pins nf_conntrack_netlink.

#include "CNetfilter.h"
#include "request.h"

#include <sys/socket.h>

#define PATIENCE_S 1
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

/// What one subsystem tells, and where it goes.
struct subsystem {
    uint16_t type;
    const uint8_t *stats; ///< enum cnf_stat by attribute type
    size_t known;
};

static const struct subsystem subsystems[] = {
    {CONNTRACK_TYPE(IPCTNL_MSG_CT_GET_STATS_CPU), conntrack_stats, sizeof(conntrack_stats)},
    {EXPECTATION_TYPE(IPCTNL_MSG_EXP_GET_STATS_CPU), expectation_stats, sizeof(expectation_stats)},
};

/// Reads the message about one CPU. Returns how many there are at least, by its number; 0 when it tells of none.
static int read_cpu(const uint8_t *message, const struct nlmsghdr *header, const struct subsystem *subsystem,
                    struct cnf_cpu_stats *out, size_t capacity)
{
    struct attributes rest;
    struct attribute attribute;
    struct nfgenmsg generic;

    if (!read_attributes(message, header->nlmsg_len, header, &rest))
        return 0;
    memcpy(&generic, message + NLMSG_HDRLEN, sizeof(generic));
    const uint16_t cpu = be16toh(generic.res_id); // the CPU's number, in network byte order
    if (cpu >= capacity)
        return 0;

    struct cnf_cpu_stats *const stats = &out[cpu];
    stats->cpu = cpu;
    while (next_attribute(&rest, &attribute)) {
        if (attribute.type >= subsystem->known || subsystem->stats[attribute.type] == UNKNOWN ||
            attribute.size != sizeof(uint32_t))
            continue;
        stats->value[subsystem->stats[attribute.type]] = be32_of(attribute);
        stats->present |= 1u << subsystem->stats[attribute.type];
    }
    return cpu + 1;
}

/// Asks one subsystem and reads its dump to the end. Returns how many CPUs it told of, or -errno.
static int ask(struct request *request, const struct subsystem *subsystem, struct cnf_cpu_stats *out, size_t capacity)
{
    int cpus = 0;

    request->sequence++;
    request->ended = false;
    int error = cnf_request_dump(request, subsystem->type, AF_UNSPEC);
    while (error == 0 && !request->ended) {
        const uint8_t *message;
        struct nlmsghdr header;

        if (is_read(request)) {
            error = cnf_request_receive(request);
            continue;
        }
        const int taken = take_answer(request, &message, &header);
        if (taken < 0)
            error = taken;
        const int cpu = taken > 0 ? read_cpu(message, &header, subsystem, out, capacity) : 0;
        if (cpu > cpus)
            cpus = cpu;
    }
    return error != 0 ? error : cpus;
}

int cnf_stats_cpu(struct cnf_cpu_stats *out, size_t capacity)
{
    struct request request;
    int result = cnf_request_open(&request, PATIENCE_S);
    int cpus = 0;

    memset(out, 0, capacity * sizeof(*out));
    for (size_t i = 0; result >= 0 && i < sizeof(subsystems) / sizeof(subsystems[0]); i++) {
        result = ask(&request, &subsystems[i], out, capacity);
        if (result > cpus)
            cpus = result;
    }
    cnf_request_close(&request);
    return result < 0 ? result : cpus;
}
