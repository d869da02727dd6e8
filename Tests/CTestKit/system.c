// SPDX-License-Identifier: GPL-3.0-or-later

#define _GNU_SOURCE
#include "CTestKit.h"

#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

int ctk_unshare_network(void)
{
    return unshare(CLONE_NEWNET) == 0 ? 0 : -errno;
}

int ctk_enter_network(int fd)
{
    return setns(fd, CLONE_NEWNET) == 0 ? 0 : -errno;
}

int ctk_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    const int error = ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : -errno;
    close(fd);
    return error;
}

pid_t ctk_thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

void ctk_name_thread(const char *name)
{
    pthread_setname_np(pthread_self(), name);
}

int ctk_pipe(int ends[2])
{
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : -errno;
}

int ctk_memory_file(void)
{
    const int fd = memfd_create("test", MFD_CLOEXEC);

    return fd >= 0 ? fd : -errno;
}

int ctk_pidfd(pid_t pid)
{
    const long fd = syscall(SYS_pidfd_open, pid, 0);

    return fd >= 0 ? (int)fd : -errno;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

int ctk_remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ? 0 : -errno;
}

/// Whole pages for `size` bytes; an empty copy has one too, so that it ends before the forbidden page as well.
static size_t room_for(size_t size)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return size == 0 ? page : (size + page - 1) / page * page;
}

void *ctk_guarded_copy(const void *bytes, size_t size)
{
    const size_t room = room_for(size);
    uint8_t *area = mmap(NULL, room + (size_t)sysconf(_SC_PAGESIZE), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (area == MAP_FAILED)
        return NULL;
    if (mprotect(area, room, PROT_READ | PROT_WRITE) != 0) {
        munmap(area, room + (size_t)sysconf(_SC_PAGESIZE));
        return NULL;
    }
    if (size > 0)
        memcpy(area + room - size, bytes, size);
    return area + room - size;
}

void ctk_guarded_free(void *copy, size_t size)
{
    if (copy == NULL)
        return;
    const size_t room = room_for(size);
    munmap((uint8_t *)copy + size - room, room + (size_t)sysconf(_SC_PAGESIZE));
}
