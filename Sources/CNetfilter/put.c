// SPDX-License-Identifier: GPL-3.0-or-later

#include "put.h"

#include <sys/socket.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

/// The most that a number of 64 bits takes.
#define DIGITS 20

/// Writes the digits to the end of `digits` and returns where they begin.
ALWAYS_INLINE char *digits_of(uint64_t value, char *end)
{
    while (value >= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

void cnf_put_number(struct text *text, uint64_t value)
{
    char digits[DIGITS];
    char *const end = digits + sizeof(digits);
    const char *start;

    if (value <= UINT32_MAX)
        start = digits_of((uint32_t)value, end);
    else
        start = digits_of(value, end);
    put_bytes(text, start, (size_t)(end - start));
}

void cnf_put_padded(struct text *text, uint64_t value, unsigned int count)
{
    char digits[DIGITS];
    char *const end = digits + sizeof(digits);
    char *start = digits_of(value, end);

    while (start > digits && (size_t)(end - start) < count)
        *--start = '0';
    put_bytes(text, start, (size_t)(end - start));
}

void cnf_put_hex(struct text *text, uint32_t value)
{
    char digits[8];
    char *start = digits + sizeof(digits);

    do {
        *--start = "0123456789abcdef"[value & 0xf];
        value >>= 4;
    } while (value != 0);
    put_bytes(text, start, (size_t)(digits + sizeof(digits) - start));
}

// MARK: Addresses

/// One byte in decimal, to `out`; returns where the next begins.
ALWAYS_INLINE char *byte_to(char *out, uint8_t value)
{
    if (value >= 100) {
        *out++ = (char)('0' + value / 100);
        memcpy(out, pairs + value % 100 * 2, 2);
        return out + 2;
    }
    if (value >= 10) {
        memcpy(out, pairs + value * 2, 2);
        return out + 2;
    }
    *out++ = (char)('0' + value);
    return out;
}

static void put_v4(struct text *text, const uint8_t *address)
{
    char bytes[16], *end = bytes;

    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *end++ = '.';
        end = byte_to(end, address[i]);
    }
    put_bytes(text, bytes, (size_t)(end - bytes));
}

/// The first of the longest runs of at least two zero groups: `*length` 0 = none.
static int longest_zeros(const uint16_t *groups, int *length)
{
    int best = 0, run = 0;

    *length = 0;
    for (int i = 0; i < 8; i++) {
        run = groups[i] == 0 ? run + 1 : 0;
        if (run > *length && run >= 2) {
            *length = run;
            best = i - run + 1;
        }
    }
    return best;
}

static void put_v6(struct text *text, const uint8_t *address)
{
    uint16_t groups[8];
    int zeros;

    for (int i = 0; i < 8; i++)
        groups[i] = be16_at(address + 2 * i);
    const int first = longest_zeros(groups, &zeros);
    // An IPv4 address in it, mapped or compatible, stays one.
    const bool has_v4 = first == 0 && (zeros == 6 || (zeros == 5 && groups[5] == 0xffff));

    for (int i = 0; i < (has_v4 ? 6 : 8); i++) {
        if (zeros > 0 && i == first) {
            PUT(text, "::");
            i += zeros - 1;
            continue;
        }
        if (i > 0 && !(zeros > 0 && i == first + zeros))
            PUT(text, ":");
        cnf_put_hex(text, groups[i]);
    }
    if (!has_v4)
        return;
    if (zeros == 5)
        PUT(text, ":");
    put_v4(text, address + 12);
}

void cnf_put_address(struct text *text, uint8_t family, const uint8_t *address)
{
    if (family == AF_INET6)
        put_v6(text, address);
    else
        put_v4(text, address);
}

// MARK: Times

#define SECOND 1000000000ull
#define DAY 86400ull

/// Of days since 1970, by the proleptic calendar: years begin in March, so that a leap day ends one.
static void put_date(struct text *text, uint64_t days)
{
    const uint64_t shifted = days + 719468;
    const uint64_t era = shifted / 146097, in_era = shifted % 146097;
    const uint64_t of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    const uint64_t in_year = in_era - (365 * of_era + of_era / 4 - of_era / 100);
    const uint64_t from_march = (5 * in_year + 2) / 153;
    const uint64_t month = from_march < 10 ? from_march + 3 : from_march - 9;

    cnf_put_padded(text, era * 400 + of_era + (month <= 2), 4);
    PUT(text, "-");
    cnf_put_padded(text, month, 2);
    PUT(text, "-");
    cnf_put_padded(text, in_year - (153 * from_march + 2) / 5 + 1, 2);
}

void cnf_put_time(struct text *text, uint64_t nanoseconds)
{
    const uint64_t seconds = nanoseconds / SECOND;

    put_date(text, seconds / DAY);
    PUT(text, "T");
    cnf_put_padded(text, seconds % DAY / 3600, 2);
    PUT(text, ":");
    cnf_put_padded(text, seconds % 3600 / 60, 2);
    PUT(text, ":");
    cnf_put_padded(text, seconds % 60, 2);
    PUT(text, ".");
    cnf_put_padded(text, nanoseconds % SECOND, 9);
    PUT(text, "Z");
}

// MARK: JSON

/// How many bytes of UTF-8 begin here; 0 = they are none.
static size_t utf8_length(const uint8_t *bytes)
{
    const size_t count = bytes[0] < 0x80   ? 1
                         : bytes[0] < 0xc2 ? 0
                         : bytes[0] < 0xe0 ? 2
                         : bytes[0] < 0xf0 ? 3
                         : bytes[0] < 0xf5 ? 4
                                           : 0;

    for (size_t i = 1; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) // the NUL at the end is none either
            return 0;
    }
    if (count == 3 && ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f)))
        return 0;
    if (count == 4 && ((bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f)))
        return 0;
    return count;
}

void cnf_put_quoted(struct text *text, const char *string)
{
    PUT(text, "\"");
    for (const uint8_t *next = (const uint8_t *)string; *next != 0;) {
        const size_t count = utf8_length(next);

        if (*next == '"' || *next == '\\') {
            PUT(text, "\\");
            put_char(text, (char)*next++);
        } else if (*next < 0x20 || count == 0) {
            PUT(text, "\\u00");
            put_char(text, "0123456789abcdef"[*next >> 4]);
            put_char(text, "0123456789abcdef"[*next & 0xf]);
            next++;
        } else {
            put_bytes(text, (const char *)next, count);
            next += count;
        }
    }
    PUT(text, "\"");
}
