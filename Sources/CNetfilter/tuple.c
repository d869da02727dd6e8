// SPDX-License-Identifier: GPL-3.0-or-later

#include "tuple.h"

#include <errno.h>

/// Copies an address of exactly `size` bytes; anything else is a broken message.
static int copy_address(struct attribute attribute, size_t size, uint8_t *out)
{
    if (attribute.size != size)
        return -EBADMSG;
    memcpy(out, attribute.payload, size);
    return 0;
}

/// Both addresses of one family, once: whatever is left over of another would otherwise stay in the record.
static int read_addresses(struct attribute nest, const struct tuple *out)
{
    const unsigned int v4 = 1u << CTA_IP_V4_SRC | 1u << CTA_IP_V4_DST;
    const unsigned int v6 = 1u << CTA_IP_V6_SRC | 1u << CTA_IP_V6_DST;
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;
    unsigned int seen = 0;
    int error = 0;

    if (*out->family != 0)
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
    *out->family = seen == v4 ? AF_INET : AF_INET6;
    return 0;
}

static int read_protocol(struct attribute nest, const struct tuple *out)
{
    struct attributes rest = attributes_in(nest);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_PROTO_NUM:
            *out->protocol = u8_of(attribute);
            break;
        case CTA_PROTO_SRC_PORT:
        case CTA_PROTO_ICMP_ID:
        case CTA_PROTO_ICMPV6_ID:
            *out->source_port = be16_of(attribute);
            break;
        case CTA_PROTO_DST_PORT:
            *out->destination_port = be16_of(attribute);
            break;
        case CTA_PROTO_ICMP_TYPE:
        case CTA_PROTO_ICMPV6_TYPE:
            *out->destination_port |= (uint16_t)(u8_of(attribute) << 8);
            break;
        case CTA_PROTO_ICMP_CODE:
        case CTA_PROTO_ICMPV6_CODE:
            *out->destination_port |= u8_of(attribute);
            break;
        default:
            break;
        }
    }
    return torn(&rest) ? -EBADMSG : 0;
}

int cnf_read_tuple(struct attributes rest, const struct tuple *out)
{
    struct attribute attribute;
    int error = 0;

    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_IP:
            error |= read_addresses(attribute, out);
            break;
        case CTA_TUPLE_PROTO:
            error |= read_protocol(attribute, out);
            break;
        case CTA_TUPLE_ZONE:
            *out->zone = be16_of(attribute);
            break;
        default:
            break;
        }
    }
    return error != 0 || torn(&rest) ? -EBADMSG : 0;
}
