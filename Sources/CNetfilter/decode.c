// SPDX-License-Identifier: GPL-3.0-or-later
//
// nfnetlink message -> cnf_event.
//
//   | nlmsghdr | nfgenmsg | CTA_TUPLE_ORIG { CTA_TUPLE_IP {...} CTA_TUPLE_PROTO {...} } | ... | CTA_ID | CTA_STATUS | ...
//
// Attributes are walked where they lie, by payload length and not by the message's aligned tail: nothing promises that
// a length is aligned, and libmnl's mnl_attr_for_each would look up to three bytes past the end of one that is not.

#include "CNetfilter.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

static uint16_t be16_of(const struct nlattr *attribute)
{
    uint16_t value;

    if (mnl_attr_get_payload_len(attribute) < sizeof(value))
        return 0;
    memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
    return be16toh(value);
}

static uint32_t be32_of(const struct nlattr *attribute)
{
    uint32_t value;

    if (mnl_attr_get_payload_len(attribute) < sizeof(value))
        return 0;
    memcpy(&value, mnl_attr_get_payload(attribute), sizeof(value));
    return be32toh(value);
}

static uint8_t u8_of(const struct nlattr *attribute)
{
    return mnl_attr_get_payload_len(attribute) < 1 ? 0 : *(const uint8_t *)mnl_attr_get_payload(attribute);
}

/// Copies an address of exactly `size` bytes; anything else is a broken message.
static int copy_address(const struct nlattr *attribute, size_t size, uint8_t *out)
{
    if (mnl_attr_get_payload_len(attribute) != size)
        return -EBADMSG;
    memcpy(out, mnl_attr_get_payload(attribute), size);
    return 0;
}

/// A walk that stopped before `end` met an attribute that claims less than its header or more than is left. Up to three
/// bytes of padding may remain.
static bool torn(const struct nlattr *stopped, const void *end)
{
    return (const uint8_t *)end - (const uint8_t *)stopped >= (ptrdiff_t)sizeof(*stopped);
}

static bool torn_nest(const struct nlattr *stopped, const struct nlattr *nest)
{
    return torn(stopped, (const uint8_t *)mnl_attr_get_payload(nest) + mnl_attr_get_payload_len(nest));
}

/// Both addresses of one family, once: whatever is left over of another would otherwise stay in the record.
static int decode_addresses(const struct nlattr *nest, struct cnf_event *out)
{
    const unsigned int v4 = 1u << CTA_IP_V4_SRC | 1u << CTA_IP_V4_DST;
    const unsigned int v6 = 1u << CTA_IP_V6_SRC | 1u << CTA_IP_V6_DST;
    const struct nlattr *attribute;
    unsigned int seen = 0;
    int error = 0;

    if (out->family != 0)
        return -EBADMSG;
    mnl_attr_for_each_nested(attribute, nest)
    {
        const uint16_t type = mnl_attr_get_type(attribute);

        switch (type) {
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
        seen |= 1u << type;
    }
    if (error != 0 || torn_nest(attribute, nest) || (seen != v4 && seen != v6))
        return -EBADMSG;
    out->family = seen == v4 ? AF_INET : AF_INET6;
    return 0;
}

static int decode_protocol(const struct nlattr *nest, struct cnf_event *out)
{
    const struct nlattr *attribute;

    mnl_attr_for_each_nested(attribute, nest)
    {
        switch (mnl_attr_get_type(attribute)) {
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
    return torn_nest(attribute, nest) ? -EBADMSG : 0;
}

static int decode_tuple(const struct nlattr *nest, struct cnf_event *out)
{
    const struct nlattr *attribute;
    int error = 0;

    mnl_attr_for_each_nested(attribute, nest)
    {
        switch (mnl_attr_get_type(attribute)) {
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
    return error != 0 || torn_nest(attribute, nest) ? -EBADMSG : 0;
}

static uint8_t tcp_state_of(const struct nlattr *protoinfo)
{
    const struct nlattr *outer, *inner;

    mnl_attr_for_each_nested(outer, protoinfo)
    {
        if (mnl_attr_get_type(outer) != CTA_PROTOINFO_TCP)
            continue;
        mnl_attr_for_each_nested(inner, outer)
        {
            if (mnl_attr_get_type(inner) == CTA_PROTOINFO_TCP_STATE)
                return u8_of(inner);
        }
    }
    return CNF_NO_TCP_STATE;
}

static int decode_attributes(const void *payload, size_t size, struct cnf_event *out)
{
    const struct nlattr *attr; // the name that libmnl's macro is written for
    int error = 0;

    mnl_attr_for_each_payload(payload, size)
    {
        switch (mnl_attr_get_type(attr)) {
        case CTA_TUPLE_ORIG:
            error |= decode_tuple(attr, out);
            break;
        case CTA_STATUS:
            out->status = be32_of(attr);
            break;
        case CTA_PROTOINFO:
            out->tcp_state = tcp_state_of(attr);
            break;
        case CTA_MARK:
            out->mark = be32_of(attr);
            break;
        case CTA_ID:
            out->id = be32_of(attr);
            break;
        case CTA_ZONE:
            out->zone = be16_of(attr);
            break;
        default:
            break;
        }
    }
    // No family: the original tuple was missing.
    return error != 0 || torn(attr, (const uint8_t *)payload + size) || out->family == 0 ? -EBADMSG : 0;
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
    const size_t before_attributes = MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct nfgenmsg));
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
    const int error =
        decode_attributes((const uint8_t *)message + before_attributes, header.nlmsg_len - before_attributes, out);
    return error != 0 ? error : 1;
}
