// SPDX-License-Identifier: GPL-3.0-or-later
//
// CNetfilter: the whole contract between Swift and netlink.
//
// Every function that can fail returns a negative errno value (-EPERM, -ENOBUFS, ...) and says below which ones
// mean what. Nothing here prints, logs, or keeps global state. No libmnl or libnetfilter_conntrack type leaks out.

#ifndef CNETFILTER_H
#define CNETFILTER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>

#pragma clang assume_nonnull begin

// MARK: Records: what stage 2 makes and the ring carries

/// What a record is; the first byte after the time in each of them.
enum cnf_kind {
    CNF_NEW = 0,     ///< entry confirmed (ctnetlink NEW with NLM_F_CREATE|NLM_F_EXCL)
    CNF_UPDATE = 1,  ///< entry changed (ctnetlink NEW without those flags)
    CNF_DESTROY = 2, ///< entry gone (ctnetlink DELETE)
    CNF_TABLE = 3,   ///< a table sample read from /proc
    CNF_COUNTS = 4,  ///< events received and lost since the record before
    CNF_DUTY = 5,    ///< how the events are listened to, and what that costs
    CNF_STATUS = 6,  ///< how it stands with the events
};

/// `tcp_state` of an entry that carries none.
#define CNF_NO_TCP_STATE 0xff

/// One conntrack event, decoded. All integers in host byte order; the original direction's tuple.
/// For ICMP and ICMPv6 the source port is the id and the destination port type << 8 | code; for GRE the keys.
/// Source: include/uapi/linux/netfilter/nfnetlink_conntrack.h.
struct cnf_event {
    uint64_t time_ns;  ///< CLOCK_BOOTTIME, when the batch that held it was received
    uint8_t kind;      ///< enum cnf_kind
    uint8_t family;    ///< AF_INET or AF_INET6
    uint8_t protocol;  ///< IPPROTO_*
    uint8_t tcp_state; ///< enum tcp_conntrack, or CNF_NO_TCP_STATE
    uint16_t zone;     ///< conntrack zone, 0 is the default one
    uint16_t source_port;
    uint16_t destination_port;
    uint16_t reserved;
    uint32_t status; ///< IPS_* bits (enum ip_conntrack_status)
    uint32_t id;     ///< the kernel's id of the entry
    uint32_t mark;
    uint8_t source[16];      ///< network byte order; IPv4 in the first four bytes, the rest zero
    uint8_t destination[16]; ///< likewise
};

/// One look at the table through /proc. A value is there when its errno is 0.
struct cnf_table {
    uint64_t time_ns;       ///< CLOCK_BOOTTIME, just after reading
    uint8_t kind;           ///< CNF_TABLE
    uint8_t unloaded;       ///< 1 = a kept descriptor proved an unload since the last look
    uint8_t unloads;        ///< how many unloads uevents told of since the last look
    uint8_t loads;          ///< how many loads uevents told of since the last look
    int32_t entries_errno;  ///< 0, or why entries is unknown (ENOENT absent, EINVAL not a number, EACCES, ...)
    int32_t limit_errno;    ///< 0, or why limit is unknown
    uint8_t alive;          ///< 1 = /sys/module says that nf_conntrack is there, whatever /proc says
    uint8_t counts_reloads; ///< 1 = uevents tell of every reload; else only those are known that a descriptor proves
    uint8_t reserved[2];
    uint64_t entries;       ///< nf_conntrack_count of this network namespace
    uint64_t limit;         ///< nf_conntrack_max; 0 = unlimited
    int64_t wall_offset_ns; ///< CLOCK_REALTIME - CLOCK_BOOTTIME at this look
    uint8_t unused[16];
};

