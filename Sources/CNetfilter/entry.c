// SPDX-License-Identifier: GPL-3.0-or-later
//
// A dumped entry's message -> cnf_entry. Beside decode.c, since an entry of a dump says more than an event does, and a
// million of them are read in a row.

#include "CNetfilter.h"
#include "fields.h"
#include "message.h"
#include "select.h"
#include "tuple.h"

static int decode_attributes(struct attributes rest, struct cnf_entry *out)
{
    uint8_t reply_family = 0, reply_protocol = 0;
    const struct tuple original = {
        .family = &out->family,
        .protocol = &out->protocol,
        .zone = &out->zone,
        .source_port = &out->original.source_port,
        .destination_port = &out->original.destination_port,
        .source = out->original.source,
        .destination = out->original.destination,
    };
    const struct tuple reply = {
        .family = &reply_family,
        .protocol = &reply_protocol,
        .zone = &out->reply_zone,
        .source_port = &out->reply.source_port,
        .destination_port = &out->reply.destination_port,
        .source = out->reply.source,
        .destination = out->reply.destination,
    };
    const struct fields fields = FIELDS_OF(out);
    struct attribute attribute;
    int error = 0;

    // What every kernel begins with.
    if (take_tuple(&rest, CTA_TUPLE_ORIG, &original) != 0)
        take_tuple(&rest, CTA_TUPLE_REPLY, &reply);
    while (next_attribute(&rest, &attribute)) {
        switch (attribute.type) {
        case CTA_TUPLE_ORIG:
            error |= cnf_read_tuple(attributes_in(attribute), &original);
            break;
        case CTA_TUPLE_REPLY:
            error |= cnf_read_tuple(attributes_in(attribute), &reply);
            break;
        case CTA_ZONE:
            out->zone = out->reply_zone = be16_of(attribute);
            break;
        case CTA_TIMEOUT:
            out->timeout = be32_of(attribute);
            break;
        default:
            read_field(attribute, &fields);
            break;
        }
    }
    // No family: a direction was missing.
    return error != 0 || torn(&rest) || out->family == 0 || out->family != reply_family ? -EBADMSG : 1;
}

/// Any message that tells of one entry, once its type is known.
static int decode(const void *message, size_t length, const struct nlmsghdr *header, struct cnf_entry *out)
{
    struct attributes attributes;

    if (!read_attributes(message, length, header, &attributes))
        return -EBADMSG;
    memset(out, 0, sizeof(*out));
    out->tcp_state = CNF_NO_TCP_STATE;
    out->timeout = CNF_NO_TIMEOUT;
    return decode_attributes(attributes, out);
}

int cnf_decode_entry(const void *message, size_t length, struct cnf_entry *out)
{
    struct nlmsghdr header;

    if (!read_header(message, length, &header))
        return -EBADMSG;
    return header.nlmsg_type == CONNTRACK_TYPE(IPCTNL_MSG_CT_NEW) ? decode(message, length, &header, out) : 0;
}

int cnf_decode_any_entry(const void *message, size_t length, struct cnf_entry *out)
{
    struct nlmsghdr header;

    if (!read_header(message, length, &header))
        return -EBADMSG;
    return kind_of(&header) >= 0 ? decode(message, length, &header, out) : 0;
}
