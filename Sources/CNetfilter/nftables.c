// SPDX-License-Identifier: GPL-3.0-or-later
//
// The rules of nftables, by dumps: what in them refers to a module of the kernel. Expressions do, wherever they stand: in
// rules, in what rules add to sets, in sets and their elements; base chains refer to their type's, objects and flowtables to
// theirs.

#include "request.h"
#include "uses.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>

#define PATIENCE_S 2
#define NFT_TYPE(type) (NFNL_SUBSYS_NFTABLES << 8 | (type))
/// Expressions that hold expressions that hold expressions: the kernel knows one level.
#define DEEPEST 3
/// Sets whose elements are read; more are not.
#define MOST_SETS 64
/// A set's elements are read as far as this.
#define MOST_DATAGRAMS 1024

static const char *const object_types[] = {
    [NFT_OBJECT_CT_HELPER] = "ct helper",   [NFT_OBJECT_CONNLIMIT] = "connlimit",
    [NFT_OBJECT_CT_TIMEOUT] = "ct timeout", [NFT_OBJECT_CT_EXPECT] = "ct expectation",
    [NFT_OBJECT_SYNPROXY] = "synproxy",
};

// MARK: Attributes

static bool find(struct attributes rest, unsigned int type, struct attribute *out)
{
    while (next_attribute(&rest, out)) {
        if (out->type == type)
            return true;
    }
    return false;
}

static int add(struct cnf_uses *uses, const struct table_of_rules *table, enum cnf_use_kind kind, struct attribute name)
{
    return cnf_uses_add(uses, table, kind, (const char *)name.payload, name.size, 1);
}

// MARK: Expressions

static int count_list(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest, int depth);

static bool is_called(struct attribute name, const char *text)
{
    return strnlen((const char *)name.payload, name.size) == strlen(text) &&
           memcmp(name.payload, text, strlen(text)) == 0;
}

/// What iptables-nft writes: a match or a target of xtables, inside an expression.
static int count_compat(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes data,
                        bool is_match)
{
    struct attribute name, revision, info;

    _Static_assert((int)NFTA_MATCH_NAME == (int)NFTA_TARGET_NAME, "nf_tables_compat.h");
    if (!find(data, NFTA_TARGET_NAME, &name))
        return -EBADMSG;
    const int error = add(uses, table, is_match ? CNF_USE_MATCH : CNF_USE_TARGET, name);
    if (error != 0 || is_match || !is_called(name, "CT") || !find(data, NFTA_TARGET_INFO, &info))
        return error;
    return cnf_uses_add_ct(uses, table, info.payload, info.size,
                           find(data, NFTA_TARGET_REV, &revision) ? be32_of(revision) : 0);
}

/// One expression, or the one that an attribute holds.
static int count_expression(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes expression,
                            int depth)
{
    struct attribute name, data, inner;

    if (depth > DEEPEST || !find(expression, NFTA_EXPR_NAME, &name))
        return -EBADMSG;
    int error = add(uses, table, CNF_USE_EXPRESSION, name);
    if (error != 0 || !find(expression, NFTA_EXPR_DATA, &data))
        return error;
    const struct attributes parts = attributes_in(data);
    if (is_called(name, "match") || is_called(name, "target"))
        return count_compat(uses, table, parts, is_called(name, "match"));
    if (!is_called(name, "dynset"))
        return 0;
    if (find(parts, NFTA_DYNSET_EXPR, &inner))
        error = count_expression(uses, table, attributes_in(inner), depth + 1);
    if (error == 0 && find(parts, NFTA_DYNSET_EXPRESSIONS, &inner))
        error = count_list(uses, table, attributes_in(inner), depth + 1);
    return error;
}

static int count_list(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest, int depth)
{
    struct attribute element;
    int error = 0;

    while (error == 0 && next_attribute(&rest, &element)) {
        if (element.type == NFTA_LIST_ELEM)
            error = count_expression(uses, table, attributes_in(element), depth);
    }
    return error == 0 && torn(&rest) ? -EBADMSG : error;
}

/// An attribute with one expression and another one with a list of them; kernels write one of both.
static int count_either(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest,
                        unsigned int one, unsigned int list)
{
    struct attribute found;

    if (find(rest, one, &found))
        return count_expression(uses, table, attributes_in(found), 0);
    return find(rest, list, &found) ? count_list(uses, table, attributes_in(found), 0) : 0;
}

