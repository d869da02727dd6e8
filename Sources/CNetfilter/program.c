// SPDX-License-Identifier: GPL-3.0-or-later
//
// Who changed an entry: the program whose netfilter socket has the port that a message tells. The kernel lists sockets with
// their ports and inodes; /proc/PID/fd says whose an inode is.

#define _GNU_SOURCE
#include "program.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT_NS 1000000000ull

/// The inode of the netfilter socket with this port; 0 = none.
static unsigned long inode_of(uint32_t portid)
{
    FILE *const list = fopen("/proc/thread-self/net/netlink", "re");
    unsigned long inode = 0, found;
    char line[256];
    int protocol;
    unsigned int port;

    if (list == NULL)
        return 0;
    while (inode == 0 && fgets(line, sizeof(line), list) != NULL) {
        if (sscanf(line, "%*x %d %u %*x %*d %*d %*x %*d %*u %lu", &protocol, &port, &found) == 3 &&
            protocol == NETLINK_NETFILTER && port == portid)
            inode = found;
    }
    fclose(list);
    return inode;
}

static bool holds(int folder, const char *socket)
{
    char target[64];
    DIR *const list = fdopendir(folder);
    const struct dirent *entry;
    bool found = false;

    if (list == NULL) {
        close(folder);
        return false;
    }
    while (!found && (entry = readdir(list)) != NULL) {
        const ssize_t length = readlinkat(dirfd(list), entry->d_name, target, sizeof(target) - 1);
        if (length <= 0)
            continue;
        target[length] = 0;
        found = strcmp(target, socket) == 0;
    }
    closedir(list);
    return found;
}

/// The name in parentheses in /proc/PID/stat, up to the first that closes: as conntrack(8) reads it.
static bool name_of(const char *process, char *name, size_t capacity)
{
    char path[64], line[256];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", process);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    const char *const open = fgets(line, sizeof(line), file) == NULL ? NULL : strchr(line, '(');
    if (open != NULL)
        snprintf(name, capacity, "%.*s", (int)strcspn(open + 1, ")"), open + 1);
    fclose(file);
    return open != NULL;
}

static bool find_in(const char *process, const char *socket, char *name, size_t capacity)
{
    char path[64];

    snprintf(path, sizeof(path), "/proc/%.20s/fd", process);
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder >= 0 && holds(folder, socket) && name_of(process, name, capacity);
}

static void find(uint32_t portid, char *name, size_t capacity)
{
    const unsigned long inode = inode_of(portid);
    char socket[64], process[24];
    const struct dirent *entry;

    name[0] = 0;
    if (inode == 0)
        return;
    snprintf(socket, sizeof(socket), "socket:[%lu]", inode);
    // A program's first socket mostly has its process's number for a port.
    snprintf(process, sizeof(process), "%u", portid);
    if (find_in(process, socket, name, capacity))
        return;
    DIR *const all = opendir("/proc");
    if (all == NULL)
        return;
    while ((entry = readdir(all)) != NULL) {
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && find_in(entry->d_name, socket, name, capacity))
            break;
    }
    closedir(all);
}

const char *cnf_program_of(struct program *kept, uint32_t portid, uint64_t now_ns)
{
    if (kept->portid != portid || now_ns >= kept->until_ns) {
        find(portid, kept->name, sizeof(kept->name));
        kept->portid = portid;
        kept->until_ns = now_ns + KEPT_NS;
    }
    return kept->name[0] == 0 ? NULL : kept->name;
}
