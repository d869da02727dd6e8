// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef FILTER_H
#define FILTER_H

#include "CRecord.h"

#include <stddef.h>
#include <stdint.h>

struct bpf_insn;

/// What the filter counts by enum cnf_kind, a copy a CPU; the value of its array map. The filter finds all counters of a
/// kind from the first of them, so that the arrays lie one behind the other and are of one size.
struct filter_counts {
    uint64_t sent[CNF_EVENT_KINDS];      ///< messages
    uint64_t overrun[CNF_EVENT_KINDS];   ///< of these, what found no room in the ring
    uint64_t truncated[CNF_EVENT_KINDS]; ///< of these, what was longer than the largest record
};

/// Sizes of a ring record, without its 8-byte header: the verifier wants constants. In bytes, on 6.18: IPv4 UDP new 148,
/// IPv4 TCP new 196, IPv6 TCP new 244; mark and zone add 8 each, labels 20, timestamp 20, and counters and timestamp
/// 104 to a destroy.
#define FILTER_SMALL 168
#define FILTER_MEDIUM 328
#define FILTER_LARGE 2040

#define FILTER_LENGTH 128

struct cnf_filter;
struct sock_filter;

/// What of a filter is seen at a glance. -1 = not asked for.
struct glance {
    int family;   ///< AF_INET or AF_INET6
    int protocol; ///< the only one that is wanted
    int hurries;  ///< 1 = a message that a program caused wakes the reader
};
/// Its family and protocol.
struct glance cnf_glance(const struct cnf_filter *filter);

/// Writes the filter for these maps into `program`; the reader is woken when `half` bytes wait. Returns its length.
size_t cnf_filter_make(int counts_map, int ring_map, int32_t half, struct glance glance, struct bpf_insn *program);

#define CLASSIC_LENGTH 16

/// Writes what of it a socket without a ring is given, in the old language. Returns its length; 0 = nothing to ask.
size_t cnf_filter_make_classic(struct glance glance, struct sock_filter *program);

#endif
