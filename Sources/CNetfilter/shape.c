// SPDX-License-Identifier: GPL-3.0-or-later
//
// The sizes of an entry's attributes. libnetfilter_conntrack 1.0.9 calls exit() when one is not as it knows it, and
// reads names beyond their end; a message from a file, or from a newer kernel, must not end the program.

#include "shape.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

struct nest;

/// What one attribute has to be: of `size` bytes, or a NUL-terminated name, or attributes; all zero: anything.
struct shape {
    size_t size;
    bool name;
    const struct nest *nest;
};

struct nest {
    const struct shape *shapes;
    size_t count;
    bool closed; ///< a type beyond `count` is refused
};

#define NEST(list, is_closed)                                                                                          \
    {                                                                                                                  \
        .shapes = (list), .count = sizeof(list) / sizeof((list)[0]), .closed = (is_closed)                             \
    }

static const struct shape address_shapes[] = {
    [CTA_IP_V4_SRC] = {.size = 4},
    [CTA_IP_V4_DST] = {.size = 4},
    [CTA_IP_V6_SRC] = {.size = 16},
    [CTA_IP_V6_DST] = {.size = 16},
};
static const struct nest addresses = NEST(address_shapes, false);

static const struct shape protocol_shapes[] = {
    [CTA_PROTO_NUM] = {.size = 1},       [CTA_PROTO_SRC_PORT] = {.size = 2},    [CTA_PROTO_DST_PORT] = {.size = 2},
    [CTA_PROTO_ICMP_ID] = {.size = 2},   [CTA_PROTO_ICMP_TYPE] = {.size = 1},   [CTA_PROTO_ICMP_CODE] = {.size = 1},
    [CTA_PROTO_ICMPV6_ID] = {.size = 2}, [CTA_PROTO_ICMPV6_TYPE] = {.size = 1}, [CTA_PROTO_ICMPV6_CODE] = {.size = 1},
};
static const struct nest protocol = NEST(protocol_shapes, false);

static const struct shape tuple_shapes[] = {
    [CTA_TUPLE_IP] = {.nest = &addresses},
    [CTA_TUPLE_PROTO] = {.nest = &protocol},
    [CTA_TUPLE_ZONE] = {.size = 2},
};
static const struct nest tuple = NEST(tuple_shapes, false);

