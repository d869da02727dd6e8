// SPDX-License-Identifier: GPL-3.0-or-later
//
// An event as a row for a person: when, what, who with whom, and by way of what address where that is translated.
//
//   15:04:05.123 NEW     tcp     SYN_SENT    10.0.0.7:40001         → 192.0.2.1:443          via 203.0.113.9:40001

#include "line.h"

#include "words.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>

#define SECOND 1000000000ull
/// What most addresses with a port fit in: "255.255.255.255:65535".
#define ENDPOINT 21

/// Blanks up to `width` behind what was put from `begin` on, and one more.
static void pad(struct text *text, size_t begin, size_t width)
{
    const size_t size = text_length(text) - begin;

    put_blanks(text, (size < width ? width - size : 0) + 1);
}

static void put_word(struct text *text, const char *word, size_t width)
{
    const size_t begin = text_length(text);

    put_string(text, word);
    pad(text, begin, width);
}

static void put_clock(struct text *text, uint64_t nanoseconds)
{
    const time_t seconds = (time_t)(nanoseconds / SECOND);
    struct tm local = {0};

    localtime_r(&seconds, &local);
    cnf_put_padded(text, (uint64_t)local.tm_hour, 2);
    PUT(text, ":");
    cnf_put_padded(text, (uint64_t)local.tm_min, 2);
    PUT(text, ":");
    cnf_put_padded(text, (uint64_t)local.tm_sec, 2);
    PUT(text, ".");
    cnf_put_padded(text, nanoseconds % SECOND / 1000000, 3);
    PUT(text, " ");
}

static void put_kind(struct text *text, uint8_t kind, uint32_t options)
{
    static const char *const words[] = {"NEW", "UPDATE", "DESTROY"};
    static const char *const colours[] = {"\033[32m", "\033[36m", "\033[31m"};
    const bool is_coloured = (options & CNF_STYLE_COLOUR) != 0;

    if (is_coloured)
        put_string(text, colours[kind]);
    put_string(text, words[kind]);
    if (is_coloured)
        PUT(text, "\033[0m");
    put_blanks(text, 8 - strlen(words[kind]));
}

static void put_endpoint(struct text *text, uint8_t protocol, uint8_t family, const uint8_t *address, uint16_t port)
{
    const bool has_port = cnf_has_ports(protocol), is_v6 = family == AF_INET6;

    if (has_port && is_v6)
        PUT(text, "[");
    cnf_put_address(text, family, address);
    if (has_port && is_v6)
        PUT(text, "]");
    if (!has_port)
        return;
    PUT(text, ":");
    cnf_put_number(text, port);
}

/// Whether the reply comes from, or goes to, somewhere else than the original went to, or came from.
static bool differs(const struct part_tuple *tuple, const uint8_t *one, const uint8_t *other, uint16_t port,
                    uint16_t other_port)
{
    return memcmp(one, other, tuple->family == AF_INET6 ? 16 : 4) != 0 ||
           (cnf_has_ports(tuple->protocol) && port != other_port);
}

static void put_nat(struct text *text, const struct part_tuple *original, const struct part_tuple *reply,
                    const char *arrow)
{
    const bool source =
        differs(original, original->source, reply->destination, original->source_port, reply->destination_port);
    const bool destination =
        differs(original, original->destination, reply->source, original->destination_port, reply->source_port);

    if (!source && !destination)
        return;
    PUT(text, "via ");
    if (source) {
        put_endpoint(text, reply->protocol, reply->family, reply->destination, reply->destination_port);
        PUT(text, " ");
    }
    if (destination) {
        put_string(text, arrow);
        PUT(text, " ");
        put_endpoint(text, reply->protocol, reply->family, reply->source, reply->source_port);
        PUT(text, " ");
    }
}

static void put_flow(struct text *text, const struct parts *parts, const char *arrow)
{
    const struct part_tuple *const original = &parts->original;
    size_t begin = text_length(text);

    put_endpoint(text, original->protocol, original->family, original->source, original->source_port);
    pad(text, begin, ENDPOINT);
    put_string(text, arrow);
    PUT(text, " ");
    begin = text_length(text);
    put_endpoint(text, original->protocol, original->family, original->destination, original->destination_port);
    pad(text, begin, ENDPOINT);
    if (original->protocol == IPPROTO_ICMP || original->protocol == IPPROTO_ICMPV6) {
        PUT(text, "type ");
        cnf_put_number(text, original->destination_port >> 8);
        PUT(text, " code ");
        cnf_put_number(text, original->destination_port & 0xff);
        PUT(text, " ");
    }
    put_nat(text, original, &parts->reply, arrow);
}

static void put_remarks(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;

    if ((parts->seen & SEEN(CTA_STATUS)) != 0) {
        if ((parts->status & (IPS_OFFLOAD | IPS_HW_OFFLOAD)) != 0)
            PUT(text, "offloaded ");
        if ((parts->status & IPS_SEEN_REPLY) == 0)
            PUT(text, "unreplied ");
    }
    if ((parts->seen & SEEN(CTA_MARK)) != 0 && parts->mark != 0) {
        PUT(text, "mark ");
        cnf_put_number(text, parts->mark);
        PUT(text, " ");
    }
    if ((parts->seen & SEEN(CTA_ZONE)) != 0) {
        PUT(text, "zone ");
        cnf_put_number(text, parts->zone);
        PUT(text, " ");
    }
    if (parts->portid == 0)
        return;
    PUT(text, "by ");
    if (wording->program != NULL) {
        put_string(text, wording->program);
    } else {
        PUT(text, "port ");
        cnf_put_number(text, parts->portid);
    }
}

void cnf_put_row(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;
    const uint32_t options = wording->style->options;
    const char *const protocol = cnf_protocol_word(parts->original.protocol);
    const char *const arrow = (options & CNF_STYLE_ASCII) != 0 ? "->" : "\u2192";

    put_clock(text, time_of(parts, wording->received_ns));
    put_kind(text, parts->kind, options);
    if (protocol != NULL) {
        put_word(text, protocol, 7);
    } else {
        const size_t begin = text_length(text);
        cnf_put_number(text, parts->original.protocol);
        pad(text, begin, 7);
    }
    put_word(text, (parts->seen & SEEN_STATE) != 0 ? cnf_state_word(parts) : "-", 11);
    put_flow(text, parts, arrow);
    put_remarks(text, wording);
    while (text->next > text->start && text->next[-1] == ' ')
        text->next--;
}
