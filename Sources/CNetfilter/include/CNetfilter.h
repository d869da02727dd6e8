// SPDX-License-Identifier: GPL-3.0-or-later
//
// CNetfilter: the whole contract between Swift and netlink.
//
// Every function that can fail returns a negative errno value and says below which ones mean what. Nothing here prints,
// logs, or keeps global state; handles are opaque and have one owner and one thread. No type of a library leaks out.
//
// Lost, everywhere: truncated = longer than our receive buffer or the largest record of the BPF ring; malformed = its
// lengths or attributes do not hold together; dropped = decoded, but no slot was free; overrun = the kernel had no room.

#ifndef CNETFILTER_H
#define CNETFILTER_H

#include "CRecord.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// MARK: Stage 2: decode (pure)

/// Decodes one netlink message into `out`: reads `length` bytes from `message` and nothing else, keeps no state.
/// Returns 1 when `out` holds an event, 0 when the message is none (another subsystem, an expectation, NOOP),
/// -EBADMSG when it is a conntrack event whose lengths or attributes do not hold together.
int cnf_decode(const void *message, size_t length, uint64_t time_ns, struct cnf_event *out);

/// Decodes one netlink message of a dump likewise. Returns 1 when `out` holds an entry, 0 when the message is none,
/// -EBADMSG when its lengths or attributes do not hold together or a direction is missing.
int cnf_decode_entry(const void *message, size_t length, struct cnf_entry *out);

/// Writes the entry in `message` as libnetfilter_conntrack words it (what `conntrack -E -o id` prints), NUL-terminated.
/// Returns the length that the whole text has, which may exceed `capacity`; -EBADMSG, -ENOMEM.
int cnf_text(const void *message, size_t length, char *out, size_t capacity);

// MARK: Stage 2: which entries are wanted

/// An address's leading bits.
struct cnf_prefix {
    uint8_t family; ///< AF_INET or AF_INET6; 0 = any address
    uint8_t reserved[7];
    uint8_t address[16]; ///< as in cnf_event, with every bit outside of the mask 0
    uint8_t mask[16];
};

/// What of a filter counts, beside what says so itself: bits of `given`. Those of ports come first, in the order of `ports`.
enum cnf_filter_bit {
    CNF_BY_SOURCE_PORT = 1 << 0,
    CNF_BY_DESTINATION_PORT = 1 << 1,
    CNF_BY_REPLY_SOURCE_PORT = 1 << 2,
    CNF_BY_REPLY_DESTINATION_PORT = 1 << 3,
    CNF_BY_PROTOCOL = 1 << 4,
    CNF_BY_TCP_STATE = 1 << 5,
    CNF_BY_ZONE = 1 << 6,
    CNF_BY_ANY_NAT = 1 << 7,
    CNF_BY_SOURCE_NAT = 1 << 8,
    CNF_BY_DESTINATION_NAT = 1 << 9,
    /// Those for which the reply's tuple is looked at.
    CNF_BY_REPLY = CNF_BY_REPLY_SOURCE_PORT | CNF_BY_REPLY_DESTINATION_PORT | CNF_BY_ANY_NAT | CNF_BY_SOURCE_NAT |
                   CNF_BY_DESTINATION_NAT,
};

/// Which entries are wanted: those for which all that is given holds. All zero = every entry. Translated is an entry whose
/// reply is not the original turned round. A port holds only for protocols that have ports.
struct cnf_filter {
    uint32_t given; ///< bits of enum cnf_filter_bit
    uint8_t family; ///< AF_INET or AF_INET6; 0 = any
    uint8_t tcp_state;
    uint16_t zone;                     ///< of the original direction
    uint32_t status_set, status_clear; ///< IPS_* that must, and must not, be there
    uint32_t mark, mark_mask;          ///< (mark of the entry & mark_mask) == mark
    uint16_t ports[4];
    uint32_t protocols[8]; ///< a bit for each
    struct cnf_prefix source, destination, reply_source, reply_destination;
};

/// Whether an entry is wanted.
int cnf_filter_wants(const struct cnf_filter *filter, const struct cnf_entry *entry);
/// Moves those that are wanted to the front, in their order. Returns how many there are.
size_t cnf_filter_keep(const struct cnf_filter *filter, struct cnf_entry *entries, size_t count);
/// Whether an event is wanted: `event` is what `message` was decoded to.
int cnf_filter_wants_event(const struct cnf_filter *filter, const struct cnf_event *event, const void *message,
                           size_t length);

