// SPDX-License-Identifier: GPL-3.0-or-later

#include "parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

// MARK: Attributes of one size

/// Its payload when it has `size` bytes; else it is odd, and NULL.
static const uint8_t *sized(struct attribute attribute, size_t size, struct parts *out)
{
    if (attribute.size == size)
        return attribute.payload;
    out->odd = true;
    return NULL;
}

static bool read_u16(struct attribute attribute, uint16_t *value, struct parts *out)
{
    const uint8_t *payload = sized(attribute, sizeof(*value), out);

    if (payload != NULL)
        *value = be16_at(payload);
    return payload != NULL;
}

static bool read_u32(struct attribute attribute, uint32_t *value, struct parts *out)
{
    const uint8_t *payload = sized(attribute, sizeof(*value), out);

    if (payload != NULL)
        *value = be32_at(payload);
    return payload != NULL;
}

static bool read_u64(struct attribute attribute, uint64_t *value, struct parts *out)
{
    const uint8_t *payload = sized(attribute, sizeof(*value), out);

    if (payload != NULL)
        *value = be64_at(payload);
    return payload != NULL;
}

// MARK: Tuples

#define ADDRESSES_V4 (SEEN(CTA_IP_V4_SRC) | SEEN(CTA_IP_V4_DST))
#define ADDRESSES_V6 (SEEN(CTA_IP_V6_SRC) | SEEN(CTA_IP_V6_DST))

static bool read_addresses(struct attribute nest, struct part_tuple *tuple)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    uint32_t seen = 0;

    while (next_attribute(&rest, &attribute)) {
        const bool v4 = attribute.type == CTA_IP_V4_SRC || attribute.type == CTA_IP_V4_DST;

        if (attribute.type > CTA_IP_V6_DST || attribute.size != (v4 ? 4 : 16) || (seen & SEEN(attribute.type)) != 0)
            return false;
        seen |= SEEN(attribute.type);
        if (attribute.type == CTA_IP_V4_SRC || attribute.type == CTA_IP_V6_SRC)
            tuple->source = attribute.payload;
        else
            tuple->destination = attribute.payload;
    }
    tuple->family = seen == ADDRESSES_V4 ? AF_INET : AF_INET6;
    return !torn(&rest) && (seen == ADDRESSES_V4 || seen == ADDRESSES_V6);
}

#define NUMBER SEEN(CTA_PROTO_NUM)
#define PORTS (SEEN(CTA_PROTO_SRC_PORT) | SEEN(CTA_PROTO_DST_PORT))
#define ICMP (SEEN(CTA_PROTO_ICMP_ID) | SEEN(CTA_PROTO_ICMP_TYPE) | SEEN(CTA_PROTO_ICMP_CODE))
#define ICMPV6 (SEEN(CTA_PROTO_ICMPV6_ID) | SEEN(CTA_PROTO_ICMPV6_TYPE) | SEEN(CTA_PROTO_ICMPV6_CODE))

/// What the kernel puts into the tuple of a protocol besides its number. Of those that it does not know it is nothing.
static bool is_usual(uint8_t protocol, uint32_t seen)
{
    switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
    case IPPROTO_GRE:
        return seen == (NUMBER | PORTS);
    case IPPROTO_ICMP:
        return seen == (NUMBER | ICMP);
    case IPPROTO_ICMPV6:
        return seen == (NUMBER | ICMPV6);
    default:
        return seen == NUMBER || seen == (NUMBER | PORTS);
    }
}

static bool read_protocol(struct attribute nest, struct part_tuple *tuple)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    uint32_t seen = 0;
    uint8_t type = 0, code = 0;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type > CTA_PROTO_ICMPV6_CODE || (seen & SEEN(attribute.type)) != 0)
            return false;
        seen |= SEEN(attribute.type);
        switch (attribute.type) {
        case CTA_PROTO_NUM:
            tuple->protocol = u8_of(attribute);
            break;
        case CTA_PROTO_SRC_PORT:
        case CTA_PROTO_ICMP_ID:
        case CTA_PROTO_ICMPV6_ID:
            tuple->source_port = be16_of(attribute);
            break;
        case CTA_PROTO_DST_PORT:
            tuple->destination_port = be16_of(attribute);
            break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
            type = u8_of(attribute);
            break;
        case CTA_PROTO_ICMP_CODE:
        case CTA_PROTO_ICMPV6_CODE:
            code = u8_of(attribute);
            break;
        default:
            return false;
        }
        const size_t expected =
            (SEEN(attribute.type) & (PORTS | SEEN(CTA_PROTO_ICMP_ID) | SEEN(CTA_PROTO_ICMPV6_ID))) != 0
                ? sizeof(uint16_t)
                : sizeof(uint8_t);
        if (attribute.size != expected)
            return false;
    }
    if ((seen & (ICMP | ICMPV6)) != 0)
        tuple->destination_port = (uint16_t)(type << 8 | code);
    tuple->has_ports = seen != NUMBER;
    return !torn(&rest) && is_usual(tuple->protocol, seen);
}

