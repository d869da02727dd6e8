// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rules of iptables and ip6tables, as the kernel hands them out: entries one after another,
//
//   | ipt_entry | match | match ... | target | ipt_entry | ...
//
// of which each says how far it is to its target and to the next one. Whatever is read here may say anything.

#include "uses.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>

/// 250,000 rules; a ruleset that is longer is not read.
#define LONGEST (64u << 20)
/// How often a table that changes between the two questions is asked again.
#define TRIES 4

// One layout serves both families: the structures differ in nothing but what an entry begins with.
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "struct ip6t_getinfo");
_Static_assert(offsetof(struct ipt_getinfo, size) == offsetof(struct ip6t_getinfo, size), "struct ip6t_getinfo");
_Static_assert(offsetof(struct ipt_get_entries, entrytable) == offsetof(struct ip6t_get_entries, entrytable),
               "struct ip6t_get_entries");
_Static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES, "ip6_tables.h");

/// Where an entry's target and the next entry begin.
struct entry {
    size_t head; ///< where its matches begin
    size_t target, next;
};

static bool read_entry(uint8_t family, const uint8_t *bytes, size_t left, struct entry *out)
{
    const bool is_v6 = family == NFPROTO_IPV6;
    uint16_t offsets[2];
    const size_t at = is_v6 ? offsetof(struct ip6t_entry, target_offset) : offsetof(struct ipt_entry, target_offset);

    out->head = is_v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
    if (left < out->head)
        return false;
    memcpy(offsets, bytes + at, sizeof(offsets)); // target_offset, next_offset
    out->target = offsets[0];
    out->next = offsets[1];
    return out->target >= out->head && out->next <= left && out->next >= out->target + sizeof(struct xt_entry_target);
}

/// A match or a target; both begin alike.
struct extension {
    size_t size;
    char name[XT_EXTENSION_MAXNAMELEN];
    uint8_t revision;
};

static bool read_extension(const uint8_t *bytes, size_t left, struct extension *out)
{
    struct xt_entry_match match;

    if (left < sizeof(match))
        return false;
    memcpy(&match, bytes, sizeof(match));
    out->size = match.u.user.match_size;
    memcpy(out->name, match.u.user.name, sizeof(out->name));
    out->revision = match.u.user.revision;
    return out->size >= sizeof(match) && out->size <= left;
}

static int count_target(struct cnf_uses *uses, const struct table_of_rules *table, const uint8_t *bytes, size_t left)
{
    struct extension target;

    if (!read_extension(bytes, left, &target))
        return -EBADMSG;
    // A verdict or a jump has no name; ERROR marks a chain's beginning. Both are part of ip_tables.
    if (target.name[0] == 0 || strncmp(target.name, XT_ERROR_TARGET, sizeof(target.name)) == 0)
        return 0;
    const int error = cnf_uses_add(uses, table, CNF_USE_TARGET, target.name, sizeof(target.name), 1);
    if (error != 0 || strncmp(target.name, "CT", sizeof(target.name)) != 0)
        return error;
    return cnf_uses_add_ct(uses, table, bytes + sizeof(struct xt_entry_target),
                           target.size - sizeof(struct xt_entry_target), target.revision);
}

static int count_entry(struct cnf_uses *uses, const struct table_of_rules *table, const uint8_t *bytes,
                       const struct entry *entry)
{
    for (size_t at = entry->head; at < entry->target;) {
        struct extension match;

        if (!read_extension(bytes + at, entry->target - at, &match))
            return -EBADMSG;
        const int error = cnf_uses_add(uses, table, CNF_USE_MATCH, match.name, sizeof(match.name), 1);
        if (error != 0)
            return error;
        at += match.size;
    }
    return count_target(uses, table, bytes + entry->target, entry->next - entry->target);
}

int cnf_xtables_walk(uint8_t family, const char *table, const void *entries, size_t size, struct cnf_uses *uses)
{
    const struct table_of_rules named = {
        .family = family, .is_nft = false, .name = table, .length = XT_TABLE_MAXNAMELEN};
    const uint8_t *const bytes = entries;

    for (size_t at = 0; at < size;) {
        struct entry entry;

        if (!read_entry(family, bytes + at, size - at, &entry))
            return -EBADMSG;
        const int error = count_entry(uses, &named, bytes + at, &entry);
        if (error != 0)
            return error;
        at += entry.next;
    }
    return 0;
}

// MARK: Questions

static int level_of(uint8_t family)
{
    return family == NFPROTO_IPV6 ? IPPROTO_IPV6 : IPPROTO_IP;
}

static int ask_entries(int fd, uint8_t family, const struct ipt_getinfo *info, struct cnf_uses *uses)
{
    socklen_t length = (socklen_t)(sizeof(struct ipt_get_entries) + info->size);
    struct ipt_get_entries *const answer = calloc(1, length);
    int error = 0;

    if (answer == NULL)
        return -ENOMEM;
    memcpy(answer->name, info->name, sizeof(answer->name));
    answer->size = info->size;
    if (getsockopt(fd, level_of(family), IPT_SO_GET_ENTRIES, answer, &length) != 0)
        error = -errno;
    else
        error = cnf_xtables_walk(family, info->name, answer->entrytable, info->size, uses);
    free(answer);
    return error;
}

/// A table counts as one of its module's references in each namespace where it holds more than what it is made with: an
/// entry for each built-in chain, and the one that ends it.
static int count_table(uint8_t family, const struct ipt_getinfo *info, struct cnf_uses *uses)
{
    const struct table_of_rules table = {
        .family = family, .is_nft = false, .name = info->name, .length = sizeof(info->name)};

    if (info->num_entries <= (unsigned int)__builtin_popcount(info->valid_hooks) + 1)
        return 0;
    return cnf_uses_add(uses, &table, CNF_USE_TABLE, info->name, sizeof(info->name), 1);
}

int cnf_xtables_read(uint8_t family, const char *table, struct cnf_uses *uses)
{
    const int fd = socket(family == NFPROTO_IPV6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = -EAGAIN;

    if (fd < 0)
        return -errno;
    for (int i = 0; i < TRIES && error == -EAGAIN; i++) {
        struct ipt_getinfo info;
        socklen_t length = sizeof(info);

        memset(&info, 0, sizeof(info));
        strncpy(info.name, table, sizeof(info.name) - 1);
        if (getsockopt(fd, level_of(family), IPT_SO_GET_INFO, &info, &length) != 0)
            error = -errno;
        else if (info.size > LONGEST)
            error = -EFBIG;
        else
            error = ask_entries(fd, family, &info, uses); // -EAGAIN: its size is another one by now
        if (error == 0)
            error = count_table(family, &info, uses);
    }
    close(fd);
    return error;
}
