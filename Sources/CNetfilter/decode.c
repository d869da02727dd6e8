// SPDX-License-Identifier: GPL-3.0-or-later
//
// nfnetlink message -> cnf_event.
//
//   | nlmsghdr | nfgenmsg | CTA_TUPLE_ORIG { CTA_TUPLE_IP {...} CTA_TUPLE_PROTO {...} } | ... | CTA_ID | CTA_STATUS | ...

#include "CNetfilter.h"
#include "attributes.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

/// Copies an address of exactly `size` bytes; anything else is a broken message.
static int copy_address(struct attribute attribute, size_t size, uint8_t *out)
{
    if (attribute.size != size)
        return -EBADMSG;
    memcpy(out, attribute.payload, size);
    return 0;
}

/// Both addresses of one family, once: whatever is left over of another would otherwise stay in the record.
static int decode_addresses(struct attribute nest, struct cnf_event *out)
{
    const unsigned int v4 = 1u << CTA_IP_V4_SRC | 1u << CTA_IP_V4_DST;
    const unsigned int v6 = 1u << CTA_IP_V6_SRC | 1u << CTA_IP_V6_DST;
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    unsigned int seen = 0;
    int error = 0;

    if (out->family != 0)
        return -EBADMSG;
    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_IP_V4_SRC:
            error |= copy_address(attribute, 4, out->source);
            break;
        case CTA_IP_V4_DST:
            error |= copy_address(attribute, 4, out->destination);
            break;
        case CTA_IP_V6_SRC:
            error |= copy_address(attribute, 16, out->source);
            break;
        case CTA_IP_V6_DST:
            error |= copy_address(attribute, 16, out->destination);
            break;
        default:
            continue;
        }
        seen |= 1u << attribute.type;
    }
    if (error != 0 || torn(&rest) || (seen != v4 && seen != v6))
        return -EBADMSG;
    out->family = seen == v4 ? AF_INET : AF_INET6;
    return 0;
}

static int decode_protocol(struct attribute nest, struct cnf_event *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_PROTO_NUM:
            out->protocol = u8_of(attribute);
            break;
        case CTA_PROTO_SRC_PORT:
        case CTA_PROTO_ICMP_ID:
        case CTA_PROTO_ICMPV6_ID:
            out->source_port = be16_of(attribute);
            break;
        case CTA_PROTO_DST_PORT:
            out->destination_port = be16_of(attribute);
            break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
            out->destination_port |= (uint16_t)(u8_of(attribute) << 8);
            break;
        case CTA_PROTO_ICMP_CODE:
        case CTA_PROTO_ICMPV6_CODE:
            out->destination_port |= u8_of(attribute);
            break;
        default:
            break;
        }
    }
    return torn(&rest) ? -EBADMSG : 0;
}

static int decode_tuple(struct attribute nest, struct cnf_event *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    int error = 0;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_IP:
            error |= decode_addresses(attribute, out);
            break;
        case CTA_TUPLE_PROTO:
            error |= decode_protocol(attribute, out);
            break;
        case CTA_TUPLE_ZONE: // a zone of one direction only (kernel 4.3)
            out->zone = be16_of(attribute);
            break;
        default:
            break;
        }
    }
    return error != 0 || torn(&rest) ? -EBADMSG : 0;
}

/// The first state told; a walk that finds one goes no further.
static uint8_t tcp_state_of(struct attribute protoinfo)
{
    struct attributes outer = attributes_in(protoinfo), inner;
    struct attribute protocol, attribute;

    while (next_attribute(&outer, &protocol)) {
        if (protocol.type != CTA_PROTOINFO_TCP)
            continue;
        inner = attributes_in(protocol);
        while (next_attribute(&inner, &attribute)) {
            if (attribute.type == CTA_PROTOINFO_TCP_STATE)
                return u8_of(attribute);
        }
    }
    return CNF_NO_TCP_STATE;
}

static int decode_attributes(struct attributes rest, struct cnf_event *out)
{
    struct attribute attribute;
    int error = 0;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_ORIG:
            error |= decode_tuple(attribute, out);
            break;
        case CTA_STATUS:
            out->status = be32_of(attribute);
            break;
        case CTA_PROTOINFO:
            out->tcp_state = tcp_state_of(attribute);
            break;
        case CTA_MARK:
            out->mark = be32_of(attribute);
            break;
        case CTA_ID:
            out->id = be32_of(attribute);
            break;
        case CTA_ZONE:
            out->zone = be16_of(attribute);
            break;
        default:
            break;
        }
    }
    // No family: the original tuple was missing.
    return error != 0 || torn(&rest) || out->family == 0 ? -EBADMSG : 0;
}

/// The kind of a conntrack message, or -1 when it is none.
static int kind_of(const struct nlmsghdr *header)
{
    const unsigned int created = NLM_F_CREATE | NLM_F_EXCL;

    switch (header->nlmsg_type) {
    case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW:
        return (header->nlmsg_flags & created) == created ? CNF_NEW : CNF_UPDATE;
    case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE:
        return CNF_DESTROY;
    default:
        return -1;
    }
}

int cnf_decode(const void *message, size_t length, uint64_t time_ns, struct cnf_event *out)
{
    const size_t before_attributes = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    struct nlmsghdr header;

    if (length < sizeof(header))
        return -EBADMSG;
    memcpy(&header, message, sizeof(header));
    const int kind = kind_of(&header);
    if (kind < 0)
        return 0;
    if (header.nlmsg_len > length || header.nlmsg_len < before_attributes)
        return -EBADMSG;

    memset(out, 0, sizeof(*out));
    out->time_ns = time_ns;
    out->kind = (uint8_t)kind;
    out->tcp_state = CNF_NO_TCP_STATE;
    const int error = decode_attributes(
        attributes_at((const uint8_t *)message + before_attributes, header.nlmsg_len - before_attributes), out);
    return error != 0 ? error : 1;
}
