// SPDX-License-Identifier: GPL-3.0-or-later
//
// Gives a terminal back when the process crashes. The handler calls nothing but write, tcsetattr, sigaction and raise, which
// may be called from one (signal-safety(7)).

#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGQUIT};
enum { crash_count = sizeof crashes / sizeof *crashes };

static struct sigaction before[crash_count];
static struct termios saved_modes;
static char leave_text[128];
static size_t leave_length;
static volatile sig_atomic_t guarded_fd = -1;

static void crashed(int number)
{
    const int fd = guarded_fd;

    guarded_fd = -1;
    if (fd >= 0) {
        // What it does not take is lost: nobody waits in here.
        ssize_t written = write(fd, leave_text, leave_length);
        (void)written;
        tcsetattr(fd, TCSANOW, &saved_modes);
    }
    for (int i = 0; i < crash_count; i++)
        sigaction(crashes[i], &before[i], NULL);
    // Blocked until this returns.
    raise(number);
}

void cnf_guard_terminal(int fd, const struct termios *modes, const char *text)
{
    struct sigaction action;

    if (guarded_fd >= 0)
        cnf_unguard_terminal();
    saved_modes = *modes;
    leave_length = strnlen(text, sizeof leave_text);
    memcpy(leave_text, text, leave_length);
    guarded_fd = fd;
    memset(&action, 0, sizeof action);
    action.sa_handler = crashed;
    action.sa_flags = SA_ONSTACK;
    sigfillset(&action.sa_mask);
    for (int i = 0; i < crash_count; i++)
        sigaction(crashes[i], &action, &before[i]);
}

void cnf_unguard_terminal(void)
{
    if (guarded_fd < 0)
        return;
    guarded_fd = -1;
    for (int i = 0; i < crash_count; i++)
        sigaction(crashes[i], &before[i], NULL);
}
