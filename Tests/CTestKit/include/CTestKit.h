// SPDX-License-Identifier: GPL-3.0-or-later
//
// CTestKit: what only tests and benchmarks use, and only in network namespaces of their own: entries by the hundred
// thousand, traffic from real sockets, and the system calls that Glibc's Swift module lacks.
//
// Everything acts in the calling thread's network namespace and returns 0 or a negative errno value.

#ifndef CTESTKIT_H
#define CTESTKIT_H

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#pragma clang assume_nonnull begin

// MARK: Entries by batched ctnetlink messages (generate.c)

/// Makes the UDP entries `first` to `first + count - 1`, each with a tuple that follows from its index alone, 256
/// messages a send. `*made` is how many the kernel accepted, exactly: a refused one (EEXIST, a full table) is not an
/// error. -ENOBUFS or -ETIMEDOUT when answers were lost, and so the number.
int ctk_make_entries(uint32_t first, uint32_t count, uint32_t timeout_s, uint64_t *made);

/// The same with IPS_ASSURED: entries that a full table does not evict for new ones.
int ctk_make_assured_entries(uint32_t first, uint32_t count, uint32_t timeout_s, uint64_t *made);

/// Deletes the same entries; `*deleted` is how many were there.
int ctk_delete_entries(uint32_t first, uint32_t count, uint64_t *deleted);

/// Deletes every entry of the namespace, whoever made it.
int ctk_flush_entries(void);

/// A non-blocking netlink socket joined to the events NEW, UPDATE and DESTROY of entries and of expectations.
/// Returns its descriptor; each recv(2) gives one message as the kernel made it.
int ctk_listen(void);

/// A netlink socket that has asked for a dump of all entries. Returns its descriptor; each recv(2) gives a datagram of
/// messages as the kernel made them, the last of them NLMSG_DONE.
int ctk_ask_dump(void);

/// Multicasts a message to `group` (NFNLGRP_*) as any program with CAP_NET_ADMIN may, in the kernel's stead.
int ctk_forge(const void *message, size_t size, int group);

/// Multicasts a uevent as any program with CAP_NET_ADMIN may, in the kernel's stead.
int ctk_forge_uevent(const void *text, size_t size);

/// Has the kernel itself send a uevent in this network namespace alone (Linux 4.18, CAP_SYS_ADMIN over the namespace).
int ctk_kernel_uevent(const void *text, size_t size);

/// A connected pair of packet sockets whose queue holds at least `bytes`: unlike AF_UNIX datagrams, whose number
/// net.unix.max_dgram_qlen limits.
int ctk_packet_pair(int ends[_Nonnull 2], int bytes);

// MARK: Traffic on loopback (traffic.c)

/// The original direction of a flow, as conntrack will see it. Ports in host byte order.
struct ctk_tuple {
    uint8_t family;   ///< AF_INET or AF_INET6
    uint8_t protocol; ///< IPPROTO_*
    uint16_t source_port;
    uint16_t destination_port;
    uint8_t source[16];
    uint8_t destination[16];
};

/// connect, accept, a byte each way, close in order; the listener's port is the kernel's choice.
int ctk_tcp_flow(int family, struct ctk_tuple *out);

/// A datagram each way between two sockets: the entry has IPS_SEEN_REPLY.
int ctk_udp_flow(int family, struct ctk_tuple *out);

/// An ICMP or ICMPv6 echo request with `identifier`, answered by the kernel. Source port = the identifier.
int ctk_echo(int family, uint16_t identifier, struct ctk_tuple *out);

/// One packet of any IP protocol with `payload` after the IP header, from a raw socket. The ports in `out` stay 0.
int ctk_send_raw(int family, int protocol, const void *payload, size_t size, struct ctk_tuple *out);

/// One UDP datagram of a byte from each of the source ports `first` to `first + count - 1`, from one IPv4 address to a port
/// of another one, addresses in host byte order. Returns how many were sent.
int ctk_spray(uint32_t source, uint32_t destination, uint16_t port, uint16_t first, uint16_t count);

// MARK: What Glibc's Swift module lacks (system.c)

/// unshare(CLONE_NEWNET): a new network namespace for the calling thread.
int ctk_unshare_network(void);

/// setns(2) for a network namespace.
int ctk_enter_network(int fd);

/// Sets `lo` up.
int ctk_loopback_up(void);

/// gettid(2).
pid_t ctk_thread_id(void);

/// pthread_setname_np(3) for the calling thread; at most 15 characters.
void ctk_name_thread(const char *name);

/// pipe2(O_CLOEXEC): no window in which a child started by another thread inherits an end.
int ctk_pipe(int ends[_Nonnull 2]);

/// memfd_create(2), close-on-exec: an empty file without a name.
int ctk_memory_file(void);

/// pidfd_open(2), close-on-exec: readable when the process has ended. Kernel 5.3.
int ctk_pidfd(pid_t pid);

/// Removes a directory and all that is in it, without following symbolic links.
int ctk_remove_tree(const char *path);

/// What nfct_snprintf_labels makes of an entry's message, with flags of NFCT_OF_* and the labels that the file at `labels`
/// names. The library ends the program on sizes it does not know. Returns the text's length, -EBADMSG.
int ctk_library_line(const void *message, uint32_t flags, const char *_Nullable labels, char *out, size_t capacity);

/// Copies `size` bytes so that they end right before a page nobody may touch: one byte read too far is SIGSEGV.
/// NULL when out of memory. Free with ctk_guarded_free.
void *_Nullable ctk_guarded_copy(const void *_Nullable bytes, size_t size);
void ctk_guarded_free(void *_Nullable copy, size_t size);

#pragma clang assume_nonnull end

#endif