// MARK: Messages

static int count_rule(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest)
{
    struct attribute list;

    return find(rest, NFTA_RULE_EXPRESSIONS, &list) ? count_list(uses, table, attributes_in(list), 0) : 0;
}

static int count_chain(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest)
{
    struct attribute type; // base chains have one

    return find(rest, NFTA_CHAIN_TYPE, &type) ? add(uses, table, CNF_USE_CHAIN, type) : 0;
}

static int count_elements(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest)
{
    struct attribute list, element;
    int error = 0;

    if (!find(rest, NFTA_SET_ELEM_LIST_ELEMENTS, &list))
        return 0;
    struct attributes elements = attributes_in(list);
    while (error == 0 && next_attribute(&elements, &element))
        error = count_either(uses, table, attributes_in(element), NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_EXPRESSIONS);
    return error == 0 && torn(&elements) ? -EBADMSG : error;
}

/// A helper object takes its helper once for each family that it is for.
static int count_object(struct cnf_uses *uses, const struct table_of_rules *table, struct attributes rest)
{
    struct attribute type, data, helper, family;

    if (!find(rest, NFTA_OBJ_TYPE, &type))
        return -EBADMSG;
    const uint32_t number = be32_of(type);
    if (number >= sizeof(object_types) / sizeof(object_types[0]) || object_types[number] == NULL)
        return 0;
    const int error = cnf_uses_add(uses, table, CNF_USE_OBJECT, object_types[number], 32, 1);
    if (error != 0 || number != NFT_OBJECT_CT_HELPER || !find(rest, NFTA_OBJ_DATA, &data) ||
        !find(attributes_in(data), NFTA_CT_HELPER_NAME, &helper))
        return error;
    const bool is_both = find(attributes_in(data), NFTA_CT_HELPER_L3PROTO, &family) && be16_of(family) == NFPROTO_INET;
    return cnf_uses_add(uses, table, CNF_USE_HELPER, (const char *)helper.payload, helper.size, is_both ? 2 : 1);
}

int cnf_nft_walk(const void *message, size_t length, struct cnf_uses *uses)
{
    struct nlmsghdr header;
    struct attributes rest;
    struct attribute name;

    if (!read_header(message, length, &header) || header.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES)
        return 0;
    if (!read_attributes(message, length, &header, &rest))
        return -EBADMSG;
    _Static_assert((int)NFTA_RULE_TABLE == (int)NFTA_CHAIN_TABLE && (int)NFTA_RULE_TABLE == (int)NFTA_SET_TABLE &&
                       (int)NFTA_RULE_TABLE == (int)NFTA_OBJ_TABLE &&
                       (int)NFTA_RULE_TABLE == (int)NFTA_FLOWTABLE_TABLE &&
                       (int)NFTA_RULE_TABLE == (int)NFTA_SET_ELEM_LIST_TABLE,
                   "nf_tables.h: the table comes first everywhere");
    if (!find(rest, NFTA_RULE_TABLE, &name))
        return 0;
    const struct table_of_rules table = {
        .family = ((const uint8_t *)message)[NLMSG_HDRLEN], // nfgenmsg.nfgen_family
        .is_nft = true,
        .name = (const char *)name.payload,
        .length = name.size,
    };

    switch (header.nlmsg_type & 0xff) {
    case NFT_MSG_NEWRULE:
        return count_rule(uses, &table, rest);
    case NFT_MSG_NEWCHAIN:
        return count_chain(uses, &table, rest);
    case NFT_MSG_NEWSET:
        return count_either(uses, &table, rest, NFTA_SET_EXPR, NFTA_SET_EXPRESSIONS);
    case NFT_MSG_NEWSETELEM:
        return count_elements(uses, &table, rest);
    case NFT_MSG_NEWOBJ:
        return count_object(uses, &table, rest);
    case NFT_MSG_NEWFLOWTABLE:
        return cnf_uses_add(uses, &table, CNF_USE_FLOWTABLE, "flowtable", 16, 1);
    default:
        return 0;
    }
}

// MARK: Questions

/// A set whose elements may hold expressions, as the question for them names it: two attributes, padded.
struct set {
    uint8_t family;
    size_t size;
    uint8_t attributes[2 * ROOM(NFT_NAME_MAXLEN)];
};

struct sets {
    size_t count;
    struct set sets[MOST_SETS];
};

