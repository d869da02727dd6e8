// SPDX-License-Identifier: GPL-3.0-or-later

#define _GNU_SOURCE
#include "CNetfilter.h"

#include <pthread.h>
#include <sched.h>

int cnf_enter_network_namespace(int fd)
{
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

void cnf_name_thread(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}
