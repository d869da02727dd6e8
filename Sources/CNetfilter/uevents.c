// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernel's uevents about modules: `remove@/module/nf_conntrack` is the push that something happened; the kept
// descriptors are the proof.

#define _GNU_SOURCE
#include "CNetfilter.h"

#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/// The kernel's own multicast group; udev repeats each message on group 2.
#define KERNEL_GROUP 1
/// lib/kobject_uevent.c: UEVENT_BUFFER_SIZE is 2048, the header before it a path.
#define LONGEST 8192

int cnf_uevent(const void *message, size_t length, const char *name)
{
    static const struct {
        const char *prefix;
        enum cnf_module_change change;
    } known[] = {
        {"add@/module/", CNF_MODULE_ADDED},
        {"remove@/module/", CNF_MODULE_REMOVED},
    };
    const char *text = message;

    // The header is a string of its own; without its end it is none.
    if (length == 0 || memchr(text, 0, length) == NULL)
        return CNF_MODULE_NONE;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        const size_t prefix = strlen(known[i].prefix);

        if (strncmp(text, known[i].prefix, prefix) == 0 && strcmp(text + prefix, name) == 0)
            return (int)known[i].change;
    }
    return CNF_MODULE_NONE;
}

int cnf_uevents_open(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
        const int error = errno;

        close(fd);
        return -error;
    }
    return fd;
}

int cnf_uevents_next(int fd, const char *name)
{
    char message[LONGEST];

    for (;;) {
        struct sockaddr_nl sender = {0};
        socklen_t size = sizeof(sender);
        const ssize_t length = recvfrom(fd, message, sizeof(message), MSG_DONTWAIT, (struct sockaddr *)&sender, &size);

        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0)
            return errno == EAGAIN ? CNF_MODULE_NONE : -errno;
        // Anybody privileged enough may send to the group; only port 0 is the kernel.
        if (sender.nl_pid != 0)
            continue;
        const int change = cnf_uevent(message, (size_t)length, name);
        if (change != CNF_MODULE_NONE)
            return change;
    }
}
