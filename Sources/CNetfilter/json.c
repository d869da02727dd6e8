// SPDX-License-Identifier: GPL-3.0-or-later
//
// An event as one JSON object; docs/events.md says what each member means. Numbers are written in full.

#include "line.h"

#include "words.h"

#include <netinet/in.h>
#include <sys/socket.h>

/// IPS_* without the prefix, by bit, as Swift's EntryStatus has them.
static const char *const status_names[] = {
    "EXPECTED",     "SEEN_REPLY", "ASSURED",       "CONFIRMED", "SRC_NAT",   "DST_NAT", "SEQ_ADJUST", "SRC_NAT_DONE",
    "DST_NAT_DONE", "DYING",      "FIXED_TIMEOUT", "TEMPLATE",  "NAT_CLASH", "HELPER",  "OFFLOAD",    "HW_OFFLOAD",
};

static void put_number_member(struct text *text, const char *key, uint64_t value)
{
    PUT(text, ",\"");
    put_string(text, key);
    PUT(text, "\":");
    cnf_put_number(text, value);
}

static void put_word_member(struct text *text, const char *key, const char *word)
{
    PUT(text, ",\"");
    put_string(text, key);
    PUT(text, "\":");
    cnf_put_quoted(text, word);
}

static void put_time_member(struct text *text, const char *key, uint64_t nanoseconds)
{
    PUT(text, ",\"");
    put_string(text, key);
    PUT(text, "\":\"");
    cnf_put_time(text, nanoseconds);
    PUT(text, "\"");
}

static void put_ports(struct text *text, const struct part_tuple *tuple)
{
    if (!tuple->has_ports)
        return;
    switch (tuple->protocol) {
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        put_number_member(text, "type", tuple->destination_port >> 8);
        put_number_member(text, "code", tuple->destination_port & 0xff);
        put_number_member(text, "id", tuple->source_port);
        break;
    case IPPROTO_GRE:
        put_number_member(text, "srckey", tuple->source_port);
        put_number_member(text, "dstkey", tuple->destination_port);
        break;
    default:
        if (!cnf_has_ports(tuple->protocol))
            break;
        put_number_member(text, "source_port", tuple->source_port);
        put_number_member(text, "destination_port", tuple->destination_port);
        break;
    }
}

static void put_tuple(struct text *text, const char *name, const struct part_tuple *tuple,
                      const struct part_counters *counters)
{
    PUT(text, ",\"");
    put_string(text, name);
    PUT(text, "\":{\"source\":\"");
    cnf_put_address(text, tuple->family, tuple->source);
    PUT(text, "\",\"destination\":\"");
    cnf_put_address(text, tuple->family, tuple->destination);
    PUT(text, "\"");
    put_ports(text, tuple);
    if (tuple->has_zone)
        put_number_member(text, "zone", tuple->zone);
    if (counters != NULL) {
        put_number_member(text, "packets", counters->packets);
        put_number_member(text, "bytes", counters->bytes);
    }
    PUT(text, "}");
}

static void put_status(struct text *text, uint32_t status)
{
    bool is_first = true;

    PUT(text, ",\"status\":[");
    for (size_t bit = 0; bit < sizeof(status_names) / sizeof(status_names[0]); bit++) {
        if ((status >> bit & 1) == 0)
            continue;
        if (is_first)
            PUT(text, "\"");
        else
            PUT(text, ",\"");
        put_string(text, status_names[bit]);
        PUT(text, "\"");
        is_first = false;
    }
    PUT(text, "]");
}

/// A name, or the number of a label that has none.
static void put_labels(struct text *text, const struct parts *parts, struct nfct_labelmap *labels)
{
    bool is_first = true;

    PUT(text, ",\"labels\":[");
    for (unsigned int bit = 0; bit < label_bits(parts); bit++) {
        if (!has_label(parts, bit))
            continue;
        const char *const name = cnf_label_word(labels, bit);
        if (!is_first)
            PUT(text, ",");
        if (name != NULL) {
            cnf_put_quoted(text, name);
        } else {
            PUT(text, "\"");
            cnf_put_number(text, bit);
            PUT(text, "\"");
        }
        is_first = false;
    }
    PUT(text, "]");
}

static void put_head(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;
    const char *const protocol = cnf_protocol_word(parts->original.protocol);

    if (parts->kind == CNF_NEW)
        PUT(text, "{\"event\":\"new\"");
    else if (parts->kind == CNF_UPDATE)
        PUT(text, "{\"event\":\"update\"");
    else
        PUT(text, "{\"event\":\"destroy\"");
    put_time_member(text, "time", time_of(parts, wording->received_ns));
    if ((parts->seen & SEEN(TIMESTAMP_EVENT)) != 0)
        PUT(text, ",\"time_source\":\"kernel\"");
    else
        PUT(text, ",\"time_source\":\"received\"");
    if (parts->original.family == AF_INET6)
        PUT(text, ",\"family\":\"ipv6\"");
    else
        PUT(text, ",\"family\":\"ipv4\"");
    if (protocol != NULL)
        put_word_member(text, "protocol", protocol);
    put_number_member(text, "protocol_number", parts->original.protocol);
}

static void put_numbers(struct text *text, const struct parts *parts)
{
    if ((parts->seen & SEEN(CTA_ID)) != 0)
        put_number_member(text, "id", parts->id);
    if ((parts->seen & SEEN(CTA_TIMEOUT)) != 0)
        put_number_member(text, "timeout", parts->timeout);
    if ((parts->seen & SEEN_STATE) != 0)
        put_word_member(text, "state", cnf_state_word(parts));
    if ((parts->seen & SEEN(CTA_STATUS)) != 0)
        put_status(text, parts->status);
}

static void put_rest(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;

    if ((parts->seen & SEEN(CTA_MARK)) != 0)
        put_number_member(text, "mark", parts->mark);
    if ((parts->seen & SEEN(CTA_SECMARK)) != 0)
        put_number_member(text, "secmark", parts->secmark);
    if ((parts->seen & SEEN(CTA_SECCTX)) != 0)
        put_word_member(text, "secctx", parts->context);
    if ((parts->seen & SEEN(CTA_ZONE)) != 0)
        put_number_member(text, "zone", parts->zone);
    if ((parts->seen & SEEN_START) != 0)
        put_time_member(text, "start", parts->start);
    if ((parts->seen & SEEN_STOP) != 0)
        put_time_member(text, "stop", parts->stop);
    if ((parts->seen & SEEN(CTA_HELP)) != 0)
        put_word_member(text, "helper", parts->helper);
    if ((parts->seen & SEEN(CTA_LABELS)) != 0)
        put_labels(text, parts, (struct nfct_labelmap *)wording->style->labels);
    if ((parts->seen & SEEN(CTA_TUPLE_MASTER)) != 0)
        put_tuple(text, "master", &parts->master, NULL);
    if (parts->portid != 0)
        put_number_member(text, "portid", parts->portid);
    if (parts->portid != 0 && wording->program != NULL)
        put_word_member(text, "program", wording->program);
}

void cnf_put_json(struct text *text, const struct wording *wording)
{
    const struct parts *const parts = wording->parts;

    put_head(text, wording);
    put_numbers(text, parts);
    put_tuple(text, "original", &parts->original, (parts->seen & SEEN(CTA_COUNTERS_ORIG)) != 0 ? &parts->sent : NULL);
    put_tuple(text, "reply", &parts->reply, (parts->seen & SEEN(CTA_COUNTERS_REPLY)) != 0 ? &parts->received : NULL);
    put_rest(text, wording);
    PUT(text, "}");
}
