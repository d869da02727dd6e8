// SPDX-License-Identifier: GPL-3.0-or-later
//
// CRecord: what stage 2 makes and the ring carries, and what a dump gives. Structs and their constants, no function: all
// that the engine may see of C.
//
// Every record of the ring is 64 bytes, a cache line, and begins with its time; its kind comes next. Integers are in host
// byte order. Bytes called reserved are zero.

#ifndef CRECORD_H
#define CRECORD_H

#include <stdint.h>

// MARK: Records of the ring

/// What a record is; the first byte after the time in each of them.
enum cnf_kind {
    CNF_NEW = 0,     ///< entry confirmed (ctnetlink NEW with NLM_F_CREATE|NLM_F_EXCL)
    CNF_UPDATE = 1,  ///< entry changed (ctnetlink NEW without those flags)
    CNF_DESTROY = 2, ///< entry gone (ctnetlink DELETE)
    CNF_TABLE = 3,   ///< a look at the table through /proc
    CNF_COUNTS = 4,  ///< how many events were received and lost
    CNF_DUTY = 5,    ///< for how much of the time events are listened to
    CNF_STATUS = 6,  ///< how it stands with the events
};

/// How many of them are events: CNF_NEW, CNF_UPDATE, CNF_DESTROY. What is counted by kind is counted by these.
#define CNF_EVENT_KINDS 3

/// `tcp_state` of an entry that carries none.
#define CNF_NO_TCP_STATE 0xff

/// What an event's message says besides its entry, in `flags`.
enum cnf_flag {
    /// A program deleted or made the entry: nlmsg_pid was not 0. So for conntrack -F, -D and -I, and for conntrackd,
    /// kube-proxy and Docker. It is 0 when an entry expires (by the kernel's sweep, or as a dump passes it), is dropped
    /// early, or is forgotten by the kernel itself, as masquerade does after an address or a link went.
    CNF_BY_PROGRAM = 1 << 0,
    /// Of a CNF_DESTROY: it had time left, CTA_TIMEOUT was above 0. Kernels tell since 5.11, and of an entry that expired
    /// they tell nothing.
    CNF_TIME_LEFT = 1 << 1,
};

/// One conntrack event, decoded; the original direction's tuple.
/// For ICMP and ICMPv6 the source port is the id and the destination port type << 8 | code; for GRE the keys.
/// Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
struct cnf_event {
    uint64_t time_ns;  ///< CLOCK_BOOTTIME, when the batch that held it was received
    uint8_t kind;      ///< CNF_NEW, CNF_UPDATE or CNF_DESTROY
    uint8_t family;    ///< AF_INET or AF_INET6
    uint8_t protocol;  ///< IPPROTO_*
    uint8_t tcp_state; ///< enum tcp_conntrack, or CNF_NO_TCP_STATE
    uint16_t zone;     ///< conntrack zone, 0 is the default one
    uint16_t source_port;
    uint16_t destination_port;
    uint8_t flags; ///< enum cnf_flag
    uint8_t reserved;
    uint32_t status; ///< IPS_* bits (enum ip_conntrack_status)
    uint32_t id;     ///< the kernel's id of the entry
    uint32_t mark;
    uint8_t source[16]; ///< network byte order; IPv4 in the first four bytes, the rest zero but for NAT, see cnf_nat
    uint8_t destination[16]; ///< likewise
};

// What an IPv4 entry with IPS_SRC_NAT in its status became lies where an IPv6 address would have its second half, so that
// an event stays a cache line: who compares or hashes the addresses of IPv4 leaves the last eight bytes out. Of ICMP, of
// IPv6, and of entries without that bit nothing is there: zero.

/// In `source`: the four bytes of the address that the source became, which the reply goes to.
#define CNF_NAT_ADDRESS 8
/// In `source`: the four bytes of where it really goes, after any DNAT, which the reply comes from.
#define CNF_NAT_REMOTE 12
/// In `destination`: a cnf_nat.
#define CNF_NAT_PORTS 8

/// The rest of what NAT made of an entry.
struct cnf_nat {
    uint16_t port;     ///< where it really goes
    uint16_t nat_port; ///< what the source port became
    uint16_t zone;     ///< of the reply direction; ports are apart by it
    uint16_t reserved;
};

/// One look at the table through /proc. A value is there when its errno is 0.
struct cnf_table {
    uint64_t time_ns;      ///< CLOCK_BOOTTIME, just after reading
    uint8_t kind;          ///< CNF_TABLE
    uint8_t unloaded;      ///< 1 = a kept descriptor proved an unload since the last look
    uint8_t unloads;       ///< how many unloads uevents told of since the last look
    uint8_t loads;         ///< how many loads uevents told of since the last look
    int32_t entries_errno; ///< 0, or why entries is unknown (ENOENT absent, EINVAL not a number, EACCES, ...)
    int32_t limit_errno;   ///< 0, or why limit is unknown
    uint8_t alive;         ///< 1 = /sys/module says that nf_conntrack is there, whatever /proc says
    uint8_t
        counts_reloads; ///< 1 = uevents tell of every reload; 0 = only those that a kept descriptor proves, at least
    uint8_t reserved[2];
    uint64_t entries;       ///< nf_conntrack_count of this network namespace
    uint64_t limit;         ///< nf_conntrack_max; 0 = unlimited
    int64_t wall_offset_ns; ///< CLOCK_REALTIME - CLOCK_BOOTTIME at this look: makes wall times of records' times
    uint8_t unused[16];
};

