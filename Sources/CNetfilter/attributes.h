// SPDX-License-Identifier: GPL-3.0-or-later
//
// Netlink attributes, read where they lie.
//
//   | length | type | payload ... | padding to 4 | length | type | ...
//
// The length counts its four bytes of header and the payload, not the padding. Nothing here reads outside the bytes that
// a walk was begun with, whatever they say, and none of them needs to be aligned.
//
// Inline, where libmnl has functions of a shared library: an entry's message takes a hundred of those calls.

#ifndef ATTRIBUTES_H
#define ATTRIBUTES_H

#include <endian.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// One attribute, which lies within the bytes that it was taken from.
struct attribute {
    uint16_t type; ///< without its two flags
    uint16_t size; ///< of the payload
    const uint8_t *payload;
};

/// What is left of attributes that follow one another: those of a message, or those that another one holds.
struct attributes {
    const uint8_t *next;
    ptrdiff_t left; ///< below zero after a last one whose padding is missing
};

static inline struct attributes attributes_at(const void *bytes, size_t size)
{
    return (struct attributes){.next = bytes, .left = (ptrdiff_t)size};
}

static inline struct attributes attributes_in(struct attribute nest)
{
    return attributes_at(nest.payload, nest.size);
}

/// Takes the next attribute. False at the end, and at one that claims less than its header or more than is left.
static inline bool next_attribute(struct attributes *rest, struct attribute *out)
{
    struct nlattr header;

    if (rest->left < (ptrdiff_t)sizeof(header))
        return false;
    memcpy(&header, rest->next, sizeof(header));
    if (header.nla_len < sizeof(header) || header.nla_len > rest->left)
        return false;
    out->type = header.nla_type & NLA_TYPE_MASK;
    out->size = (uint16_t)(header.nla_len - sizeof(header));
    out->payload = rest->next + sizeof(header);
    rest->next += NLA_ALIGN(header.nla_len);
    rest->left -= NLA_ALIGN(header.nla_len);
    return true;
}

/// Whether the walk stopped at a broken attribute and not at the end, where up to three bytes of padding may remain.
static inline bool torn(const struct attributes *rest)
{
    return rest->left >= (ptrdiff_t)sizeof(struct nlattr);
}

// Integers, sent in network byte order. 0 when the payload is too short for one.

static inline uint8_t u8_of(struct attribute attribute)
{
    return attribute.size < sizeof(uint8_t) ? 0 : *attribute.payload;
}

static inline uint16_t be16_of(struct attribute attribute)
{
    uint16_t value;

    if (attribute.size < sizeof(value))
        return 0;
    memcpy(&value, attribute.payload, sizeof(value));
    return be16toh(value);
}

static inline uint32_t be32_of(struct attribute attribute)
{
    uint32_t value;

    if (attribute.size < sizeof(value))
        return 0;
    memcpy(&value, attribute.payload, sizeof(value));
    return be32toh(value);
}

static inline uint64_t be64_of(struct attribute attribute)
{
    uint64_t value;

    if (attribute.size < sizeof(value))
        return 0;
    memcpy(&value, attribute.payload, sizeof(value));
    return be64toh(value);
}

#endif
