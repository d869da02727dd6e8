// SPDX-License-Identifier: GPL-3.0-or-later
//
// A message seen as what it is made of, before anything in it is believed:
//
//   | nlmsghdr | nfgenmsg | attributes ... |
//
// and a datagram as messages, each beginning at a multiple of 4. Whoever reads a message of the kernel's, or of a file,
// begins here. Nothing here reads outside the bytes that it was given, and none of them needs to be aligned.

#ifndef MESSAGE_H
#define MESSAGE_H

#include "attributes.h"

#include "CRecord.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define CONNTRACK_TYPE(type) (NFNL_SUBSYS_CTNETLINK << 8 | (type))
#define EXPECTATION_TYPE(type) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (type))

/// Copies the header that the message begins with. False when there are not enough bytes for one.
ALWAYS_INLINE bool read_header(const void *message, size_t length, struct nlmsghdr *out)
{
    if (length < sizeof(*out))
        return false;
    memcpy(out, message, sizeof(*out));
    return true;
}

/// The attributes of an nfnetlink message that has this header. False when the length it claims is more than there is, or
/// less than its two headers have.
ALWAYS_INLINE bool read_attributes(const void *message, size_t length, const struct nlmsghdr *header,
                                   struct attributes *out)
{
    const size_t before = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));

    if (header->nlmsg_len > length || header->nlmsg_len < before)
        return false;
    *out = attributes_at((const uint8_t *)message + before, header->nlmsg_len - before);
    return true;
}

/// How many bytes of a datagram the message at its beginning takes up, its padding included where it is not the last.
/// 0 when its length does not hold: then nobody knows where another one would begin.
static inline size_t room_of(const struct nlmsghdr *header, size_t left)
{
    const size_t room = NLMSG_ALIGN((size_t)header->nlmsg_len);

    if (header->nlmsg_len < sizeof(*header) || header->nlmsg_len > left)
        return 0;
    return room < left ? room : left;
}

/// The kind of event that a message is by its header, enum cnf_kind; -1 when it is none.
ALWAYS_INLINE int kind_of(const struct nlmsghdr *header)
{
    const unsigned int created = NLM_F_CREATE | NLM_F_EXCL;

    switch (header->nlmsg_type) {
    case CONNTRACK_TYPE(IPCTNL_MSG_CT_NEW):
        return (header->nlmsg_flags & created) == created ? CNF_NEW : CNF_UPDATE;
    case CONNTRACK_TYPE(IPCTNL_MSG_CT_DELETE):
        return CNF_DESTROY;
    default:
        return -1;
    }
}

#endif
