// SPDX-License-Identifier: GPL-3.0-or-later

#define _GNU_SOURCE
#include "floors.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t stop;
/// The mask while asleep: SIGTERM arrives only there, so that none is missed between the check and the sleep.
static sigset_t asleep;

int failed(const char *what)
{
    fprintf(stderr, "BenchmarkFloors: %s: %s\n", what, strerror(errno));
    return 1;
}

int open_socket(uint64_t buffer)
{
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    const int size = (int)buffer;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);

    if (fd < 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0 &&
        (buffer == 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0))
        return fd;
    close(fd);
    return -1;
}

static void on_term(int signal)
{
    (void)signal;
    stop = 1;
}

int join_groups(int fd, uint64_t groups)
{
    static const int known[] = {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY};
    const struct sigaction action = {.sa_handler = on_term};
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, &asleep);
    sigaction(SIGTERM, &action, NULL);
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if ((groups >> i & 1) != 0 && setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &known[i], sizeof(int)) != 0)
            return -1;
    }
    puts("ready");
    return fflush(stdout);
}

bool stopping(void)
{
    return stop != 0;
}

void sleep_ns(uint64_t ns, int fd)
{
    const struct timespec time = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    struct pollfd poll = {.fd = fd, .events = POLLIN};

    ppoll(&poll, 1, &time, &asleep);
}

uint64_t next_tick(uint64_t now_ns, uint64_t short_ns, bool busy)
{
    const uint64_t longest = 50000000;

    if (busy)
        return short_ns;
    return now_ns * 2 < longest ? now_ns * 2 : longest;
}

double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}
