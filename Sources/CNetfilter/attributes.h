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

/// For functions whose sizes are constants where they are called, and shall stay so.
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/// What an attribute takes up whose payload has `size` bytes.
#define ROOM(size) (NLA_HDRLEN + NLA_ALIGN(size))

/// One attribute, which lies within the bytes that it was taken from.
struct attribute {
    unsigned int type; ///< without its two flags
    size_t size;       ///< of the payload
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

// MARK: Whatever comes

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
    out->size = header.nla_len - sizeof(header);
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

// MARK: What is expected
//
// A walk learns from each attribute where the next one begins, and has to wait for each load. Of an attribute that is
// expected this is known beforehand; its header is only compared.

/// Whether the four bytes before `payload` are the header of an attribute of this type, flags included, and size.
static inline bool header_is(const uint8_t *payload, unsigned int type, size_t size)
{
    const struct nlattr header = {.nla_len = (uint16_t)(NLA_HDRLEN + size), .nla_type = (uint16_t)type};
    uint32_t found, expected; // both halves in one comparison

    memcpy(&found, payload - NLA_HDRLEN, sizeof(found));
    memcpy(&expected, &header, sizeof(expected));
    return found == expected;
}

/// Takes the next attribute if it is of this type, flags included, and size, and returns its payload. Otherwise NULL,
/// and the attribute is left.
static inline const uint8_t *take(struct attributes *rest, unsigned int type, size_t size)
{
    if (rest->left < (ptrdiff_t)(NLA_HDRLEN + size) || !header_is(rest->next + NLA_HDRLEN, type, size))
        return NULL;
    const uint8_t *payload = rest->next + NLA_HDRLEN;
    rest->next += ROOM(size);
    rest->left -= (ptrdiff_t)ROOM(size);
    return payload;
}

// MARK: Integers, in network byte order

static inline uint16_t be16_at(const uint8_t *bytes)
{
    uint16_t value;

    memcpy(&value, bytes, sizeof(value));
    return be16toh(value);
}

static inline uint32_t be32_at(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof(value));
    return be32toh(value);
}

static inline uint64_t be64_at(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof(value));
    return be64toh(value);
}

// An attribute's, 0 when its payload is too short for one.

static inline uint8_t u8_of(struct attribute attribute)
{
    return attribute.size < sizeof(uint8_t) ? 0 : *attribute.payload;
}

static inline uint16_t be16_of(struct attribute attribute)
{
    return attribute.size < sizeof(uint16_t) ? 0 : be16_at(attribute.payload);
}

static inline uint32_t be32_of(struct attribute attribute)
{
    return attribute.size < sizeof(uint32_t) ? 0 : be32_at(attribute.payload);
}

static inline uint64_t be64_of(struct attribute attribute)
{
    return attribute.size < sizeof(uint64_t) ? 0 : be64_at(attribute.payload);
}

#endif
