// SPDX-License-Identifier: GPL-3.0-or-later
//
// A dumped entry's message -> cnf_entry. Beside decode.c, since an entry of a dump says more than an event does, and a
// million of them are read in a row.

#include "CNetfilter.h"
#include "attributes.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

/// Copies an address of exactly `size` bytes; anything else is a broken message.
static bool copy_address(struct attribute attribute, size_t size, uint8_t *out)
{
    if (attribute.size != size)
        return false;
    memcpy(out, attribute.payload, size);
    return true;
}

/// Both addresses of one family, once. Returns it, 0 for anything else.
static uint8_t decode_addresses(struct attribute nest, struct cnf_tuple *out)
{
    const unsigned int v4 = 1u << CTA_IP_V4_SRC | 1u << CTA_IP_V4_DST;
    const unsigned int v6 = 1u << CTA_IP_V6_SRC | 1u << CTA_IP_V6_DST;
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    unsigned int seen = 0;
    bool fits = true;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_IP_V4_SRC:
            fits &= copy_address(attribute, 4, out->source);
            break;
        case CTA_IP_V4_DST:
            fits &= copy_address(attribute, 4, out->destination);
            break;
        case CTA_IP_V6_SRC:
            fits &= copy_address(attribute, 16, out->source);
            break;
        case CTA_IP_V6_DST:
            fits &= copy_address(attribute, 16, out->destination);
            break;
        default:
            continue;
        }
        seen |= 1u << attribute.type;
    }
    if (!fits || torn(&rest) || (seen != v4 && seen != v6))
        return 0;
    return seen == v4 ? AF_INET : AF_INET6;
}

static bool decode_protocol(struct attribute nest, struct cnf_tuple *out, uint8_t *protocol)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_PROTO_NUM:
            *protocol = u8_of(attribute);
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
    return !torn(&rest);
}

/// What a tuple says beside its addresses and ports.
struct around {
    uint8_t family;   ///< 0: no addresses, or not those of one family
    uint8_t protocol; ///< IPPROTO_*
    uint16_t zone;    ///< of this direction only (kernel 4.3)
    bool whole;       ///< lengths and attributes hold together
};

static struct around decode_tuple(struct attribute nest, struct cnf_tuple *out)
{
    struct attributes rest = attributes_in(nest);
    struct around around = {.whole = true};
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_IP:
            // Once only: what is left over of another family would otherwise stay in the record.
            around.whole &= around.family == 0;
            around.family = decode_addresses(attribute, out);
            around.whole &= around.family != 0;
            break;
        case CTA_TUPLE_PROTO:
            around.whole &= decode_protocol(attribute, out, &around.protocol);
            break;
        case CTA_TUPLE_ZONE:
            around.zone = be16_of(attribute);
            break;
        default:
            break;
        }
    }
    around.whole &= around.family != 0 && !torn(&rest);
    return around;
}

static uint8_t tcp_state_of(struct attribute protoinfo)
{
    struct attributes outer = attributes_in(protoinfo);
    struct attribute attribute;

    while (next_attribute(&outer, &attribute)) {
        if (attribute.type != CTA_PROTOINFO_TCP)
            continue;
        struct attributes inner = attributes_in(attribute);
        while (next_attribute(&inner, &attribute)) {
            if (attribute.type == CTA_PROTOINFO_TCP_STATE)
                return u8_of(attribute);
        }
        break;
    }
    return CNF_NO_TCP_STATE;
}

static int decode_attributes(struct attributes rest, struct cnf_entry *out)
{
    struct around original = {0}, reply = {0};
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_ORIG:
            if (original.family != 0)
                return -EBADMSG;
            original = decode_tuple(attribute, &out->original);
            if (!original.whole)
                return -EBADMSG;
            break;
        case CTA_TUPLE_REPLY:
            if (reply.family != 0)
                return -EBADMSG;
            reply = decode_tuple(attribute, &out->reply);
            if (!reply.whole)
                return -EBADMSG;
            break;
        case CTA_STATUS:
            out->status = be32_of(attribute);
            break;
        case CTA_TIMEOUT:
            out->timeout = be32_of(attribute);
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
    if (torn(&rest) || original.family == 0 || original.family != reply.family)
        return -EBADMSG;
    out->family = original.family;
    out->protocol = original.protocol;
    if (original.zone != 0)
        out->zone = original.zone;
    return 1;
}

int cnf_decode_entry(const void *message, size_t length, struct cnf_entry *out)
{
    const size_t before_attributes = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
    struct nlmsghdr header;

    if (length < sizeof(header))
        return -EBADMSG;
    memcpy(&header, message, sizeof(header));
    if (header.nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
        return 0;
    if (header.nlmsg_len > length || header.nlmsg_len < before_attributes)
        return -EBADMSG;

    memset(out, 0, sizeof(*out));
    out->tcp_state = CNF_NO_TCP_STATE;
    out->timeout = CNF_NO_TIMEOUT;
    return decode_attributes(
        attributes_at((const uint8_t *)message + before_attributes, header.nlmsg_len - before_attributes), out);
}
