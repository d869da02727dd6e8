// SPDX-License-Identifier: GPL-3.0-or-later
//
// Runs `make bench`'s driver and clears up behind it, however it ends: what it started is killed, its files are removed,
// and nf_conntrack_max is put back. The driver writes the old limit to the descriptor that BENCH_GUARD names before it changes it.

#define _GNU_SOURCE
#include "floors.h"

#include "CTestKit.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char limit_path[] = "/proc/sys/net/netfilter/nf_conntrack_max";
static volatile pid_t driver;

/// Signals end the driver; what follows is the same as when it ends by itself.
static void end_driver(int signal)
{
    (void)signal;
    if (driver > 0)
        kill(driver, SIGKILL);
}

static pid_t parent_of(const char *process)
{
    char path[64], text[512];
    int parent = 0;

    snprintf(path, sizeof(path), "/proc/%.16s/stat", process);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    // The name stands in parentheses and may hold any of them.
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[length] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end != NULL && sscanf(name_end, ") %*c %d", &parent) == 1 ? parent : 0;
}

/// Kills those that became ours when their parent died (PR_SET_CHILD_SUBREAPER), and those that become ours by that.
static void kill_orphans(void)
{
    do {
        DIR *processes = opendir("/proc");
        const struct dirent *entry;

        while (processes != NULL && (entry = readdir(processes)) != NULL) {
            if (isdigit((unsigned char)entry->d_name[0]) && parent_of(entry->d_name) == getpid())
                kill(atoi(entry->d_name), SIGKILL);
        }
        if (processes != NULL)
            closedir(processes);
    } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static void restore_limit(int from)
{
    char text[32] = "";
    const ssize_t length = read(from, text, sizeof(text) - 1);

    if (length <= 0)
        return;
    const int file = open(limit_path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || write(file, text, strcspn(text, "\n")) < 0)
        failed(limit_path);
    if (file >= 0)
        close(file);
}

static void start(char **command, int told)
{
    char number[16];

    // Were we killed outright, the driver at least would end too.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    snprintf(number, sizeof(number), "%d", told);
    setenv("BENCH_GUARD", number, 1);
    execvp(command[0], command);
    failed(command[0]);
    _exit(127);
}

int guard(char **command)
{
    const struct sigaction action = {.sa_handler = end_driver};
    char folder[] = "/tmp/conntrack-mon-bench-XXXXXX";
    int ends[2], status = 0;

    if (mkdtemp(folder) == NULL || setenv("TMPDIR", folder, 1) != 0)
        return failed(folder);
    if (pipe2(ends, O_NONBLOCK) != 0)
        return failed("pipe");
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    driver = fork();
    if (driver < 0)
        return failed("fork");
    if (driver == 0)
        start(command, ends[1]);
    while (waitpid(driver, &status, 0) < 0 && errno == EINTR) {
    }
    driver = 0;
    kill_orphans();
    restore_limit(ends[0]);
    ctk_remove_tree(folder);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
