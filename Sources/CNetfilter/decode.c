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

#include <linux/netfilter/nf_conntrack_common.h>

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

// MARK: What NAT made of it

/// A reply: its addresses and ports, and its zone.
struct reply {
    uint8_t family, protocol;
    struct cnf_nat nat;
    uint8_t source[16], destination[16];
};

static inline struct tuple tuple_of(struct reply *reply)
{
    return (struct tuple){
        .family = &reply->family,
        .protocol = &reply->protocol,
        .zone = &reply->nat.zone,
        .source_port = &reply->nat.port,
        .destination_port = &reply->nat.nat_port,
        .source = reply->source,
        .destination = reply->destination,
    };
}

static inline void set_nat(const struct reply *reply, struct cnf_event *out)
{
    memcpy(out->source + CNF_NAT_ADDRESS, reply->destination, 4);
    memcpy(out->source + CNF_NAT_REMOTE, reply->source, 4);
    memcpy(out->destination + CNF_NAT_PORTS, &reply->nat, sizeof(reply->nat));
}

/// A reply of any shape, at any place. One that does not hold together is left: the event is known by its original.
__attribute__((noinline)) static void find_nat(struct attributes rest, struct cnf_event *out)
{
    struct reply reply = {.nat.zone = out->zone};
    const struct tuple tuple = tuple_of(&reply);
    struct attribute attribute;

    while (next_attribute(&rest, &attribute)) {
        if (attribute.type != CTA_TUPLE_REPLY)
            continue;
        if (cnf_read_tuple(attributes_in(attribute), &tuple) == 0 && reply.family == AF_INET)
            set_nat(&reply, out);
        return;
    }
}

/// Where NAT has an IPv4 entry from and to, as its reply says. Not inlined, and from the message's beginning, so that an
/// entry without NAT pays for nothing but the question. Returns 1.
__attribute__((noinline)) static int read_nat(const uint8_t *message, struct cnf_event *out)
{
    struct nlmsghdr header;
    struct attributes all, rest;
    struct attribute original;
    struct reply reply; // the first four bytes of its addresses
    const struct tuple tuple = tuple_of(&reply);

    memcpy(&header, message, sizeof(header));
    // It has been read: it is as long as it says.
    if (out->family != AF_INET || !read_attributes(message, header.nlmsg_len, &header, &all))
        return 1;
    rest = all;
    if (next_attribute(&rest, &original) && take_tuple_of(&rest, CTA_TUPLE_REPLY, 4, PORTS_SIZE, &tuple) != 0) {
        reply.nat.zone = out->zone;
        reply.nat.reserved = 0;
        set_nat(&reply, out);
    } else {
        find_nat(all, out);
    }
    return 1;
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
    if (out->family == 0)
        return -EBADMSG; // the original tuple was missing
    return (out->status & IPS_SRC_NAT) == 0 ? 1 : read_nat(message, out);
}