static void put_name(struct set *set, unsigned int type, struct attribute name)
{
    const size_t length = strnlen((const char *)name.payload, name.size);
    const struct nlattr header = {.nla_len = (uint16_t)(NLA_HDRLEN + length + 1), .nla_type = (uint16_t)type};

    memcpy(set->attributes + set->size, &header, sizeof(header));
    memcpy(set->attributes + set->size + NLA_HDRLEN, name.payload, length);
    set->size += ROOM(length + 1);
}

/// Takes a note of the set in `message` if its elements may hold expressions. Returns 0 or -ENOSPC.
static int note_set(const uint8_t *message, const struct nlmsghdr *header, struct sets *sets)
{
    struct attributes rest;
    struct attribute flags, table, name;

    if (header->nlmsg_type != NFT_TYPE(NFT_MSG_NEWSET) || !read_attributes(message, header->nlmsg_len, header, &rest) ||
        !find(rest, NFTA_SET_FLAGS, &flags) || (be32_of(flags) & (NFT_SET_EVAL | NFT_SET_EXPR)) == 0 ||
        !find(rest, NFTA_SET_TABLE, &table) || !find(rest, NFTA_SET_NAME, &name) || table.size > NFT_NAME_MAXLEN ||
        name.size > NFT_NAME_MAXLEN)
        return 0;
    if (sets->count == MOST_SETS)
        return -ENOSPC;
    struct set *const set = &sets->sets[sets->count++];
    memset(set, 0, sizeof(*set));
    set->family = message[NLMSG_HDRLEN];
    put_name(set, NFTA_SET_ELEM_LIST_TABLE, table);
    put_name(set, NFTA_SET_ELEM_LIST_SET, name);
    return 0;
}

/// Reads the answer at hand to its end. `sets` may be NULL.
static int read_answer(struct request *request, struct sets *sets, struct cnf_uses *uses)
{
    for (int datagrams = 0; !request->ended; datagrams++) {
        int error = datagrams < MOST_DATAGRAMS ? cnf_request_receive(request) : -EFBIG;

        while (error == 0 && !is_read(request) && !request->ended) {
            const uint8_t *message;
            struct nlmsghdr header;
            const int taken = take_answer(request, &message, &header);

            error = taken < 0 ? taken : 0;
            if (taken > 0)
                error = cnf_nft_walk(message, header.nlmsg_len, uses);
            if (taken > 0 && error == 0 && sets != NULL)
                error = note_set(message, &header, sets);
        }
        if (error != 0)
            return error;
    }
    return request->interrupted ? -EAGAIN : 0;
}

/// Each question has a number of its own.
static void ask_anew(struct request *request)
{
    request->sequence++;
    request->ended = request->interrupted = false;
    request->at = request->size = 0;
}

static int ask_elements(struct request *request, const struct set *set, struct cnf_uses *uses)
{
    ask_anew(request);
    const int error =
        cnf_request_dump_with(request, NFT_TYPE(NFT_MSG_GETSETELEM), set->family, set->attributes, set->size);
    return error != 0 ? error : read_answer(request, NULL, uses);
}

static int ask_all(struct request *request, bool elements, struct sets *sets, struct cnf_uses *uses)
{
    static const uint8_t types[] = {NFT_MSG_GETRULE, NFT_MSG_GETCHAIN, NFT_MSG_GETSET, NFT_MSG_GETOBJ,
                                    NFT_MSG_GETFLOWTABLE};
    int error = 0;

    for (size_t i = 0; error == 0 && i < sizeof(types); i++) {
        ask_anew(request);
        error = cnf_request_dump(request, (uint16_t)NFT_TYPE(types[i]), AF_UNSPEC);
        if (error == 0)
            error = read_answer(request, elements ? sets : NULL, uses);
    }
    for (size_t i = 0; error == 0 && i < sets->count; i++)
        error = ask_elements(request, &sets->sets[i], uses);
    return error;
}

int cnf_nft_read(int elements, struct cnf_uses *uses)
{
    struct request request;
    struct sets *const sets = calloc(1, sizeof(*sets));

    if (sets == NULL)
        return -ENOMEM;
    int error = cnf_request_open(&request, PATIENCE_S);
    if (error == 0)
        error = ask_all(&request, elements != 0, sets, uses);
    cnf_request_close(&request);
    free(sets);
    return error;
}
