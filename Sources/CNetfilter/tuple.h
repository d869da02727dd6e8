// SPDX-License-Identifier: GPL-3.0-or-later
//
// A tuple's attributes -> the fields of a record.

#ifndef TUPLE_H
#define TUPLE_H

#include "attributes.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

/// The fields of a record that a tuple fills, zero before. Ports and addresses are as in cnf_event.
struct tuple {
    uint8_t *family; ///< AF_INET or AF_INET6
    uint8_t *protocol;
    uint16_t *zone; ///< of this direction only (kernel 4.3)
    uint16_t *source_port;
    uint16_t *destination_port;
    uint8_t *source; ///< 16 bytes
    uint8_t *destination;
};

/// Reads a tuple's attributes, whatever they are and in whatever order. 0, or -EBADMSG when they do not hold together:
/// then some fields may have been written.
int cnf_read_tuple(struct attributes rest, const struct tuple *out);

// MARK: The usual tuple
//
// What every kernel writes for TCP, UDP, SCTP, DCCP, GRE, ICMP and ICMPv6:
//
//   CTA_TUPLE_IP    { source, destination }
//   CTA_TUPLE_PROTO { number, source port, destination port }   ICMP: { number, id, type, code }
//
// The size of the whole says which it is, IPv4 or IPv6, ports or ICMP, and so where each attribute has to lie. What is
// not as expected there is left unread, for cnf_read_tuple.

#define PORTS_SIZE (3 * ROOM(4))
#define ICMP_SIZE (4 * ROOM(4))

ALWAYS_INLINE bool read_ports(const uint8_t *number, const struct tuple *out)
{
    const uint8_t *source = number + ROOM(1);
    const uint8_t *destination = source + ROOM(2);

    if (!header_is(number, CTA_PROTO_NUM, 1) || !header_is(source, CTA_PROTO_SRC_PORT, 2) ||
        !header_is(destination, CTA_PROTO_DST_PORT, 2))
        return false;
    *out->protocol = *number;
    *out->source_port = be16_at(source);
    *out->destination_port = be16_at(destination);
    return true;
}

ALWAYS_INLINE bool read_icmp(const uint8_t *number, bool v4, const struct tuple *out)
{
    const uint8_t *id = number + ROOM(1);
    const uint8_t *type = id + ROOM(2);
    const uint8_t *code = type + ROOM(1);

    if (!header_is(number, CTA_PROTO_NUM, 1) || !header_is(id, v4 ? CTA_PROTO_ICMP_ID : CTA_PROTO_ICMPV6_ID, 2) ||
        !header_is(type, v4 ? CTA_PROTO_ICMP_TYPE : CTA_PROTO_ICMPV6_TYPE, 1) ||
        !header_is(code, v4 ? CTA_PROTO_ICMP_CODE : CTA_PROTO_ICMPV6_CODE, 1))
        return false;
    *out->protocol = *number;
    *out->source_port = be16_at(id);
    *out->destination_port = (uint16_t)(*type << 8 | *code);
    return true;
}

/// Takes the next attribute if it is a tuple with addresses of `address` bytes and a protocol of `protocol` bytes.
/// Returns its size, or 0 and it is left.
ALWAYS_INLINE size_t take_tuple_of(struct attributes *rest, unsigned int type, size_t address, size_t protocol,
                                   const struct tuple *out)
{
    const bool v4 = address == 4;
    const size_t addresses = 2 * ROOM(address);
    const size_t size = ROOM(addresses) + ROOM(protocol);
    struct attributes after = *rest;
    const uint8_t *tuple = take(&after, type | NLA_F_NESTED, size);

    if (tuple == NULL)
        return 0;
    const uint8_t *ip = tuple + NLA_HDRLEN;
    const uint8_t *source = ip + NLA_HDRLEN;
    const uint8_t *destination = source + ROOM(address);
    const uint8_t *proto = ip + ROOM(addresses);
    if (!header_is(ip, CTA_TUPLE_IP | NLA_F_NESTED, addresses) ||
        !header_is(source, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, address) ||
        !header_is(destination, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, address) ||
        !header_is(proto, CTA_TUPLE_PROTO | NLA_F_NESTED, protocol))
        return 0;
    if (!(protocol == PORTS_SIZE ? read_ports(proto + NLA_HDRLEN, out) : read_icmp(proto + NLA_HDRLEN, v4, out)))
        return 0;
    memcpy(out->source, source, address);
    memcpy(out->destination, destination, address);
    *out->family = v4 ? AF_INET : AF_INET6;
    *rest = after;
    return size;
}

/// Takes the next attribute if it is a usual tuple of `type` (CTA_TUPLE_ORIG, CTA_TUPLE_REPLY). Returns the size of its
/// payload, or 0 and it is left.
ALWAYS_INLINE size_t take_tuple(struct attributes *rest, unsigned int type, const struct tuple *out)
{
    size_t size = take_tuple_of(rest, type, 4, PORTS_SIZE, out);

    if (size == 0)
        size = take_tuple_of(rest, type, 16, PORTS_SIZE, out);
    if (size == 0)
        size = take_tuple_of(rest, type, 4, ICMP_SIZE, out);
    if (size == 0)
        size = take_tuple_of(rest, type, 16, ICMP_SIZE, out);
    return size;
}

#endif