static bool read_tuple_slowly(struct attribute nest, struct part_tuple *tuple, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    uint32_t seen = 0;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type > CTA_TUPLE_ZONE || (seen & SEEN(attribute.type)) != 0)
            return false;
        seen |= SEEN(attribute.type);
        if (attribute.type == CTA_TUPLE_IP && !read_addresses(attribute, tuple))
            return false;
        if (attribute.type == CTA_TUPLE_PROTO && !read_protocol(attribute, tuple))
            return false;
        if (attribute.type == CTA_TUPLE_ZONE)
            tuple->has_zone = read_u16(attribute, &tuple->zone, out);
    }
    return !torn(&rest) &&
           (seen & (SEEN(CTA_TUPLE_IP) | SEEN(CTA_TUPLE_PROTO))) == (SEEN(CTA_TUPLE_IP) | SEEN(CTA_TUPLE_PROTO));
}

/// The tuple with ports, as every kernel writes it; see tuple.h.
ALWAYS_INLINE bool take_ports(struct attribute nest, size_t address, struct part_tuple *tuple)
{
    const bool v4 = address == 4;
    const size_t addresses = 2 * ROOM(address);
    const uint8_t *const ip = nest.payload + NLA_HDRLEN;
    const uint8_t *const source = ip + NLA_HDRLEN;
    const uint8_t *const destination = source + ROOM(address);
    const uint8_t *const proto = ip + ROOM(addresses);
    const uint8_t *const number = proto + NLA_HDRLEN;
    const uint8_t *const from = number + ROOM(1), *const to = from + ROOM(2);

    if (nest.size != ROOM(addresses) + ROOM(3 * ROOM(4)) || !header_is(ip, CTA_TUPLE_IP | NLA_F_NESTED, addresses) ||
        !header_is(source, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address) ||
        !header_is(destination, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, address) ||
        !header_is(proto, CTA_TUPLE_PROTO | NLA_F_NESTED, 3 * ROOM(4)) || !header_is(number, CTA_PROTO_NUM, 1) ||
        !header_is(from, CTA_PROTO_SRC_PORT, 2) || !header_is(to, CTA_PROTO_DST_PORT, 2))
        return false;
    tuple->source = source;
    tuple->destination = destination;
    tuple->protocol = *number;
    tuple->family = v4 ? AF_INET : AF_INET6;
    tuple->source_port = be16_at(from);
    tuple->destination_port = be16_at(to);
    tuple->has_ports = true;
    return tuple->protocol != IPPROTO_ICMP && tuple->protocol != IPPROTO_ICMPV6;
}

static bool read_tuple(struct attribute nest, struct part_tuple *tuple, struct parts *out)
{
    return take_ports(nest, 4, tuple) || take_ports(nest, 16, tuple) || read_tuple_slowly(nest, tuple, out);
}

// MARK: The rest

static void read_counters(struct attribute nest, struct part_counters *counters, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    uint32_t seen = 0;

    while (next_attribute(&rest, &attribute)) {
        const bool is_packets = attribute.type == CTA_COUNTERS_PACKETS;

        if (!is_packets && attribute.type != CTA_COUNTERS_BYTES) {
            out->odd |= attribute.type != CTA_COUNTERS_PAD;
            continue;
        }
        if (read_u64(attribute, is_packets ? &counters->packets : &counters->bytes, out)) {
            out->odd |= (seen & SEEN(attribute.type)) != 0;
            seen |= SEEN(attribute.type);
        }
    }
    out->odd |= torn(&rest) || seen != (SEEN(CTA_COUNTERS_PACKETS) | SEEN(CTA_COUNTERS_BYTES));
}

static void read_times(struct attribute nest, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        const uint32_t bit = attribute.type == CTA_TIMESTAMP_START ? SEEN_START : SEEN_STOP;

        if (attribute.type != CTA_TIMESTAMP_START && attribute.type != CTA_TIMESTAMP_STOP) {
            out->odd |= attribute.type != CTA_TIMESTAMP_PAD;
            continue;
        }
        out->odd |= (out->seen & bit) != 0;
        if (read_u64(attribute, bit == SEEN_START ? &out->start : &out->stop, out))
            out->seen |= bit;
    }
    out->odd |= torn(&rest);
}

/// How many bytes each attribute of a protocol has: TCP's, DCCP's and SCTP's, by type.
static const uint8_t protoinfo_sizes[][6] = {
    [CTA_PROTOINFO_TCP] = {0, 1, 1, 1, 2, 2},
    [CTA_PROTOINFO_DCCP] = {0, 1, 1, 8, 0, 0},
    [CTA_PROTOINFO_SCTP] = {0, 1, 4, 4, 0, 0},
};

/// The state is the first attribute of each.
static void read_protocol_state(struct attribute nest, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type == 0 || attribute.type > 5 || attribute.size != protoinfo_sizes[nest.type][attribute.type]) {
            // DCCP pads its number of eight bytes.
            out->odd |= nest.type != CTA_PROTOINFO_DCCP || attribute.type != CTA_PROTOINFO_DCCP_PAD;
        } else if (attribute.type == CTA_PROTOINFO_TCP_STATE) {
            out->odd |= (out->seen & SEEN_STATE) != 0;
            out->seen |= SEEN_STATE;
            out->state = *attribute.payload;
            out->state_of = (uint8_t)nest.type;
        }
    }
    out->odd |= torn(&rest);
}

