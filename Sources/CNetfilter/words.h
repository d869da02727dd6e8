// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words that conntrack(8) has for what a message says in numbers, and those that JSON and tables share with it.

#ifndef WORDS_H
#define WORDS_H

#include "parts.h"
#include "put.h"

struct nfct_labelmap;

/// "tcp"; NULL for a protocol without a name.
const char *cnf_protocol_word(uint8_t protocol);
/// "ESTABLISHED"; one that has no name is "NONE".
const char *cnf_state_word(const struct parts *parts);
/// Whether what stands in the place of ports are ports.
bool cnf_has_ports(uint8_t protocol);
/// The name of a label; NULL without one.
const char *cnf_label_word(struct nfct_labelmap *labels, unsigned int bit);

/// Of CTA_LABELS.
static inline bool has_label(const struct parts *parts, unsigned int bit)
{
    uint32_t word;

    memcpy(&word, parts->labels + bit / 32 * sizeof(word), sizeof(word));
    return (word >> bit % 32 & 1) != 0;
}

static inline unsigned int label_bits(const struct parts *parts)
{
    return (unsigned int)(parts->labels_size / sizeof(uint32_t) * 32);
}

/// When it happened: as the kernel says (6.14), else `received_ns`.
static inline uint64_t time_of(const struct parts *parts, uint64_t received_ns)
{
    return (parts->seen & SEEN(TIMESTAMP_EVENT)) != 0 ? parts->event_time : received_ns;
}

#endif