// MARK: Stage 2: an event as a line

enum cnf_format {
    CNF_FORMAT_CONNTRACK = 0, ///< the very line of `conntrack -E`
    CNF_FORMAT_JSON = 1,      ///< an object; docs/events.md has its members
    CNF_FORMAT_TABLE = 2,     ///< a row for a person
};

/// What conntrack's `-o` adds to its line, and how a row looks.
enum cnf_style_option {
    CNF_STYLE_ID = 1,
    CNF_STYLE_EXTENDED = 2,
    CNF_STYLE_TIME = 4,         ///< -o timestamp
    CNF_STYLE_KERNEL_TIMES = 8, ///< -o ktimestamp
    CNF_STYLE_COLOUR = 16,
    CNF_STYLE_ASCII = 32,
};

/// The names of labels.
struct cnf_labels;
/// Reads them from a file, NULL = /etc/xtables/connlabel.conf. Returns 0; -ENOENT without that file or without a name in
/// it, others as fopen(3).
int cnf_labels_open(const char *_Nullable path, struct cnf_labels *_Nullable *_Nonnull out);
void cnf_labels_close(struct cnf_labels *_Nullable labels);

/// How an event is worded.
struct cnf_style {
    uint32_t format;                     ///< enum cnf_format
    uint32_t options;                    ///< bits of enum cnf_style_option
    struct cnf_labels *_Nullable labels; ///< NULL = no line tells of labels, and JSON gives their numbers
};

/// Writes the event in `message` as a line, without a line feed or NUL. Pure, but for local times and the labels; allocates
/// nothing unless the message has something that only the library may know. `received_ns`: nanoseconds since 1970.
/// `program`: the name of what a message with a port came from. Returns the line's length; 0 when the message is no event,
/// -EBADMSG when it does not hold together, -ENOSPC when it is longer than `capacity`, -ENOMEM.
int cnf_line(const void *message, size_t length, const struct cnf_style *style, uint64_t received_ns,
             const char *_Nullable program, char *out, size_t capacity);

// MARK: Stage 1: the event socket

/// Multicast groups, as bits.
enum cnf_group {
    CNF_GROUP_NEW = 1,
    CNF_GROUP_UPDATE = 2,
    CNF_GROUP_DESTROY = 4,
};

