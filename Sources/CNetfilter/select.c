// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which entries are wanted: of events before any text is made of them, of a dump before anything is counted. The BPF
// program of filter.c, or the socket's, knows family and protocol too, so that most are never copied.

#include "select.h"

#include "message.h"
#include "tuple.h"

#include <netinet/in.h>

static bool is_in(const struct cnf_prefix *prefix, uint8_t family, const uint8_t *address)
{
    uint64_t found[2], wanted[2], mask[2];

    if (prefix->family == 0)
        return true;
    if (prefix->family != family)
        return false;
    memcpy(found, address, sizeof(found));
    memcpy(wanted, prefix->address, sizeof(wanted));
    memcpy(mask, prefix->mask, sizeof(mask));
    return ((found[0] & mask[0]) ^ wanted[0]) == 0 && ((found[1] & mask[1]) ^ wanted[1]) == 0;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE ||
           protocol == IPPROTO_SCTP || protocol == IPPROTO_DCCP;
}

static bool is_port(const struct cnf_filter *filter, unsigned int which, uint8_t protocol, uint16_t port)
{
    return (filter->given & which) == 0 || (has_ports(protocol) && port == filter->ports[__builtin_ctz(which)]);
}

/// What events and entries have alike, whatever struct they lie in.
struct common {
    uint8_t family, protocol, tcp_state;
    uint16_t zone, source_port, destination_port;
    uint32_t status, mark;
    const uint8_t *source, *destination;
};

static bool wants_common(const struct cnf_filter *filter, const struct common *entry)
{
    const uint32_t given = filter->given;

    if (filter->family != 0 && filter->family != entry->family)
        return false;
    if ((given & CNF_BY_PROTOCOL) != 0 && (filter->protocols[entry->protocol / 32] >> entry->protocol % 32 & 1) == 0)
        return false;
    if ((given & CNF_BY_TCP_STATE) != 0 && filter->tcp_state != entry->tcp_state)
        return false;
    if ((given & CNF_BY_ZONE) != 0 && filter->zone != entry->zone)
        return false;
    return (entry->status & filter->status_set) == filter->status_set && (entry->status & filter->status_clear) == 0 &&
           (entry->mark & filter->mark_mask) == filter->mark &&
           is_port(filter, CNF_BY_SOURCE_PORT, entry->protocol, entry->source_port) &&
           is_port(filter, CNF_BY_DESTINATION_PORT, entry->protocol, entry->destination_port) &&
           is_in(&filter->source, entry->family, entry->source) &&
           is_in(&filter->destination, entry->family, entry->destination);
}

/// Whether a direction of the reply is not what the original's other end is. Ports of ICMP are ids, and translated alike.
static bool is_translated(const uint8_t *original, const uint8_t *reply, uint16_t port, uint16_t reply_port)
{
    return memcmp(original, reply, 16) != 0 || port != reply_port;
}

static bool wants_reply(const struct cnf_filter *filter, const struct cnf_entry *entry)
{
    const struct cnf_tuple *const original = &entry->original, *const reply = &entry->reply;
    const bool is_icmp = entry->protocol == IPPROTO_ICMP || entry->protocol == IPPROTO_ICMPV6;

    if (!is_port(filter, CNF_BY_REPLY_SOURCE_PORT, entry->protocol, reply->source_port) ||
        !is_port(filter, CNF_BY_REPLY_DESTINATION_PORT, entry->protocol, reply->destination_port) ||
        !is_in(&filter->reply_source, entry->family, reply->source) ||
        !is_in(&filter->reply_destination, entry->family, reply->destination))
        return false;
    if ((filter->given & (CNF_BY_ANY_NAT | CNF_BY_SOURCE_NAT | CNF_BY_DESTINATION_NAT)) == 0)
        return true;
    // The id stands for the source's port in both directions.
    const bool source = is_translated(original->source, reply->destination, original->source_port,
                                      is_icmp ? reply->source_port : reply->destination_port);
    const bool destination = is_translated(original->destination, reply->source,
                                           is_icmp ? 0 : original->destination_port, is_icmp ? 0 : reply->source_port);
    return ((filter->given & CNF_BY_ANY_NAT) == 0 || source || destination) &&
           ((filter->given & CNF_BY_SOURCE_NAT) == 0 || source) &&
           ((filter->given & CNF_BY_DESTINATION_NAT) == 0 || destination);
}

static bool asks_reply(const struct cnf_filter *filter)
{
    return (filter->given & CNF_BY_REPLY) != 0 || filter->reply_source.family != 0 ||
           filter->reply_destination.family != 0;
}

int cnf_filter_wants(const struct cnf_filter *filter, const struct cnf_entry *entry)
{
    const struct common common = {
        .family = entry->family,
        .protocol = entry->protocol,
        .tcp_state = entry->tcp_state,
        .zone = entry->zone,
        .source_port = entry->original.source_port,
        .destination_port = entry->original.destination_port,
        .status = entry->status,
        .mark = entry->mark,
        .source = entry->original.source,
        .destination = entry->original.destination,
    };

    return wants_common(filter, &common) && (!asks_reply(filter) || wants_reply(filter, entry));
}

size_t cnf_filter_keep(const struct cnf_filter *filter, struct cnf_entry *entries, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (!cnf_filter_wants(filter, &entries[i]))
            continue;
        if (kept != i)
            entries[kept] = entries[i];
        kept++;
    }
    return kept;
}

int cnf_filter_wants_event(const struct cnf_filter *filter, const struct cnf_event *event, const void *message,
                           size_t length)
{
    const struct common common = {
        .family = event->family,
        .protocol = event->protocol,
        .tcp_state = event->tcp_state,
        .zone = event->zone,
        .source_port = event->source_port,
        .destination_port = event->destination_port,
        .status = event->status,
        .mark = event->mark,
        .source = event->source,
        .destination = event->destination,
    };
    struct cnf_entry entry;

    if (!wants_common(filter, &common))
        return 0;
    if (!asks_reply(filter))
        return 1;
    // A reply that does not hold together is nobody's.
    return cnf_decode_any_entry(message, length, &entry) > 0 && wants_reply(filter, &entry);
}
