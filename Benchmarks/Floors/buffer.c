// SPDX-License-Identifier: GPL-3.0-or-later
//
// Gives the netlink sockets of a running program a receive buffer. `conntrack -E -b` of conntrack-tools 1.4.7 says that it
// sets one, and its event socket keeps the default all the same: it would lose what it is to be measured by.

#define _GNU_SOURCE
#include "floors.h"

#include "CTestKit.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Descriptors beyond are not looked at.
#define DESCRIPTORS 64

static bool set_buffer(int fd, uint64_t buffer)
{
    const int size = (int)buffer;
    int domain = 0;
    socklen_t length = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_NETLINK &&
           setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0;
}

int run_buffer(const struct options *options)
{
    const int process = ctk_pidfd((pid_t)options->pid);
    unsigned int sockets = 0;

    if (process < 0) {
        errno = -process;
        return failed("pidfd_open");
    }
    for (int number = 0; number < DESCRIPTORS; number++) {
        const int fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);

        if (fd < 0)
            continue;
        sockets += set_buffer(fd, options->buffer);
        close(fd);
    }
    if (sockets == 0) {
        errno = ENOTSOCK;
        return failed("no netlink socket to give a receive buffer");
    }
    printf("sockets=%u\n", sockets);
    return 0;
}
