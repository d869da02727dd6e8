// SPDX-License-Identifier: GPL-3.0-or-later
//
// An entry's message taken apart whole, for whoever words it: everything that conntrack(8) prints, and where it lies.
// Nothing is copied: what is pointed to is the message's.

#ifndef PARTS_H
#define PARTS_H

#include "attributes.h"
#include "message.h"

/// Of kernel 6.14; older headers lack it.
#define TIMESTAMP_EVENT 27
/// Above them all: what bits of `seen` are taken by types.
#define LAST_TYPE TIMESTAMP_EVENT
/// Bits of `seen` above the types.
#define SEEN_STATE (1u << 28)
#define SEEN_START (1u << 29)
#define SEEN_STOP (1u << 30)

#define SEEN(type) (1u << (type))

/// One direction.
struct part_tuple {
    const uint8_t *source, *destination;    ///< 4 or 16 bytes
    uint16_t source_port, destination_port; ///< as in cnf_event
    uint16_t zone;
    uint8_t protocol;
    uint8_t family;
    bool has_zone;
    bool has_ports; ///< what its protocol has in their place was there
};

struct part_counters {
    uint64_t packets, bytes;
};

/// What a message holds. A field counts where its bit is in `seen`.
struct parts {
    uint32_t seen;    ///< SEEN(CTA_*), SEEN_*
    uint32_t portid;  ///< nlmsg_pid: who had it changed, 0 = the kernel
    uint8_t kind;     ///< as conntrack(8) tells them apart
    bool odd;         ///< there was something else: an unknown type, one twice, another size than the kernel's
    uint8_t state;    ///< of TCP, SCTP or DCCP: `state_of`
    uint8_t state_of; ///< CTA_PROTOINFO_TCP ...
    uint16_t zone;
    uint32_t status, timeout, mark, secmark, use, id;
    uint64_t start, stop, event_time; ///< nanoseconds since 1970
    struct part_tuple original, reply, master;
    struct part_counters sent, received;
    const char *helper, *context; ///< NUL-terminated
    const uint8_t *labels;
    size_t labels_size;
};

/// Returns 1; 0 when the message is no event, -EBADMSG when it does not hold together or lacks a direction.
int cnf_read_parts(const void *message, size_t length, struct parts *out);

#endif
