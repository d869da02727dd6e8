// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the ring, the decoder and the fixed tables rely on about the records' layout.

#include "CRecord.h"

#include <stddef.h>

/// A cache line, its time first, then its kind, and nothing hidden behind `last`.
#define IS_A_RECORD(record, last)                                                                                      \
    _Static_assert(sizeof(struct record) == 64 && offsetof(struct record, time_ns) == 0 &&                             \
                       offsetof(struct record, kind) == 8 &&                                                           \
                       offsetof(struct record, last) + sizeof(((struct record *)0)->last) == 64,                       \
                   #record " is a record of the ring")

IS_A_RECORD(cnf_event, destination);
IS_A_RECORD(cnf_table, unused);
IS_A_RECORD(cnf_counts, dropped);
IS_A_RECORD(cnf_duty, settled_at);
IS_A_RECORD(cnf_status, reserved);

// Every byte has a name: what is hidden would not be zeroed, and records are compared and kept whole.
_Static_assert(offsetof(struct cnf_counts, received) == 16, "counts have no hidden padding");
_Static_assert(offsetof(struct cnf_duty, message_rate) == 16, "a duty has no hidden padding");
_Static_assert(offsetof(struct cnf_status, bytes) == 24, "a status has no hidden padding");
_Static_assert(offsetof(struct cnf_table, entries) == 24, "a look has no hidden padding");
_Static_assert(offsetof(struct cnf_event, source) == 32, "addresses lie on their own half");

// Where EventInPlace.swift looks.
_Static_assert(offsetof(struct cnf_event, family) == 9, "family is at its place");
_Static_assert(offsetof(struct cnf_event, protocol) == 10, "protocol is at its place");
_Static_assert(offsetof(struct cnf_event, tcp_state) == 11, "tcp_state is at its place");
_Static_assert(offsetof(struct cnf_event, source_port) == 14, "source_port is at its place");
_Static_assert(offsetof(struct cnf_event, destination_port) == 16, "destination_port is at its place");
_Static_assert(offsetof(struct cnf_event, flags) == 18, "flags is at its place");
_Static_assert(offsetof(struct cnf_event, status) == 20, "status is at its place");
_Static_assert(offsetof(struct cnf_event, destination) == 48, "destination is at its place");
_Static_assert(offsetof(struct cnf_event, source) + CNF_NAT_ADDRESS == 40, "the NAT address is at its place");
_Static_assert(offsetof(struct cnf_event, source) + CNF_NAT_REMOTE == 44, "where NAT leads is at its place");
_Static_assert(offsetof(struct cnf_event, destination) + CNF_NAT_PORTS == 56, "the NAT ports are at their place");
_Static_assert(sizeof(struct cnf_nat) == 8, "the NAT ports fill the second half of a destination");

_Static_assert(sizeof(union cnf_record) == 64, "a slot is a record");
_Static_assert(CNF_NEW == 0 && CNF_UPDATE == 1 && CNF_DESTROY == CNF_EVENT_KINDS - 1, "the events' kinds are indices");
_Static_assert(sizeof(struct cnf_entry) == 96, "an entry has no hidden padding");
