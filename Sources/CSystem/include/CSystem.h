// SPDX-License-Identifier: GPL-3.0-or-later
//
// CSystem: what Swift's Glibc module lacks of Linux. Nothing here knows of netlink. Functions that can fail return a
// negative errno value and say below which ones mean what.

#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <termios.h>

#pragma clang assume_nonnull begin

/// setns(2) for a network namespace: moves the calling thread. Returns 0; -EPERM without CAP_SYS_ADMIN, -EINVAL when `fd`
/// is no network namespace's, -EBADF.
int cnf_enter_network_namespace(int fd);

/// ppoll(2) with a timeout as a number; UINT64_MAX = as long as it takes. Returns how many entries are ready, 0 when the
/// time passed; -EINTR when a signal came, and then no entry was changed.
int cnf_poll(struct pollfd *entries, size_t count, uint64_t timeout_ns);

/// pthread_setname_np(3) for the calling thread; the kernel takes at most 15 characters, a longer name changes nothing.
void cnf_name_thread(const char *name);

/// From here on a crash (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS) and SIGQUIT write `text` to `fd` and give
/// it back its `modes` before they end the process as ever. Both are copied, of `text` up to 128 bytes. One terminal at a time;
/// not while another thread calls it or cnf_unguard_terminal.
void cnf_guard_terminal(int fd, const struct termios *modes, const char *text);

/// No longer; signals are handled as before.
void cnf_unguard_terminal(void);

#pragma clang assume_nonnull end

#endif
