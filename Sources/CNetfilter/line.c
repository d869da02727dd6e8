// SPDX-License-Identifier: GPL-3.0-or-later
//
// The lines of `conntrack -E`, byte by byte: the library's text, and what conntrack(8) 1.4 puts before and behind it.

#include "line.h"

#include "text.h"
#include "words.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND 1000000000ull

/// conntrack(8) has the library write into 1024 bytes, the NUL among them.
#define LONGEST 1023

// MARK: Elements, each with a blank behind it

/// A word and a number: "%-8s %u ".
static void put_named(struct text *text, const char *word, unsigned int number)
{
    const size_t size = strlen(word);

    put_bytes(text, word, size);
    put_blanks(text, size < 8 ? 8 - size : 0);
    PUT(text, " ");
    cnf_put_number(text, number);
    PUT(text, " ");
}

static void put_tuple(struct text *text, const struct part_tuple *tuple)
{
    PUT(text, "src=");
    cnf_put_address(text, tuple->family, tuple->source);
    PUT(text, " dst=");
    cnf_put_address(text, tuple->family, tuple->destination);
    PUT(text, " ");
    if (cnf_has_ports(tuple->protocol)) {
        PUT(text, "sport=");
        cnf_put_number(text, tuple->source_port);
        PUT(text, " dport=");
        cnf_put_number(text, tuple->destination_port);
        PUT(text, " ");
    } else if (tuple->protocol == IPPROTO_GRE) {
        PUT(text, "srckey=0x");
        cnf_put_hex(text, tuple->source_port);
        PUT(text, " dstkey=0x");
        cnf_put_hex(text, tuple->destination_port);
        PUT(text, " ");
    } else if (tuple->protocol == IPPROTO_ICMP || tuple->protocol == IPPROTO_ICMPV6) {
        PUT(text, "type=");
        cnf_put_number(text, tuple->destination_port >> 8);
        PUT(text, " code=");
        cnf_put_number(text, tuple->destination_port & 0xff);
        PUT(text, " id=");
        cnf_put_number(text, tuple->source_port);
        PUT(text, " ");
    }
}

static void put_counters(struct text *text, const struct part_counters *counters)
{
    PUT(text, "packets=");
    cnf_put_number(text, counters->packets);
    PUT(text, " bytes=");
    cnf_put_number(text, counters->bytes);
    PUT(text, " ");
}

/// In local time, as ctime(3) words it.
static void put_local(struct text *text, uint64_t nanoseconds)
{
    const time_t seconds = (time_t)(nanoseconds / SECOND);
    char words[32];

    if (ctime_r(&seconds, words) != NULL)
        put_bytes(text, words, strcspn(words, "\n"));
}

static void put_times(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;
    const uint64_t stop = (parts->seen & SEEN_STOP) != 0 && parts->stop != 0 ? parts->stop : wording->received_ns;
    const bool is_told = (wording->style->options & CNF_STYLE_KERNEL_TIMES) != 0;

    if ((parts->seen & SEEN_START) != 0) {
        PUT(text, "delta-time=");
        cnf_put_number(text, stop / SECOND - parts->start / SECOND);
        PUT(text, " ");
    }
    if (is_told && (parts->seen & SEEN_START) != 0) {
        PUT(text, "[start=");
        put_local(text, parts->start);
        PUT(text, "] ");
    }
    if (is_told && (parts->seen & SEEN_STOP) != 0) {
        PUT(text, "[stop=");
        put_local(text, parts->stop);
        PUT(text, "] ");
    }
}

/// The library puts a comma behind each name and takes the last byte back, whatever it is.
static void put_labels(struct text *text, const struct parts *parts, struct nfct_labelmap *labels)
{
    PUT(text, "labels=");
    for (unsigned int bit = 0; bit < label_bits(parts); bit++) {
        const char *const name = has_label(parts, bit) ? cnf_label_word(labels, bit) : NULL;

        if (name != NULL) {
            put_string(text, name);
            PUT(text, ",");
        }
    }
    if (!text->full)
        text->next[-1] = ' ';
}

static void put_number_of(struct text *text, const char *key, uint64_t number)
{
    put_string(text, key);
    cnf_put_number(text, number);
    PUT(text, " ");
}

// MARK: The library's text

static void put_direction(struct text *text, const struct parts *parts, bool is_reply)
{
    const struct part_tuple *const tuple = is_reply ? &parts->reply : &parts->original;

    put_tuple(text, tuple);
    if (tuple->has_zone) {
        if (is_reply)
            PUT(text, "zone-reply=");
        else
            PUT(text, "zone-orig=");
        cnf_put_number(text, tuple->zone);
        PUT(text, " ");
    }
    if ((parts->seen & SEEN(is_reply ? CTA_COUNTERS_REPLY : CTA_COUNTERS_ORIG)) != 0)
        put_counters(text, is_reply ? &parts->received : &parts->sent);
    if ((parts->seen & SEEN(CTA_STATUS)) == 0)
        return;
    if (!is_reply) {
        if ((parts->status & IPS_SEEN_REPLY) == 0)
            PUT(text, "[UNREPLIED] ");
    } else if ((parts->status & IPS_HW_OFFLOAD) != 0) {
        PUT(text, "[HW_OFFLOAD] ");
    } else if ((parts->status & IPS_OFFLOAD) != 0) {
        PUT(text, "[OFFLOAD] ");
    } else if ((parts->status & IPS_ASSURED) != 0) {
        PUT(text, "[ASSURED] ");
    }
}

