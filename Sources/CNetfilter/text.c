// SPDX-License-Identifier: GPL-3.0-or-later
//
// An entry in libnetfilter_conntrack's own words. An object is made and freed each time: for text and for checking our
// decoder against, never on the event path.

#include "text.h"
#include "CNetfilter.h"
#include "message.h"
#include "shape.h"

#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdlib.h>
#include <string.h>

static unsigned int type_of(const struct nlmsghdr *header)
{
    if ((header->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE)
        return NFCT_T_DESTROY;
    return (header->nlmsg_flags & NLM_F_CREATE) != 0 ? NFCT_T_NEW : NFCT_T_UPDATE;
}

static int text_of(const struct nlmsghdr *header, unsigned int flags, struct nfct_labelmap *labels, char *out,
                   size_t capacity)
{
    struct nf_conntrack *entry = nfct_new();
    int written = -EBADMSG;

    if (entry == NULL)
        return -ENOMEM;
    if (nfct_nlmsg_parse(header, entry) == 0)
        written =
            nfct_snprintf_labels(out, (unsigned int)capacity, entry, type_of(header), NFCT_O_DEFAULT, flags, labels);
    nfct_destroy(entry);
    // It is -1 for an entry without a protocol.
    return written < 0 ? -EBADMSG : written;
}

int cnf_library_text(const void *message, size_t length, unsigned int flags, struct nfct_labelmap *labels, char *out,
                     size_t capacity)
{
    struct nlmsghdr header;
    struct attributes attributes;

    if (!read_header(message, length, &header) || header.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK ||
        !read_attributes(message, length, &header, &attributes) ||
        !cnf_shape_is_known(attributes.next, (size_t)attributes.left))
        return -EBADMSG;

    // libmnl takes the tail of a message to be aligned and looks for an attribute in its padding.
    void *padded = calloc(1, MNL_ALIGN(header.nlmsg_len));
    if (padded == NULL)
        return -ENOMEM;
    memcpy(padded, message, header.nlmsg_len);
    const int written = text_of(padded, flags, labels, out, capacity);
    free(padded);
    return written;
}

int cnf_text(const void *message, size_t length, char *out, size_t capacity)
{
    return cnf_library_text(message, length, NFCT_OF_ID, NULL, out, capacity);
}