/// Events received and lost since the record before. Each message that the kernel sent is in one of these numbers.
struct cnf_counts {
    uint64_t time_ns; ///< CLOCK_BOOTTIME
    uint8_t kind;     ///< CNF_COUNTS
    uint8_t inexact;  ///< 1 = from now on the kernel does not say how many it dropped: overruns are a lower bound
    uint8_t reserved[6];
    uint32_t received[3];     ///< by enum cnf_kind: decoded into a slot of the ring
    uint32_t overrun[3];      ///< by enum cnf_kind: the BPF ring was full
    uint32_t overrun_untyped; ///< the socket's receive buffer was full: the kernel does not say of what kind
    uint32_t truncated[3];    ///< by enum cnf_kind: longer than our receive buffer or than the largest ring record
    uint32_t malformed;       ///< did not hold together, or of no known kind
    uint32_t dropped;         ///< decoded, but our ring was full
};

/// Why the event groups must not be joined now.
enum cnf_hindrance {
    CNF_HINDRANCE_NONE = 0,
    CNF_HINDRANCE_SETTLING = 1,         ///< nf_conntrack came or went a moment ago
    CNF_HINDRANCE_MODULE_ABSENT = 2,    ///< nf_conntrack is not loaded
    CNF_HINDRANCE_LIMIT_UNREADABLE = 3, ///< nf_conntrack_max is there and cannot be read
    CNF_HINDRANCE_NETLINK_ABSENT = 4,   ///< nf_conntrack_netlink is not loaded
};

/// How the events are listened to, and what that costs the host. Totals are since the monitor began; all times in seconds.
struct cnf_duty {
    uint64_t time_ns;    ///< CLOCK_BOOTTIME
    uint8_t kind;        ///< CNF_DUTY
    uint8_t over_budget; ///< 1 = the groups are left for part of the time
    uint8_t hindrance;   ///< enum cnf_hindrance: why they are not joined again although it is time
    uint8_t reserved;
    float ratio;         ///< share of the time that was listened, in the last second or two
    double message_rate; ///< messages of all joined groups, a second, while listening
    double spent;        ///< CPU seconds paid for messages
    double away;         ///< in which the groups were left
    double made;         ///< new entries in `span`: counted, or estimated for the times away
    double span;         ///< what `made` stands for
    uint64_t settled_at; ///< CLOCK_BOOTTIME nanoseconds up to which they are known
};

/// How it stands with the events.
enum cnf_listening {
    CNF_LISTENING_OFF = 0,         ///< not asked for
    CNF_LISTENING_BPF = 1,         ///< by a ring in the kernel
    CNF_LISTENING_NETLINK = 2,     ///< by recvmmsg
    CNF_LISTENING_UNAVAILABLE = 3, ///< not to be had
    CNF_LISTENING_FAILED = 4,      ///< listened, and then the socket failed
};

/// What was being done when it failed.
enum cnf_operation {
    CNF_OPERATION_NONE = 0,
    CNF_OPERATION_OPEN = 1,
    CNF_OPERATION_JOIN = 2,
    CNF_OPERATION_LEAVE = 3,
    CNF_OPERATION_JOIN_AGAIN = 4,
    CNF_OPERATION_RECEIVE = 5,
    CNF_OPERATION_ATTACH_RING = 6,
    CNF_OPERATION_NETLINK_ABSENT = 7, ///< nothing: joining would have loaded nf_conntrack_netlink
};

/// A change of how it stands with the events.
struct cnf_status {
    uint64_t time_ns;  ///< CLOCK_BOOTTIME
    uint8_t kind;      ///< CNF_STATUS
    uint8_t state;     ///< enum cnf_listening
    uint8_t operation; ///< enum cnf_operation: what was being done when it failed
    uint8_t expected;  ///< 1 = unavailable, and nobody asked for events by name
    int32_t code;      ///< errno of that operation, positive; 0 = none
    int32_t not_bpf;   ///< errno that kept it from being bpf; 0 = bpf was not tried
    uint8_t padding[4];
    uint64_t bytes; ///< of the BPF ring, or of the receive buffer as the kernel accounts it
    uint8_t reserved[32];
};

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
    uint8_t reserved[3];
};

/// A ring slot.
union cnf_record {
    struct cnf_event event;
    struct cnf_table table;
    struct cnf_counts counts;
    struct cnf_duty duty;
    struct cnf_status status;
};