/// What became of the messages that the kernel sent since the counts before it; arrays are by enum cnf_kind. Comes after
/// the events that it counts. Of each kind, sent = received + overrun + truncated, but for what could not be told apart:
/// overrun_untyped, malformed and dropped.
struct cnf_counts {
    uint64_t time_ns; ///< CLOCK_BOOTTIME
    uint8_t kind;     ///< CNF_COUNTS
    uint8_t inexact;  ///< 1 = from now on the kernel does not say how many it dropped: the overruns are a lower bound
    uint8_t reserved[6];
    uint32_t received[CNF_EVENT_KINDS];  ///< decoded into a slot of the ring
    uint32_t overrun[CNF_EVENT_KINDS];   ///< the BPF ring was full
    uint32_t overrun_untyped;            ///< a socket's receive buffer was full: the kernel does not say of what kind
    uint32_t truncated[CNF_EVENT_KINDS]; ///< longer than our receive buffer or the largest record of the BPF ring
    uint32_t malformed;                  ///< did not hold together, or of no known kind
    uint32_t dropped;                    ///< decoded, but our ring was full
};

/// What keeps the groups from being joined again although it is time.
enum cnf_hindrance {
    CNF_HINDRANCE_NONE = 0,
    CNF_HINDRANCE_SETTLING = 1,         ///< nf_conntrack was loaded a moment ago (--settle)
    CNF_HINDRANCE_MODULE_ABSENT = 2,    ///< nf_conntrack is not loaded
    CNF_HINDRANCE_LIMIT_UNREADABLE = 3, ///< nf_conntrack_max cannot be read
    CNF_HINDRANCE_NETLINK_ABSENT = 4,   ///< nf_conntrack_netlink is not loaded
};

/// How the events are listened to, and what that costs the host. Totals are since the monitor began.
struct cnf_duty {
    uint64_t time_ns;    ///< CLOCK_BOOTTIME
    uint8_t kind;        ///< CNF_DUTY
    uint8_t over_budget; ///< 1 = the groups are left for part of the time
    uint8_t hindrance;   ///< enum cnf_hindrance
    uint8_t reserved;
    float ratio;         ///< share of the time that was listened, in the last second or two; 1 = all the time
    double message_rate; ///< messages of all joined groups, a second, while listening
    double spent;        ///< CPU seconds paid for messages
    double away;         ///< seconds in which the groups were left
    double made;         ///< new entries in `span` seconds: counted while listening, estimated for the times away
    double span;         ///< seconds that `made` stands for
    uint64_t settled_at; ///< CLOCK_BOOTTIME in nanoseconds, up to when `made` and `span` are known
};

/// How it stands with the events.
enum cnf_listening {
    CNF_LISTENING_OFF = 0,         ///< not asked for
    CNF_LISTENING_BPF = 1,         ///< joined; a filter puts them into a ring in the kernel
    CNF_LISTENING_NETLINK = 2,     ///< joined; received from the socket
    CNF_LISTENING_UNAVAILABLE = 3, ///< not to be had
    CNF_LISTENING_FAILED = 4,      ///< listened, and then the socket failed
};

/// What was being done when it failed.
enum cnf_operation {
    CNF_OPERATION_NONE = 0, ///< nothing failed
    CNF_OPERATION_OPEN = 1,
    CNF_OPERATION_JOIN = 2,
    CNF_OPERATION_LEAVE = 3,
    CNF_OPERATION_JOIN_AGAIN = 4,
    CNF_OPERATION_RECEIVE = 5,
    CNF_OPERATION_ATTACH_RING = 6,
    CNF_OPERATION_NETLINK_ABSENT = 7, ///< nothing was tried: it would have loaded nf_conntrack_netlink
};

/// How it stands with the events, whenever that changes.
struct cnf_status {
    uint64_t time_ns;  ///< CLOCK_BOOTTIME
    uint8_t kind;      ///< CNF_STATUS
    uint8_t state;     ///< enum cnf_listening
    uint8_t operation; ///< enum cnf_operation, of CNF_LISTENING_UNAVAILABLE and CNF_LISTENING_FAILED
    uint8_t expected;  ///< 1 = that they are unavailable is no fault: nobody asked for them by name
    int32_t code;      ///< errno of `operation`, positive; 0 = none
    int32_t not_bpf;   ///< errno, why a BPF ring could not be had, positive; 0 = it was had, or not tried
    uint8_t padding[4];
    uint64_t
        bytes; ///< the BPF ring's size, or the receive buffer's as the kernel accounts it (twice what was asked for)
    uint8_t reserved[32];
};

/// A ring slot.
union cnf_record {
    struct cnf_event event;
    struct cnf_table table;
    struct cnf_counts counts;
    struct cnf_duty duty;
    struct cnf_status status;
};

// MARK: Entries of a dump

/// One direction of an entry. Conventions as in cnf_event.
struct cnf_tuple {
    uint8_t source[16];      ///< network byte order; IPv4 in the first four bytes, the rest zero
    uint8_t destination[16]; ///< likewise
    uint16_t source_port;
    uint16_t destination_port;
};

/// `timeout` of an entry that carries none: an offloaded one.
#define CNF_NO_TIMEOUT 0xffffffff

/// One entry of a dump, decoded. All integers in host byte order.
struct cnf_entry {
    struct cnf_tuple original;
    struct cnf_tuple reply; ///< not the original turned round: NAT
    uint32_t status;        ///< IPS_* bits (enum ip_conntrack_status)
    uint32_t mark;
    uint32_t id;       ///< the kernel's id of the entry
    uint32_t timeout;  ///< seconds left, or CNF_NO_TIMEOUT
    uint16_t zone;     ///< of the original direction, 0 is the default one
    uint8_t family;    ///< AF_INET or AF_INET6
    uint8_t protocol;  ///< IPPROTO_*
    uint8_t tcp_state; ///< enum tcp_conntrack, or CNF_NO_TCP_STATE
    uint8_t reserved;
    uint16_t reply_zone; ///< of the reply direction
};

#endif
