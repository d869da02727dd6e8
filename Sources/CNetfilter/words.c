// SPDX-License-Identifier: GPL-3.0-or-later

#include "words.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

const char *cnf_protocol_word(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
        return "tcp";
    case IPPROTO_UDP:
        return "udp";
    case IPPROTO_UDPLITE:
        return "udplite";
    case IPPROTO_ICMP:
        return "icmp";
    case IPPROTO_ICMPV6:
        return "icmpv6";
    case IPPROTO_SCTP:
        return "sctp";
    case IPPROTO_GRE:
        return "gre";
    case IPPROTO_DCCP:
        return "dccp";
    default:
        return NULL;
    }
}

bool cnf_has_ports(uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
        return true;
    default:
        return false;
    }
}

static const char *const tcp_states[] = {
    "NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
    "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
};
static const char *const sctp_states[] = {
    "NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
    "SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
};
static const char *const dccp_states[] = {
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID",
};

const char *cnf_state_word(const struct parts *parts)
{
    switch (parts->state_of) {
    case CTA_PROTOINFO_SCTP:
        return sctp_states[parts->state < COUNT(sctp_states) ? parts->state : 0];
    case CTA_PROTOINFO_DCCP:
        return dccp_states[parts->state < COUNT(dccp_states) ? parts->state : 0];
    default:
        return tcp_states[parts->state < COUNT(tcp_states) ? parts->state : 0];
    }
}

const char *cnf_label_word(struct nfct_labelmap *labels, unsigned int bit)
{
    const char *name = labels == NULL ? NULL : nfct_labelmap_get_name(labels, bit);

    return name == NULL || *name == 0 ? NULL : name;
}