static void put_beginning(struct text *text, const struct parts *parts, uint32_t options)
{
    const char *const word = cnf_protocol_word(parts->original.protocol);

    if (parts->kind == CNF_NEW)
        PUT(text, "    [NEW] ");
    else if (parts->kind == CNF_UPDATE)
        PUT(text, " [UPDATE] ");
    else
        PUT(text, "[DESTROY] ");
    if ((options & CNF_STYLE_EXTENDED) != 0)
        put_named(text, parts->original.family == AF_INET6 ? "ipv6" : "ipv4", parts->original.family);
    put_named(text, word == NULL ? "unknown" : word, parts->original.protocol);
    if ((parts->seen & SEEN(CTA_TIMEOUT)) != 0) {
        cnf_put_number(text, parts->timeout);
        PUT(text, " ");
    }
    if ((parts->seen & SEEN_STATE) != 0) {
        put_string(text, cnf_state_word(parts));
        PUT(text, " ");
    }
}

static void put_end(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;
    const struct cnf_style *const style = wording->style;

    if ((parts->seen & SEEN(CTA_MARK)) != 0)
        put_number_of(text, "mark=", parts->mark);
    if ((parts->seen & SEEN(CTA_SECMARK)) != 0)
        put_number_of(text, "secmark=", parts->secmark);
    if ((parts->seen & SEEN(CTA_SECCTX)) != 0) {
        PUT(text, "secctx=");
        put_string(text, parts->context);
        PUT(text, " ");
    }
    if ((parts->seen & SEEN(CTA_ZONE)) != 0)
        put_number_of(text, "zone=", parts->zone);
    if ((parts->seen & SEEN(CTA_TIMESTAMP)) != 0)
        put_times(text, wording);
    if ((parts->seen & SEEN(CTA_HELP)) != 0) {
        PUT(text, "helper=");
        put_bytes(text, parts->helper, strnlen(parts->helper, 15)); // NFCT_HELPER_NAME_MAX, the NUL among them
        PUT(text, " ");
    }
    if ((parts->seen & SEEN(CTA_USE)) != 0)
        put_number_of(text, "use=", parts->use);
    if ((style->options & CNF_STYLE_ID) != 0 && (parts->seen & SEEN(CTA_ID)) != 0)
        put_number_of(text, "id=", parts->id);
    if (style->labels != NULL && (parts->seen & SEEN(CTA_LABELS)) != 0)
        put_labels(text, parts, (struct nfct_labelmap *)style->labels);
}

static void put_entry(struct text *text, const struct wording *wording)
{
    put_beginning(text, wording->parts, wording->style->options);
    put_direction(text, wording->parts, false);
    put_direction(text, wording->parts, true);
    put_end(text, wording);
    if (!text->full)
        text->next--; // the last blank
}

/// What we do not know the library may.
static int put_entry_by_library(struct text *text, const struct wording *wording)
{
    const uint32_t options = wording->style->options;
    const unsigned int flags = ((options & CNF_STYLE_EXTENDED) != 0 ? NFCT_OF_SHOW_LAYER3 : 0) |
                               ((options & CNF_STYLE_KERNEL_TIMES) != 0 ? NFCT_OF_TIMESTAMP : 0) |
                               ((options & CNF_STYLE_ID) != 0 ? NFCT_OF_ID : 0);
    char words[LONGEST + 1];
    const int length = cnf_library_text(wording->message, wording->length, flags,
                                        (struct nfct_labelmap *)wording->style->labels, words, sizeof(words));

    if (length < 0)
        return length;
    put_bytes(text, words, strnlen(words, LONGEST));
    return 0;
}

// MARK: The line

static void put_stamp(struct text *text, uint64_t nanoseconds)
{
    PUT(text, "[");
    cnf_put_padded(text, nanoseconds / SECOND, 8);
    PUT(text, ".");
    cnf_put_padded(text, nanoseconds % SECOND / 1000, 6);
    PUT(text, "]\t");
}

static void put_program(struct text *text, uint32_t portid, const char *program)
{
    PUT(text, " [USERSPACE] portid=");
    cnf_put_number(text, portid);
    if (program == NULL)
        return;
    PUT(text, " progname=");
    put_string(text, program);
}

int cnf_put_conntrack(struct text *text, const struct wording *wording)
{
    if ((wording->style->options & CNF_STYLE_TIME) != 0)
        put_stamp(text, time_of(wording->parts, wording->received_ns));
    char *const begin = text->next;
    if (wording->parts->odd) {
        const int error = put_entry_by_library(text, wording);
        if (error != 0)
            return error;
    } else {
        put_entry(text, wording);
    }
    if (text->next - begin > LONGEST)
        text->next = begin + LONGEST;
    if (wording->parts->portid != 0)
        put_program(text, wording->parts->portid, wording->program);
    return 0;
}

int cnf_line(const void *message, size_t length, const struct cnf_style *style, uint64_t received_ns,
             const char *program, char *out, size_t capacity)
{
    struct parts parts;
    struct text text = text_in(out, capacity);
    int read = cnf_read_parts(message, length, &parts);

    if (read == 0)
        return 0;
    // A direction that is odd itself: the library takes more than we do, and what a line needs beside it is in the header.
    if (read < 0 && style->format != CNF_FORMAT_CONNTRACK)
        return read;
    parts.odd |= read < 0;
    const struct wording wording = {
        .message = message,
        .length = length,
        .parts = &parts,
        .style = style,
        .program = program,
        .received_ns = received_ns,
    };
    int error = 0;
    if (style->format == CNF_FORMAT_CONNTRACK)
        error = cnf_put_conntrack(&text, &wording);
    else if (style->format == CNF_FORMAT_JSON)
        cnf_put_json(&text, &wording);
    else
        cnf_put_row(&text, &wording);
    if (error == 0 && text.full)
        error = -ENOSPC;
    return error != 0 ? error : (int)text_length(&text);
}
