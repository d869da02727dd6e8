// SPDX-License-Identifier: GPL-3.0-or-later

#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>

int cnf_enter_network_namespace(int fd)
{
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int cnf_wait_any(int first, int second, int third, uint64_t timeout_ns)
{
    struct pollfd entries[] = {
        {.fd = first, .events = POLLIN},
        {.fd = second, .events = POLLIN},
        {.fd = third, .events = POLLIN},
    };
    const struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / 1000000000),
        .tv_nsec = (long)(timeout_ns % 1000000000),
    };

    if (ppoll(entries, 3, &timeout, NULL) <= 0)
        return 0;
    return (entries[0].revents != 0 ? 1 : 0) | (entries[1].revents != 0 ? 2 : 0) | (entries[2].revents != 0 ? 4 : 0);
}

int cnf_wait_readable(int fd, uint64_t timeout_ns)
{
    return cnf_wait_any(fd, -1, -1, timeout_ns);
}

void cnf_name_thread(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}
