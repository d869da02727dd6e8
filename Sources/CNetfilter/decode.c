// SPDX-License-Identifier: GPL-3.0-or-later
//
// nfnetlink message -> cnf_event.
//
//   | nlmsghdr | nfgenmsg | CTA_TUPLE_ORIG | CTA_TUPLE_REPLY | CTA_ZONE? | CTA_ID | CTA_STATUS | CTA_TIMEOUT | ...
//
// Every kernel begins an event's message so. Attributes that come as expected are taken one after the other; from the
// first that does not on, the rest is walked, in whatever order it has. No value is read in both ways.

#include "CNetfilter.h"
#include "fields.h"
#include "message.h"
#include "tuple.h"

static inline struct tuple original_of(struct cnf_event *event)
{
    return (struct tuple){
        .family = &event->family,
        .protocol = &event->protocol,
        .zone = &event->zone,
        .source_port = &event->source_port,
        .destination_port = &event->destination_port,
        .source = event->source,
        .destination = event->destination,
    };
}

// MARK: The rest, in any order

/// Not inlined: most messages end before it, and would save registers for it.
__attribute__((noinline)) static int walk(struct attributes rest, struct cnf_event *out)
{
    const struct tuple original = original_of(out);
    const struct fields fields = FIELDS_OF(out);
    struct attribute attribute;
    int error = 0;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type == CTA_TUPLE_ORIG)
            error |= cnf_read_tuple(attributes_in(attribute), &original);
        else if (attribute.type == CTA_TIMEOUT && out->kind == CNF_DESTROY)
            out->flags = (uint8_t)((out->flags & ~CNF_TIME_LEFT) | (be32_of(attribute) != 0 ? CNF_TIME_LEFT : 0));
        else
            read_field(attribute, &fields);
    }
    return error != 0 || torn(&rest) ? -EBADMSG : 0;
}

// MARK: The beginning, in the kernel's order

/// CTA_PROTOINFO of TCP with `size` bytes in it, the state first.
ALWAYS_INLINE bool take_tcp_state(struct attributes *rest, size_t size, struct cnf_event *out)
{
    struct attributes after = *rest;
    const uint8_t *protoinfo = take(&after, CTA_PROTOINFO | NLA_F_NESTED, NLA_HDRLEN + size);

    if (protoinfo == NULL)
        return false;
    const uint8_t *tcp = protoinfo + NLA_HDRLEN;
    const uint8_t *state = tcp + NLA_HDRLEN;
    if (!header_is(tcp, CTA_PROTOINFO_TCP | NLA_F_NESTED, size) || !header_is(state, CTA_PROTOINFO_TCP_STATE, 1))
        return false;
    out->tcp_state = *state;
    *rest = after;
    return true;
}

/// Takes what comes as every kernel writes it, and returns the rest.
static inline struct attributes take_beginning(struct attributes rest, struct cnf_event *out)
{
    const struct tuple original = original_of(out);
    const size_t size = take_tuple(&rest, CTA_TUPLE_ORIG, &original);
    const uint8_t *payload;

    if (size == 0)
        return rest;
    take(&rest, CTA_TUPLE_REPLY | NLA_F_NESTED, size);
    payload = take(&rest, CTA_ZONE, sizeof(out->zone));
    if (payload != NULL)
        out->zone = be16_at(payload);
    payload = take(&rest, CTA_ID, sizeof(out->id));
    if (payload != NULL)
        out->id = be32_at(payload);
    payload = take(&rest, CTA_STATUS, sizeof(out->status));
    if (payload != NULL)
        out->status = be32_at(payload);
    payload = take(&rest, CTA_TIMEOUT, 4);
    if (out->kind == CNF_DESTROY) {
        if (payload != NULL && be32_at(payload) != 0)
            out->flags |= CNF_TIME_LEFT;
        // With accounting and timestamps on.
        take(&rest, CTA_COUNTERS_ORIG | NLA_F_NESTED, 2 * ROOM(8));
        take(&rest, CTA_COUNTERS_REPLY | NLA_F_NESTED, 2 * ROOM(8));
        take(&rest, CTA_TIMESTAMP | NLA_F_NESTED, 2 * ROOM(8));
    }
    // Before the end, window scales and flags of both directions come with it; in a DESTROY it is alone (kernel 5.11).
    if (!take_tcp_state(&rest, 5 * ROOM(4), out))
        take_tcp_state(&rest, ROOM(4), out);
    payload = take(&rest, CTA_MARK, sizeof(out->mark));
    if (payload != NULL)
        out->mark = be32_at(payload);
    return rest;
}

int cnf_decode(const void *message, size_t length, uint64_t time_ns, struct cnf_event *out)
{
    struct nlmsghdr header;
    struct attributes rest;

    if (!read_header(message, length, &header))
        return -EBADMSG;
    const int kind = kind_of(&header);
    if (kind < 0)
        return 0;
    if (!read_attributes(message, length, &header, &rest))
        return -EBADMSG;

    memset(out, 0, sizeof(*out));
    out->time_ns = time_ns;
    out->kind = (uint8_t)kind;
    out->tcp_state = CNF_NO_TCP_STATE;
    out->flags = header.nlmsg_pid != 0 ? CNF_BY_PROGRAM : 0;
    rest = take_beginning(rest, out);
    if (rest.left > 0 && walk(rest, out) != 0)
        return -EBADMSG;
    return out->family != 0 ? 1 : -EBADMSG; // 0: the original tuple was missing
}
