// SPDX-License-Identifier: GPL-3.0-or-later

#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>

int cnf_enter_network_namespace(int fd)
{
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int cnf_poll(struct pollfd *entries, size_t count, uint64_t timeout_ns)
{
    const struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / 1000000000),
        .tv_nsec = (long)(timeout_ns % 1000000000),
    };
    int ready = ppoll(entries, (nfds_t)count, timeout_ns == UINT64_MAX ? NULL : &timeout, NULL);

    return ready < 0 ? -errno : ready;
}

void cnf_name_thread(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}
