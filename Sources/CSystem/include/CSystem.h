// SPDX-License-Identifier: GPL-3.0-or-later
//
// CSystem: what Swift's Glibc module lacks of Linux. Nothing here knows of netlink. Functions that can fail return a
// negative errno value and say below which ones mean what.

#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>

#pragma clang assume_nonnull begin

/// setns(2) for a network namespace: moves the calling thread. Returns 0; -EPERM without CAP_SYS_ADMIN, -EINVAL when `fd`
/// is no network namespace's, -EBADF.
int cnf_enter_network_namespace(int fd);

/// ppoll(2) on one descriptor: waits until `fd` is readable or `timeout_ns` have passed.
/// Returns 1 when it is readable, 0 when the time passed or a signal came.
int cnf_wait_readable(int fd, uint64_t timeout_ns);

/// The same on three, of which each may be -1. Returns bit 1, 2 or 4 for those that are readable.
int cnf_wait_any(int first, int second, int third, uint64_t timeout_ns);

/// pthread_setname_np(3) for the calling thread; the kernel takes at most 15 characters, a longer name changes nothing.
void cnf_name_thread(const char *name);

#pragma clang assume_nonnull end

#endif