_Static_assert(sizeof(struct cnf_event) == 64, "an event fills a cache line");
_Static_assert(sizeof(struct cnf_table) == 64, "a table sample fills a cache line");
_Static_assert(sizeof(struct cnf_counts) == 64, "counts fill a cache line");
_Static_assert(sizeof(struct cnf_duty) == 64, "a duty fills a cache line");
_Static_assert(sizeof(struct cnf_status) == 64, "a status fills a cache line");
_Static_assert(offsetof(struct cnf_event, kind) == offsetof(struct cnf_table, kind), "kind is at one place");
_Static_assert(offsetof(struct cnf_event, kind) == offsetof(struct cnf_counts, kind), "kind is at one place");
_Static_assert(offsetof(struct cnf_event, kind) == offsetof(struct cnf_duty, kind), "kind is at one place");
_Static_assert(offsetof(struct cnf_event, kind) == offsetof(struct cnf_status, kind), "kind is at one place");
_Static_assert(offsetof(struct cnf_event, source) == 32, "addresses lie on their own half");
_Static_assert(sizeof(struct cnf_entry) == 96, "an entry has no hidden padding");

// MARK: Stage 2: decode (pure)

/// Decodes one netlink message into `out`.
/// Returns 1 when `out` holds an event, 0 when the message is none (another subsystem, an expectation, NOOP),
/// -EBADMSG when it is a conntrack event whose lengths or attributes do not hold together.
/// Reads `length` bytes from `message` and nothing else; keeps no state.
int cnf_decode(const void *message, size_t length, uint64_t time_ns, struct cnf_event *out);

/// Decodes one netlink message of a dump into `out`.
/// Returns 1 when `out` holds an entry, 0 when the message is none, -EBADMSG when its lengths or attributes do not hold
/// together or a direction is missing. Reads `length` bytes from `message` and nothing else; keeps no state.
int cnf_decode_entry(const void *message, size_t length, struct cnf_entry *out);

/// Writes the entry in `message` as libnetfilter_conntrack words it (what `conntrack -E -o id` prints), NUL-terminated.
/// Returns the length that the whole text has, which may exceed `capacity`; -EBADMSG, -ENOMEM.
int cnf_text(const void *message, size_t length, char *out, size_t capacity);

// MARK: Stage 1: the event socket

/// Multicast groups, as bits.
enum cnf_group {
    CNF_GROUP_NEW = 1,
    CNF_GROUP_UPDATE = 2,
    CNF_GROUP_DESTROY = 4,
};

/// A ctnetlink multicast socket and what takes the events off it: a batch of receive buffers, or a BPF ring. One owner,
/// one thread.
struct cnf_events;

/// What happened to messages that reached the socket; `cnf_events_pump` adds to it.
struct cnf_tally {
    uint64_t events;     ///< decoded into a slot
    uint64_t by_kind[3]; ///< the same by enum cnf_kind
    uint64_t truncated;  ///< longer than our receive buffer, or not decodable
    uint64_t dropped;    ///< decoded, but no slot was free
};

/// Opens the socket without joining a group. Opening loads nfnetlink where it is a module, nothing else.
/// `receive_buffer` bytes are asked for by SO_RCVBUFFORCE, then by SO_RCVBUF; the kernel doubles them.
/// Returns 0; -EPROTONOSUPPORT without nfnetlink, -EMFILE, -ENOMEM.
int cnf_events_open(uint32_t receive_buffer, struct cnf_events *_Nullable *_Nonnull out);

/// Wraps a datagram socket that somebody else made (a socketpair in tests). Takes the descriptor over.
/// Returns 0 or -ENOMEM (then `fd` is still the caller's).
int cnf_events_adopt(int fd, struct cnf_events *_Nullable *_Nonnull out);

void cnf_events_close(struct cnf_events *_Nullable events);

/// Attaches a BPF filter that takes each message off the socket before it is queued, counts it, and copies it into a ring
/// of `bytes` (rounded up to a power of two, at least a page). Before the first join, or some are queued all the same.
/// A filter is not told who sent a message: a forged one, for which its sender needs CAP_NET_ADMIN, is believed.
/// Returns 0; -ELIBACC without libbpf.so.1, -EPERM without CAP_BPF, -EINVAL before kernel 5.8, -ENOSYS without bpf(2),
/// -ENOMEM. On failure the socket is as it was.
int cnf_events_attach_ring(struct cnf_events *events, uint32_t bytes);

