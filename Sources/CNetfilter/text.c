// SPDX-License-Identifier: GPL-3.0-or-later
//
// An entry in libnetfilter_conntrack's own words. An object is made and freed each time: for text and for checking our
// decoder against, never on the event path.

#include "CNetfilter.h"

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static unsigned int type_of(const struct nlmsghdr *header)
{
    if ((header->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE)
        return NFCT_T_DESTROY;
    return (header->nlmsg_flags & NLM_F_CREATE) != 0 ? NFCT_T_NEW : NFCT_T_UPDATE;
}

int cnf_text(const void *message, size_t length, char *out, size_t capacity)
{
    const struct nlmsghdr *header = message;
    int written = -EBADMSG;

    if (length > INT32_MAX || !mnl_nlmsg_ok(header, (int)length))
        return -EBADMSG;
    struct nf_conntrack *entry = nfct_new();
    if (entry == NULL)
        return -ENOMEM;
    if (nfct_nlmsg_parse(header, entry) == 0)
        written = nfct_snprintf(out, (unsigned int)capacity, entry, type_of(header), NFCT_O_DEFAULT, NFCT_OF_ID);
    nfct_destroy(entry);
    return written;
}
