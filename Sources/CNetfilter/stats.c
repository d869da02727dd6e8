// SPDX-License-Identifier: GPL-3.0-or-later
//
// GET_STATS_CPU of the conntrack and the expectation subsystem: two dumps, each read to its end at once, since a dump pins
// nf_conntrack_netlink until then.

#include "CNetfilter.h"
#include "request.h"

#include <sys/socket.h>
#include <unistd.h>

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

/// Reads the answer's next datagram. Returns 0 or -errno; `cpus` is how many CPUs were told of at least.
static int read_datagram(struct request *request, const struct subsystem *subsystem, struct cnf_cpu_stats *out,
                         size_t capacity, int *cpus)
{
    int error = cnf_request_receive(request);

    while (error == 0 && !is_read(request) && !request->ended) {
        const uint8_t *message;
        struct nlmsghdr header;
        const int taken = take_answer(request, &message, &header);
        const int count = taken > 0 ? read_cpu(message, &header, subsystem, out, capacity) : 0;

        if (taken < 0)
            error = taken;
        if (count > *cpus)
            *cpus = count;
    }
    return error;
}

/// Whether the module with this initstate may be asked. One that was unloaded cannot be read any more, also when it is back.
static bool is_live(int witness)
{
    char state[4];

    return witness < 0 || (pread(witness, state, sizeof(state), 0) == sizeof(state) && memcmp(state, "live", 4) == 0);
}

/// Asks both subsystems and reads both dumps to their end. Nothing comes between the look at `witness` and the first request:
/// that is all the time in which an unload could go unseen. While the first dump is not at its end it holds
/// nf_conntrack_netlink, so that the second request finds it.
static int ask(struct request requests[2], struct cnf_cpu_stats *out, size_t capacity, int witness)
{
    int cpus = 0;
    int error = is_live(witness) ? cnf_request_dump(&requests[0], subsystems[0].type, AF_UNSPEC) : -ENODEV;

    if (error == 0)
        error = read_datagram(&requests[0], &subsystems[0], out, capacity, &cpus);
    if (error != 0 || requests[0].ended)
        return error != 0 ? error : cpus;
    error = cnf_request_dump(&requests[1], subsystems[1].type, AF_UNSPEC);
    for (size_t i = 0; i < 2; i++) {
        while (error == 0 && !requests[i].ended)
            error = read_datagram(&requests[i], &subsystems[i], out, capacity, &cpus);
    }
    return error != 0 ? error : cpus;
}

int cnf_stats_cpu(struct cnf_cpu_stats *out, size_t capacity, int witness)
{
    struct request requests[2];
    int result = cnf_request_open(&requests[0], PATIENCE_S);
    const int second = cnf_request_open(&requests[1], PATIENCE_S);

    memset(out, 0, capacity * sizeof(*out));
    if (result == 0)
        result = second;
    if (result == 0)
        result = ask(requests, out, capacity, witness);
    cnf_request_close(&requests[0]);
    cnf_request_close(&requests[1]);
    return result;
}