/// A ctnetlink multicast socket and what takes the events off it: a batch of receive buffers, or a BPF ring.
struct cnf_events;
/// What became of the messages that reached us; `cnf_events_pump` adds to it. Arrays are by enum cnf_kind.
struct cnf_tally {
    uint64_t events;                     ///< decoded into a slot
    uint64_t by_kind[CNF_EVENT_KINDS];   ///< the same, by kind
    uint64_t truncated[CNF_EVENT_KINDS]; ///< cut by our receive buffer; the header still tells of what kind
    uint64_t malformed;                  ///< did not decode, or was cut and is of no known kind
    uint64_t dropped;                    ///< decoded, but no slot was free
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
/// are modules: the caller asks /sys/module first. Returns 0; -EPERM without CAP_NET_ADMIN, others as setsockopt(2).
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

/// Sees the message of an event that just got a slot: `length` bytes, the kernel's and only valid during the call, and what it
/// was decoded to. Called by `cnf_events_pump`, on its thread, in the order of the slots.
typedef void cnf_tap(void *_Nullable context, const void *message, size_t length, const struct cnf_event *event);
/// Has `tap` see every event from now on; NULL = nobody. Who asks for the messages themselves (a recording, a line of text)
/// pays for it, and nobody else.
void cnf_events_tap(struct cnf_events *events, cnf_tap *_Nullable tap, void *_Nullable context);

/// Has only events of this family and these protocols sent to the socket, as far as that is seen at a glance; what else a
/// filter asks for is for `cnf_filter_wants_event`. What is kept out is counted nowhere and not lost. Before
/// `cnf_events_attach_ring`, and before the first join. Returns 0; an errno as of SO_ATTACH_FILTER, and then all are sent.
int cnf_events_filter(struct cnf_events *events, const struct cnf_filter *filter);

/// Has each message that a program caused make `cnf_events_descriptor` readable, so that the program can be looked for while
/// it runs. Costs it some; before `cnf_events_attach_ring`.
void cnf_events_hurry(struct cnf_events *events);

/// Lines of events that wait to be written.
struct cnf_lines;
/// What became of the events.
struct cnf_lines_counts {
    uint64_t written;    ///< a line each
    uint64_t filtered;   ///< not wanted
    uint64_t unreadable; ///< decoded, and yet without a line: a direction was not as any kernel sends it
};
/// Makes the buffer; it takes `most` lines in all, 0 = as many as come. The style's labels must outlive it.
/// Returns 0 or -ENOMEM.
int cnf_lines_make(const struct cnf_style *style, const struct cnf_filter *_Nullable filter, uint64_t most,
                   struct cnf_lines *_Nullable *_Nonnull out);
void cnf_lines_free(struct cnf_lines *_Nullable lines);
/// Has `events` fill it. It must outlive the pumping, and `cnf_events_pump` be given no more slots than it has room for.
void cnf_lines_follow(struct cnf_lines *lines, struct cnf_events *events);
/// When the events of the next pump were received, in nanoseconds since 1970.
void cnf_lines_at(struct cnf_lines *lines, uint64_t received_ns);
/// How many more events surely have room.
size_t cnf_lines_room(const struct cnf_lines *lines);
/// What waits, whole lines first come first; valid until the next pump.
const char *cnf_lines_text(const struct cnf_lines *lines, size_t *size);
/// The first `size` bytes of it were written.
void cnf_lines_taken(struct cnf_lines *lines, size_t size);
/// 1 when it took as many as it was to.
int cnf_lines_done(const struct cnf_lines *lines);
void cnf_lines_count(const struct cnf_lines *lines, struct cnf_lines_counts *out);

/// Messages this socket missed because its receive buffer was full, since it was opened; wraps at 2^32.
/// Source: SO_MEMINFO[SK_MEMINFO_DROPS] (kernel 4.12). Returns 0 or -errno (-ENOPROTOOPT before 4.12).
int cnf_events_overruns(struct cnf_events *events, uint32_t *out);

/// What the kernel counted for the ring since it was attached, by enum cnf_kind. The rest comes by `cnf_events_pump`.
struct cnf_kernel_counts {
    uint64_t sent[CNF_EVENT_KINDS];      ///< messages; what is lost included
    uint64_t overrun[CNF_EVENT_KINDS];   ///< of these, what found no room in the ring
    uint64_t truncated[CNF_EVENT_KINDS]; ///< of these, what was longer than the largest ring record
};

/// Reads these counters: one system call. Whatever was pumped is in them. Returns 0; -ENOTSUP without a ring, -ENOENT and
/// other errnos as bpf(2).
int cnf_events_kernel_counts(struct cnf_events *events, struct cnf_kernel_counts *out);

// MARK: Stage 1: a dump of the table

/// A dump under way, with its socket and receive buffer.
struct cnf_dump;
/// What a dump gave so far; `cnf_dump_next` adds to it.
struct cnf_dump_tally {
    uint64_t entries;    ///< decoded
    uint64_t malformed;  ///< did not decode; a dump is never cut, since the kernel fits it to our buffer
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
/// -ETIMEDOUT when the kernel does not answer within 5 seconds, -ENOBUFS when it had no memory to go on, -EBADMSG when a
/// message's length does not hold, -EMSGSIZE for a datagram longer than any of the kernel's, others as recvmsg(2). After
/// an error there is nothing more to come.
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
    CNF_STAT_COUNT
};

/// One CPU's statistics; those whose bit in `present` is clear are unknown to this kernel.
struct cnf_cpu_stats {
    uint32_t cpu;
    uint32_t present;
    uint32_t value[CNF_STAT_COUNT];
};

/// Asks GET_STATS_CPU of the conntrack and the expectation subsystem and reads both dumps to their end. That loads
/// nf_conntrack_netlink: `witness` is its initstate, looked at just before; -1 where nf_conntrack is built in. Returns how
/// many CPUs were written to `out`; -ENODEV, nothing asked: it is not live; -EPERM without CAP_NET_ADMIN, -EINVAL without
/// ctnetlink, -ETIMEDOUT when the kernel does not answer within a second, others as `cnf_dump_open` and `cnf_dump_next`.
int cnf_stats_cpu(struct cnf_cpu_stats *out, size_t capacity, int witness);

// MARK: Rules: what in them refers to modules of the kernel

/// What a use is of.
enum cnf_use_kind {
    CNF_USE_MATCH = 1,  ///< a match of xtables; one for each time a rule has it
    CNF_USE_TARGET,     ///< a target of xtables; built-in ones are not counted
    CNF_USE_HELPER,     ///< a connection tracking helper that a CT target or an nft object names
    CNF_USE_TIMEOUT,    ///< a timeout policy that a CT target names
    CNF_USE_TABLE,      ///< an xtables table with more in it than its built-in chains; one a table
    CNF_USE_EXPRESSION, ///< an expression of nft, in a rule, a set or an element
    CNF_USE_CHAIN,      ///< a base chain of nft, by its type
    CNF_USE_OBJECT,     ///< an object of nft, by its type as nft writes it; those that have to do with conntrack
    CNF_USE_FLOWTABLE,  ///< a flowtable of nft
};

/// What one table uses, and how often. Names are NUL-terminated, cut to what has room.
struct cnf_use {
    uint8_t family; ///< NFPROTO_*
    uint8_t kind;   ///< enum cnf_use_kind
    uint8_t is_nft; ///< 0 = a table of xtables, which an nft table may be called alike
    uint8_t reserved;
    char table[32];
    char name[32];
    uint32_t count;
};

/// A tally of uses.
struct cnf_uses;
/// Returns 0 or -ENOMEM.
int cnf_uses_make(struct cnf_uses *_Nullable *_Nonnull out);
void cnf_uses_free(struct cnf_uses *_Nullable uses);
size_t cnf_uses_count(const struct cnf_uses *uses);
/// One of them; NULL from `cnf_uses_count` on. Valid until something is added.
const struct cnf_use *_Nullable cnf_uses_at(const struct cnf_uses *uses, size_t index);

/// Counts what the entries of an xtables table use. Pure: reads `size` bytes and nothing else. `family` is NFPROTO_IPV4 or
/// NFPROTO_IPV6. Returns 0; -EBADMSG when lengths do not hold together, -ENOSPC for more than 1024 different uses.
int cnf_xtables_walk(uint8_t family, const char *table, const void *entries, size_t size, struct cnf_uses *uses);

/// Asks for the entries of a table of this network namespace and counts them. The kernel makes a table that is asked for,
/// and loads its module: only names that /proc/net/ip_tables_names or ip6_tables_names has just had may be asked for.
/// Returns 0; -EPERM without CAP_NET_ADMIN, -ENOENT without that table, -EAGAIN when it changes all the time, -EFBIG for
/// more than 64 MB, -ENOMEM, -EBADMSG, -ENOSPC, others as getsockopt(2).
int cnf_xtables_read(uint8_t family, const char *table, struct cnf_uses *uses);

/// Counts what one message of an nft dump uses: a rule, a chain, a set, elements, an object, a flowtable. Pure: reads
/// `length` bytes and nothing else. Returns 0, also for what is none of these; -EBADMSG, -ENOSPC.
int cnf_nft_walk(const void *message, size_t length, struct cnf_uses *uses);

/// Asks for the nft rules of this network namespace and counts them; set elements only where `elements` is not 0 and they
/// may hold expressions. Loads nf_tables where that is a module: the caller asks /proc/modules first. Returns 0; -EPERM
/// without CAP_NET_ADMIN, -EAGAIN when the rules changed meanwhile, -EFBIG for dumps of more than 32 MB, -ETIMEDOUT when the
/// kernel does not answer within 2 seconds, -EBADMSG, -ENOSPC, others as `cnf_dump_open` and `cnf_dump_next`.
int cnf_nft_read(int elements, struct cnf_uses *uses);

// MARK: Stage 1: uevents, the kernel's word that a module came or went

/// What a uevent says of a module.
enum cnf_module_change {
    CNF_MODULE_NONE = 0, ///< about something else
    CNF_MODULE_ADDED = 1,
    CNF_MODULE_REMOVED = 2,
};

/// Reads one uevent, `add@/module/NAME` NUL `ACTION=add` NUL ..., and says what it means for module `name`. Pure.
int cnf_uevent(const void *message, size_t length, const char *name);

/// Opens a non-blocking NETLINK_KOBJECT_UEVENT socket joined to the kernel's group. Needs no privilege; loads nothing.
/// In a network namespace owned by another user namespace than the initial one nothing ever arrives.
/// Returns the descriptor; -EPROTONOSUPPORT where the kernel has no uevents, -EMFILE, -ENOMEM.
int cnf_uevents_open(void);

/// The next uevent of the kernel about module `name`: enum cnf_module_change, CNF_MODULE_NONE when none waits.
/// Messages that udev or another program sent are passed over. -ENOBUFS: some were lost; call again. Others as recvfrom(2).
int cnf_uevents_next(int fd, const char *name);

#pragma clang assume_nonnull end

#endif