static void read_protoinfo(struct attribute nest, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type == 0 || attribute.type > CTA_PROTOINFO_SCTP)
            out->odd = true;
        else
            read_protocol_state(attribute, out);
    }
    out->odd |= torn(&rest);
}

/// A nest's name, of type 1 in both that have one. What else is in it is none of ours, as with a helper's own data.
static const char *name_in(struct attribute nest, struct parts *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    const char *name = NULL;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type != 1 || name != NULL || memchr(attribute.payload, 0, attribute.size) == NULL)
            out->odd = true;
        else
            name = (const char *)attribute.payload;
    }
    out->odd |= torn(&rest);
    return name;
}

_Static_assert(CTA_HELP_NAME == 1 && CTA_SECCTX_NAME == 1, "names are of type 1");

/// Reads one attribute that may be there. False when what it says is not to be had.
static bool read_part(struct attribute attribute, struct parts *out)
{
    switch (attribute.type) {
    case CTA_STATUS:
        return read_u32(attribute, &out->status, out);
    case CTA_TIMEOUT:
        return read_u32(attribute, &out->timeout, out);
    case CTA_MARK:
        return read_u32(attribute, &out->mark, out);
    case CTA_SECMARK:
        return read_u32(attribute, &out->secmark, out);
    case CTA_USE:
        return read_u32(attribute, &out->use, out);
    case CTA_ID:
        return read_u32(attribute, &out->id, out);
    case CTA_ZONE:
        return read_u16(attribute, &out->zone, out);
    case TIMESTAMP_EVENT:
        return read_u64(attribute, &out->event_time, out);
    case CTA_PROTOINFO:
        read_protoinfo(attribute, out);
        return true;
    case CTA_COUNTERS_ORIG:
        read_counters(attribute, &out->sent, out);
        return true;
    case CTA_COUNTERS_REPLY:
        read_counters(attribute, &out->received, out);
        return true;
    case CTA_TIMESTAMP:
        read_times(attribute, out);
        return true;
    case CTA_HELP:
        out->helper = name_in(attribute, out);
        return out->helper != NULL;
    case CTA_SECCTX:
        out->context = name_in(attribute, out);
        return out->context != NULL;
    case CTA_LABELS:
        out->labels = attribute.payload;
        out->labels_size = attribute.size;
        out->odd |= attribute.size % sizeof(uint32_t) != 0;
        return attribute.size > 0;
    case CTA_TUPLE_MASTER:
        out->odd |= !read_tuple(attribute, &out->master, out);
        return !out->odd;
    case CTA_SEQ_ADJ_ORIG:
    case CTA_SEQ_ADJ_REPLY:
    case CTA_SYNPROXY:
        return true; // nobody words them
    default:
        out->odd = true;
        return false;
    }
}

static bool read_all(struct attributes rest, struct parts *out)
{
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        const uint32_t bit = attribute.type <= LAST_TYPE ? SEEN(attribute.type) : 0;

        out->odd |= bit == 0 || (out->seen & bit) != 0;
        if (bit == 0 || (out->seen & bit) != 0)
            continue; // of two the first stands
        if (attribute.type == CTA_TUPLE_ORIG || attribute.type == CTA_TUPLE_REPLY) {
            if (!read_tuple(attribute, attribute.type == CTA_TUPLE_ORIG ? &out->original : &out->reply, out))
                return false;
            out->seen |= bit;
        } else if (read_part(attribute, out)) {
            out->seen |= bit;
        }
    }
    const uint32_t both = SEEN(CTA_TUPLE_ORIG) | SEEN(CTA_TUPLE_REPLY);
    return !torn(&rest) && (out->seen & both) == both;
}

int cnf_read_parts(const void *message, size_t length, struct parts *out)
{
    struct nlmsghdr header;
    struct attributes rest;
    struct nfgenmsg family;

    memset(out, 0, sizeof(*out));
    if (!read_header(message, length, &header))
        return -EBADMSG;
    if (kind_of(&header) < 0)
        return 0;
    if (!read_attributes(message, length, &header, &rest))
        return -EBADMSG;

    out->kind = CNF_DESTROY;
    if (header.nlmsg_type == CONNTRACK_TYPE(IPCTNL_MSG_CT_NEW)) // conntrack(8) asks for one flag only
        out->kind = (header.nlmsg_flags & NLM_F_CREATE) != 0 ? CNF_NEW : CNF_UPDATE;
    out->portid = header.nlmsg_pid;
    if (!read_all(rest, out))
        return -EBADMSG;
    // The library goes by the header's family, and by each tuple's own protocol.
    memcpy(&family, (const uint8_t *)message + NLMSG_HDRLEN, sizeof(family));
    out->odd |= family.nfgen_family != out->original.family;
    return out->original.family == out->reply.family && out->original.protocol == out->reply.protocol ? 1 : -EBADMSG;
}
