// SPDX-License-Identifier: GPL-3.0-or-later
//
// An entry's own attributes -> the fields that an event and a dumped entry both have.

#ifndef FIELDS_H
#define FIELDS_H

#include "attributes.h"

#include "CRecord.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

/// The fields of a record that these attributes fill.
struct fields {
    uint32_t *status;
    uint32_t *mark;
    uint32_t *id;
    uint16_t *zone;
    uint8_t *tcp_state;
};

/// Those of an event or of an entry.
#define FIELDS_OF(record)                                                                                              \
    {                                                                                                                  \
        .status = &(record)->status, .mark = &(record)->mark, .id = &(record)->id, .zone = &(record)->zone,            \
        .tcp_state = &(record)->tcp_state,                                                                             \
    }

/// The first state told.
static inline uint8_t tcp_state_of(struct attribute protoinfo)
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

/// Reads one attribute; one that fills none of these fields is passed over.
ALWAYS_INLINE void read_field(struct attribute attribute, const struct fields *out)
{
    switch (attribute.type) {
    case CTA_STATUS:
        *out->status = be32_of(attribute);
        break;
    case CTA_PROTOINFO:
        *out->tcp_state = tcp_state_of(attribute);
        break;
    case CTA_MARK:
        *out->mark = be32_of(attribute);
        break;
    case CTA_ID:
        *out->id = be32_of(attribute);
        break;
    case CTA_ZONE:
        *out->zone = be16_of(attribute);
        break;
    default:
        break;
    }
}

#endif