static const struct shape tcp_shapes[] = {
    [CTA_PROTOINFO_TCP_STATE] = {.size = 1},        [CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] = {.size = 1},
    [CTA_PROTOINFO_TCP_WSCALE_REPLY] = {.size = 1}, [CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = {.size = 2},
    [CTA_PROTOINFO_TCP_FLAGS_REPLY] = {.size = 2},
};
static const struct nest tcp = NEST(tcp_shapes, false);

static const struct shape dccp_shapes[] = {
    [CTA_PROTOINFO_DCCP_STATE] = {.size = 1},
    [CTA_PROTOINFO_DCCP_ROLE] = {.size = 1},
    [CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ] = {.size = 8},
};
static const struct nest dccp = NEST(dccp_shapes, false);

static const struct shape sctp_shapes[] = {
    [CTA_PROTOINFO_SCTP_STATE] = {.size = 1},
    [CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = {.size = 4},
    [CTA_PROTOINFO_SCTP_VTAG_REPLY] = {.size = 4},
};
static const struct nest sctp = NEST(sctp_shapes, false);

static const struct shape protoinfo_shapes[] = {
    [CTA_PROTOINFO_TCP] = {.nest = &tcp},
    [CTA_PROTOINFO_DCCP] = {.nest = &dccp},
    [CTA_PROTOINFO_SCTP] = {.nest = &sctp},
};
// Closed: the library bounds these types by those of TCP's, which are more, and writes past its table.
static const struct nest protoinfo = NEST(protoinfo_shapes, true);

static const struct shape help_shapes[] = {[CTA_HELP_NAME] = {.name = true}};
static const struct nest help = NEST(help_shapes, false);

static const struct shape counter_shapes[] = {
    [CTA_COUNTERS_PACKETS] = {.size = 8},
    [CTA_COUNTERS_BYTES] = {.size = 8},
    [CTA_COUNTERS32_PACKETS] = {.size = 4},
    [CTA_COUNTERS32_BYTES] = {.size = 4},
};
static const struct nest counters = NEST(counter_shapes, false);

static const struct shape sequence_shapes[] = {
    [CTA_SEQADJ_CORRECTION_POS] = {.size = 4},
    [CTA_SEQADJ_OFFSET_BEFORE] = {.size = 4},
    [CTA_SEQADJ_OFFSET_AFTER] = {.size = 4},
};
static const struct nest sequence = NEST(sequence_shapes, false);

static const struct shape context_shapes[] = {[CTA_SECCTX_NAME] = {.name = true}};
static const struct nest context = NEST(context_shapes, false);

static const struct shape time_shapes[] = {
    [CTA_TIMESTAMP_START] = {.size = 8},
    [CTA_TIMESTAMP_STOP] = {.size = 8},
};
static const struct nest times = NEST(time_shapes, false);

static const struct shape synproxy_shapes[] = {
    [CTA_SYNPROXY_ISN] = {.size = 4},
    [CTA_SYNPROXY_ITS] = {.size = 4},
    [CTA_SYNPROXY_TSOFF] = {.size = 4},
};
static const struct nest synproxy = NEST(synproxy_shapes, false);

static const struct shape entry_shapes[] = {
    [CTA_TUPLE_ORIG] = {.nest = &tuple},
    [CTA_TUPLE_REPLY] = {.nest = &tuple},
    [CTA_STATUS] = {.size = 4},
    [CTA_PROTOINFO] = {.nest = &protoinfo},
    [CTA_HELP] = {.nest = &help},
    [CTA_TIMEOUT] = {.size = 4},
    [CTA_MARK] = {.size = 4},
    [CTA_COUNTERS_ORIG] = {.nest = &counters},
    [CTA_COUNTERS_REPLY] = {.nest = &counters},
    [CTA_USE] = {.size = 4},
    [CTA_ID] = {.size = 4},
    [CTA_TUPLE_MASTER] = {.nest = &tuple},
    [CTA_SEQ_ADJ_ORIG] = {.nest = &sequence},
    [CTA_SEQ_ADJ_REPLY] = {.nest = &sequence},
    [CTA_SECMARK] = {.size = 4},
    [CTA_ZONE] = {.size = 2},
    [CTA_SECCTX] = {.nest = &context},
    [CTA_TIMESTAMP] = {.nest = &times},
    [CTA_SYNPROXY] = {.nest = &synproxy},
};
static const struct nest entry = NEST(entry_shapes, false);

static bool fits_nest(const void *payload, size_t size, const struct nest *nest);

static bool fits(const struct nlattr *attribute, const struct nest *nest)
{
    const uint16_t type = mnl_attr_get_type(attribute);
    const void *payload = mnl_attr_get_payload(attribute);
    const size_t size = mnl_attr_get_payload_len(attribute);

    if (type >= nest->count)
        return !nest->closed;
    const struct shape *shape = &nest->shapes[type];
    if (shape->nest != NULL)
        return fits_nest(payload, size, shape->nest);
    if (shape->name)
        return size > 0 && memchr(payload, 0, size) != NULL;
    return shape->size == 0 || shape->size == size;
}

static bool fits_nest(const void *payload, size_t size, const struct nest *nest)
{
    const struct nlattr *attr = payload; // the name that libmnl's macro is written for

    if (size > 0 && size < sizeof(*attr))
        return false;
    mnl_attr_for_each_payload(payload, size)
    {
        if (!fits(attr, nest))
            return false;
    }
    return (const uint8_t *)payload + size - (const uint8_t *)attr < (ptrdiff_t)sizeof(*attr);
}

bool cnf_shape_is_known(const void *attributes, size_t size)
{
    return fits_nest(attributes, size, &entry);
}