/// The ring's size in bytes, or 0 without one.
uint32_t cnf_events_ring_size(const struct cnf_events *events);

/// A descriptor that turns readable when the ring becomes half full; -1 without one.
int cnf_events_descriptor(const struct cnf_events *events);

/// Has that descriptor turn readable only at the next time.
void cnf_events_silence(const struct cnf_events *events);

/// Joins the groups in `groups` (bits of enum cnf_group). Loads nf_conntrack and nf_conntrack_netlink where these
/// are modules: the caller asks /sys/module first. Returns 0; -EPERM without CAP_NET_ADMIN.
int cnf_events_join(struct cnf_events *events, uint32_t groups);

/// Leaves the groups in `groups`; those that were not joined are passed over. What is queued stays to be received.
/// Loads nothing. Returns 0 or -errno.
int cnf_events_leave(struct cnf_events *events, uint32_t groups);

/// The receive buffer in bytes as the kernel accounts it (SO_RCVBUF), or -errno.
int cnf_events_receive_buffer(struct cnf_events *events);

/// One batch (a recvmmsg, or a piece of the ring): receives without waiting, decodes into `slots`, adds to `tally`. With no
/// slot free it still empties the socket and counts what it drops, or the kernel would drop in its stead. Messages on the
/// socket that are not from the kernel are ignored.
/// Returns how many slots were filled; `*datagrams` tells how many arrived, 0 = the queue is empty.
/// -ENOBUFS: the kernel dropped some since (see cnf_events_overruns); call again. Other errnos as recvmmsg(2).
int cnf_events_pump(struct cnf_events *events, union cnf_record *_Nullable slots, size_t count, uint64_t time_ns,
                    struct cnf_tally *tally, size_t *datagrams);

/// Messages this socket missed because its receive buffer was full, since it was opened; wraps at 2^32.
/// Source: SO_MEMINFO[SK_MEMINFO_DROPS] (kernel 4.12). Returns 0 or -errno (-ENOPROTOOPT before 4.12).
int cnf_events_overruns(struct cnf_events *events, uint32_t *out);

/// What the kernel counted for the ring since it was attached.
struct cnf_kernel_counts {
    uint64_t sent[3];   ///< messages by enum cnf_kind, those that are lost included
    uint64_t overrun;   ///< found no room in the ring
    uint64_t truncated; ///< longer than the largest ring record
};

/// Reads these counters: one system call. Whatever was pumped is in them. Returns 0; -ENOTSUP without a ring.
int cnf_events_kernel_counts(struct cnf_events *events, struct cnf_kernel_counts *out);

// MARK: Stage 1: a dump of the table

/// A dump under way, with its socket and receive buffer. One owner, one thread.
struct cnf_dump;

/// What a dump gave so far; `cnf_dump_next` adds to it.
struct cnf_dump_tally {
    uint64_t entries;    ///< decoded
    uint64_t truncated;  ///< not decodable
    uint8_t interrupted; ///< 1 = a message carried NLM_F_DUMP_INTR
    uint8_t reserved[7];
};

/// Asks for a dump of the entries of `family` (AF_INET, AF_INET6, or AF_UNSPEC for all) of this network namespace.
/// Loads nf_conntrack and nf_conntrack_netlink where these are modules: the caller asks /sys/module first. While it is
/// under way it pins nf_conntrack_netlink: read it to its end, at once; closing ends it as well.
/// Returns 0; -EPROTONOSUPPORT without nfnetlink, -EMFILE, -ENOMEM.
int cnf_dump_open(uint8_t family, struct cnf_dump *_Nullable *_Nonnull out);

/// Wraps a datagram socket that somebody else made (a socketpair in tests), on which messages to port 0 with sequence
/// number 1 are the dump's. Takes the descriptor over. Returns 0 or -ENOMEM (then `fd` is still the caller's).
int cnf_dump_adopt(int fd, struct cnf_dump *_Nullable *_Nonnull out);

void cnf_dump_close(struct cnf_dump *_Nullable dump);

