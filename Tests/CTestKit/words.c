// SPDX-License-Identifier: GPL-3.0-or-later

#include "CTestKit.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>

static unsigned int type_of(const struct nlmsghdr *header)
{
    if ((header->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE)
        return NFCT_T_DESTROY;
    return (header->nlmsg_flags & NLM_F_CREATE) != 0 ? NFCT_T_NEW : NFCT_T_UPDATE;
}

int ctk_library_line(const void *message, uint32_t flags, const char *labels, char *out, size_t capacity)
{
    struct nfct_labelmap *const map = labels == NULL ? NULL : nfct_labelmap_new(labels);
    struct nf_conntrack *const entry = nfct_new();
    int written = -EBADMSG;

    if (entry != NULL && nfct_nlmsg_parse(message, entry) == 0)
        written =
            nfct_snprintf_labels(out, (unsigned int)capacity, entry, type_of(message), NFCT_O_DEFAULT, flags, map);
    if (entry != NULL)
        nfct_destroy(entry);
    if (map != NULL)
        nfct_labelmap_destroy(map);
    return written < 0 ? -EBADMSG : written;
}
