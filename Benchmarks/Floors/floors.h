// SPDX-License-Identifier: GPL-3.0-or-later
//
// What `make bench` measures with and against: the least that a piece of work can cost, in plain C that shares nothing
// with the monitor. Each command acts in the network namespace it is started in.
//
// A listener prints "ready" when it is joined to the groups, runs until SIGTERM, and then prints what it received.

#ifndef FLOORS_H
#define FLOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Options that the listeners share; every command takes those it knows as NAME=NUMBER.
struct options {
    uint64_t groups;   ///< bits: 1 new, 2 update, 4 destroy
    uint64_t buffer;   ///< SO_RCVBUF to ask for, in bytes; the kernel doubles it
    uint64_t ring;     ///< BPF ring, in bytes
    uint64_t batch;    ///< datagrams a recvmmsg
    uint64_t datagram; ///< bytes of buffer each of them has
    uint64_t tick;     ///< microseconds to sleep while events come; 0 = sleep in poll
    uint64_t name;     ///< 1 = ask for each message's sender too
    uint64_t count;    ///< entries or packets
    uint64_t rounds;   ///< how often
    uint64_t pid;      ///< a program's process
    uint64_t rate;     ///< packets a second; 0 = as fast as one core can
};

int run_netlink(const struct options *options);
int run_bpf(const struct options *options);
int run_drop(const struct options *options);
int run_dump(const struct options *options);
int run_entries(const struct options *options);
int run_fill(const struct options *options);
int run_packets(const struct options *options);
int run_buffer(const struct options *options);

/// Runs `command`, and clears up behind it. Returns its exit status.
int guard(char **command);

// MARK: What they share (listen.c)

/// Prints `what` and the reason in errno; returns 1, the exit status.
int failed(const char *what);

/// A non-blocking ctnetlink socket that has joined nothing yet, or -1.
int open_socket(uint64_t buffer);

/// Joins the groups, prints "ready" and has SIGTERM make `stopping` true. 0, or -1 with errno.
int join_groups(int fd, uint64_t groups);

/// Whether SIGTERM came.
bool stopping(void);

/// Sleeps so long, or until SIGTERM. With `fd` not -1 also until it is readable.
void sleep_ns(uint64_t ns, int fd);

/// What to sleep next, as the monitor does: short while events come, up to 50 ms when none do.
uint64_t next_tick(uint64_t now_ns, uint64_t short_ns, bool busy);

/// CLOCK_MONOTONIC in seconds.
double seconds(void);

/// User and system time of this process in seconds.
double cpu_seconds(void);

#endif