/// The next entries, at most `capacity` (at least 1) and at most what one datagram holds, so that they are read while
/// the cache has them. Returns how many, 0 = the dump has ended; -EPERM without CAP_NET_ADMIN, -EINVAL without ctnetlink,
/// -ETIMEDOUT when the kernel does not answer within 5 seconds, -ENOBUFS when it had no memory to go on, -EBADMSG.
/// After an error there is nothing more to come.
int cnf_dump_next(struct cnf_dump *dump, struct cnf_entry *entries, size_t capacity, struct cnf_dump_tally *tally);

// MARK: Stage 1: statistics by ctnetlink, where /proc/net/stat/nf_conntrack is missing

/// The kernel's per-CPU statistics this program knows, in the order of its metrics.
enum cnf_stat {
    CNF_STAT_FOUND,
    CNF_STAT_INVALID,
    CNF_STAT_INSERT,
    CNF_STAT_INSERT_FAILED,
    CNF_STAT_DROP,
    CNF_STAT_EARLY_DROP,
    CNF_STAT_ERROR,
    CNF_STAT_SEARCH_RESTART,
    CNF_STAT_CLASH_RESOLVE,
    CNF_STAT_CHAIN_TOOLONG,
    CNF_STAT_EXPECT_NEW,
    CNF_STAT_EXPECT_CREATE,
    CNF_STAT_EXPECT_DELETE,
    CNF_STAT_COUNT,
};

/// One CPU's statistics; those whose bit in `present` is clear are unknown to this kernel.
struct cnf_cpu_stats {
    uint32_t cpu;
    uint32_t present;
    uint32_t value[CNF_STAT_COUNT];
};

/// Asks GET_STATS_CPU of the conntrack and the expectation subsystem and reads both dumps to their end.
/// Any such request loads nf_conntrack_netlink: only for kernels with nf_conntrack built in.
/// Returns how many CPUs were written to `out`; -EPERM without CAP_NET_ADMIN, -EINVAL without ctnetlink,
/// -ETIMEDOUT when the kernel does not answer within a second.
int cnf_stats_cpu(struct cnf_cpu_stats *out, size_t capacity);

// MARK: Stage 1: uevents, the kernel's word that a module came or went

/// What a uevent says of a module.
enum cnf_module_change {
    CNF_MODULE_NONE = 0, ///< it is about something else
    CNF_MODULE_ADDED = 1,
    CNF_MODULE_REMOVED = 2,
};

/// Reads one uevent, `add@/module/NAME` NUL `ACTION=add` NUL ..., and says what it means for module `name`. Pure.
int cnf_uevent(const void *message, size_t length, const char *name);

/// Opens a non-blocking NETLINK_KOBJECT_UEVENT socket joined to the kernel's group. Needs no privilege; loads nothing.
/// In a network namespace owned by another user namespace than the initial one nothing ever arrives.
/// Returns the descriptor or -errno.
int cnf_uevents_open(void);

/// The next uevent of the kernel about module `name`: enum cnf_module_change, CNF_MODULE_NONE when none waits.
/// Messages that udev or another program sent are passed over. -ENOBUFS: some were lost; call again.
int cnf_uevents_next(int fd, const char *name);

// MARK: What Glibc's Swift module lacks

/// setns(2) for a network namespace: moves the calling thread. Returns 0 or -errno.
int cnf_enter_network_namespace(int fd);

/// ppoll(2) on one descriptor: waits until `fd` is readable or `timeout_ns` have passed.
/// Returns 1 when it is readable, 0 when the time passed or a signal came.
int cnf_wait_readable(int fd, uint64_t timeout_ns);

/// The same on three, of which each may be -1. Returns bit 1, 2 or 4 for those that are readable.
int cnf_wait_any(int first, int second, int third, uint64_t timeout_ns);

/// strerrordesc_np(3): the system's words for an errno value; NULL when it has none.
const char *_Nullable cnf_error_text(int code);

/// pthread_setname_np(3) for the calling thread; at most 15 characters.
void cnf_name_thread(const char *name);

#pragma clang assume_nonnull end

#endif
