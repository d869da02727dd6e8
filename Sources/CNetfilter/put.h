// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text put behind text in a buffer of the caller's: no allocation, no stdio. What has no room is left out, and `full` says so.

#ifndef PUT_H
#define PUT_H

#include "attributes.h"

struct text {
    char *start, *next, *end;
    bool full;
};

static inline struct text text_in(char *out, size_t capacity)
{
    return (struct text){.start = out, .next = out, .end = out + capacity};
}

ALWAYS_INLINE size_t text_length(const struct text *text)
{
    return (size_t)(text->next - text->start);
}

ALWAYS_INLINE void put_bytes(struct text *text, const char *bytes, size_t count)
{
    if ((size_t)(text->end - text->next) < count) {
        text->full = true;
        return;
    }
    memcpy(text->next, bytes, count);
    text->next += count;
}

/// A literal.
#define PUT(text, literal) put_bytes((text), "" literal, sizeof(literal) - 1)

static inline void put_string(struct text *text, const char *string)
{
    put_bytes(text, string, strlen(string));
}

static inline void put_char(struct text *text, char character)
{
    put_bytes(text, &character, 1);
}

static inline void put_blanks(struct text *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_char(text, ' ');
}

/// In decimal.
void cnf_put_number(struct text *text, uint64_t value);
/// In decimal, with at least `digits` digits.
void cnf_put_padded(struct text *text, uint64_t value, unsigned int digits);
/// In hexadecimal, without a prefix.
void cnf_put_hex(struct text *text, uint32_t value);
/// As inet_ntop(3) has it.
void cnf_put_address(struct text *text, uint8_t family, const uint8_t *address);
/// "2026-11-27T15:04:05.123456789Z", of nanoseconds since 1970.
void cnf_put_time(struct text *text, uint64_t nanoseconds);
/// Between quotes, escaped as JSON has it. What is not UTF-8 is taken byte by byte, as U+0080 to U+00FF.
void cnf_put_quoted(struct text *text, const char *string);

#endif
