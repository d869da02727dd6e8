// SPDX-License-Identifier: GPL-3.0-or-later
//
// libFuzzer entry: any bytes as a netlink message, to our decoders and to the library's text, as a uevent, and as rules.
// scripts/fuzz.sh builds it.

#include "CNetfilter.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TIME 0x1122334455667788u

static bool zero(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void require(bool condition)
{
    if (!condition)
        abort();
}

/// What holds of every event that the decoder lets pass, whatever its bytes were.
static void check(const struct cnf_event *event)
{
    require(event->time_ns == TIME && event->kind <= CNF_DESTROY &&
            (event->flags & ~(CNF_BY_PROGRAM | CNF_TIME_LEFT)) == 0 && event->reserved == 0);
    require(event->family == AF_INET || event->family == AF_INET6);
    if (event->family != AF_INET)
        return;
    require(zero(event->source + 4, 4) && zero(event->destination + 4, 4));
    // What NAT made of the source is there only where it says that it made something of it.
    if ((event->status & IPS_SRC_NAT) == 0)
        require(zero(event->source + CNF_NAT_ADDRESS, 8) && zero(event->destination + CNF_NAT_PORTS, 8));
    require(zero(event->destination + CNF_NAT_PORTS + offsetof(struct cnf_nat, reserved), 2));
}

/// The same bytes give the same record, wherever it is put.
static void check_repeatable(const void *message, size_t size, const struct cnf_event *event)
{
    struct cnf_event again;

    memset(&again, 0x5a, sizeof(again));
    require(cnf_decode(message, size, TIME, &again) == 1);
    require(memcmp(event, &again, sizeof(again)) == 0);
}

static void check_tuple(const struct cnf_entry *entry, const struct cnf_tuple *tuple)
{
    if (entry->family == AF_INET)
        require(zero(tuple->source + 4, 12) && zero(tuple->destination + 4, 12));
}

/// The same bytes as an entry of a dump.
static void check_entry(const void *message, size_t size)
{
    struct cnf_entry entry, again;

    memset(&entry, 0xa5, sizeof(entry));
    memset(&again, 0x5a, sizeof(again));
    const int result = cnf_decode_entry(message, size, &entry);
    require(result == 1 || result == 0 || result == -EBADMSG);
    if (result != 1)
        return;
    require(entry.family == AF_INET || entry.family == AF_INET6);
    require(entry.reserved == 0);
    check_tuple(&entry, &entry.original);
    check_tuple(&entry, &entry.reply);
    require(cnf_decode_entry(message, size, &again) == 1 && memcmp(&entry, &again, sizeof(again)) == 0);
}

/// As a line of each kind: what does not fit is said, and nothing is written behind the room there is.
static void check_lines(const void *message, size_t size)
{
    char line[20000], small[64];

    for (uint32_t format = CNF_FORMAT_CONNTRACK; format <= CNF_FORMAT_TABLE; format++) {
        const struct cnf_style style = {.format = format, .options = 0x2f};
        const int length = cnf_line(message, size, &style, TIME, "program", line, sizeof(line));

        require(length < (int)sizeof(line));
        const int cut = cnf_line(message, size, &style, TIME, "program", small, sizeof(small));
        // Blanks that are taken back again need room too.
        require(cut == length || cut == -ENOSPC);
        if (cut > 0)
            require(cut <= (int)sizeof(small) && memcmp(line, small, (size_t)cut) == 0);
    }
}

/// A message with an attribute of no known type before all others gives what it gives without: the decoder takes what
/// comes in the kernel's order faster than the rest, and must not read it differently.
static void check_walked(const uint8_t *message, size_t size, int result, const struct cnf_event *event)
{
    const size_t before = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
    const struct nlattr unknown = {.nla_len = sizeof(unknown), .nla_type = 0x3fff};
    struct nlmsghdr header;
    struct cnf_event walked;

    if (size < before)
        return;
    memcpy(&header, message, sizeof(header));
    if (header.nlmsg_len < before || header.nlmsg_len > size)
        return;
    header.nlmsg_len += sizeof(unknown);
    uint8_t *longer = malloc(size + sizeof(unknown));
    if (longer == NULL)
        return;
    memcpy(longer, message, before);
    memcpy(longer, &header, sizeof(header));
    memcpy(longer + before, &unknown, sizeof(unknown));
    memcpy(longer + before + sizeof(unknown), message + before, size - before);
    require(cnf_decode(longer, size + sizeof(unknown), TIME, &walked) == result);
    require(result != 1 || memcmp(event, &walked, sizeof(walked)) == 0);
    free(longer);
}

/// The same bytes as a uevent: it names a module whole, and only with its end in the message.
static void check_uevent(const void *message, size_t size)
{
    const int change = cnf_uevent(message, size, "nf_conntrack");

    require(change >= CNF_MODULE_NONE && change <= CNF_MODULE_REMOVED);
    if (change != CNF_MODULE_NONE)
        require(size >= sizeof("add@/module/nf_conntrack") && memchr(message, 0, size) != NULL);
}

/// The same bytes as rules: as entries of both families, and as a message of an nft dump.
static void check_rules(const void *message, size_t size)
{
    struct cnf_uses *uses;

    if (cnf_uses_make(&uses) != 0)
        return;
    for (int i = 0; i < 3; i++) {
        const int result = i == 2 ? cnf_nft_walk(message, size, uses)
                                  : cnf_xtables_walk(i == 0 ? 2 : 10, "filter", message, size, uses);
        require(result == 0 || result == -EBADMSG || result == -ENOSPC);
    }
    for (size_t i = 0; i < cnf_uses_count(uses); i++) {
        const struct cnf_use *const use = cnf_uses_at(uses, i);
        require(use->count > 0 && memchr(use->name, 0, sizeof(use->name)) != NULL &&
                memchr(use->table, 0, sizeof(use->table)) != NULL);
    }
    cnf_uses_free(uses);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    // malloc aligns as the receive buffers are, and ends where AddressSanitizer looks.
    uint8_t *message = malloc(size);
    struct cnf_event event;
    char text[512];

    if (message == NULL)
        return 0;
    if (size > 0)
        memcpy(message, data, size);
    memset(&event, 0xa5, sizeof(event));
    const int result = cnf_decode(message, size, TIME, &event);
    require(result == 1 || result == 0 || result == -EBADMSG);
    if (result == 1) {
        check(&event);
        check_repeatable(message, size, &event);
    }
    check_walked(message, size, result, &event);
    if (cnf_text(message, size, text, sizeof(text)) >= 0)
        require(memchr(text, 0, sizeof(text)) != NULL);
    check_lines(message, size);
    check_entry(message, size);
    check_uevent(message, size);
    check_rules(message, size);
    free(message);
    return 0;
}
