// SPDX-License-Identifier: GPL-3.0-or-later
//
// Events as lines in a buffer: a tap that filters, words and appends. The buffer is made once; whoever pumps asks before how
// many events surely have room.

#include "line.h"
#include "program.h"

#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdlib.h>

/// No message is longer than 2 KiB, and JSON makes at most six bytes of one.
#define LONGEST 16384
#define BUFFER (2u << 20)

struct cnf_lines {
    struct cnf_style style;
    struct cnf_filter filter;
    bool filters;
    uint64_t left; ///< how many more lines are wanted
    uint64_t received_ns;
    struct cnf_lines_counts counts;
    struct program program;
    size_t used;
    char buffer[BUFFER];
};

int cnf_labels_open(const char *path, struct cnf_labels **out)
{
    errno = 0;
    struct nfct_labelmap *const map = nfct_labelmap_new(path);

    if (map == NULL)
        return errno != 0 ? -errno : -ENOENT; // without a label in it errno is 0
    *out = (struct cnf_labels *)map;
    return 0;
}

void cnf_labels_close(struct cnf_labels *labels)
{
    if (labels != NULL)
        nfct_labelmap_destroy((struct nfct_labelmap *)labels);
}

int cnf_lines_make(const struct cnf_style *style, const struct cnf_filter *filter, uint64_t most,
                   struct cnf_lines **out)
{
    struct cnf_lines *const lines = malloc(sizeof(*lines));

    if (lines == NULL)
        return -ENOMEM;
    memset(lines, 0, offsetof(struct cnf_lines, buffer)); // the buffer's pages come when they are used
    lines->style = *style;
    lines->filters = filter != NULL;
    if (filter != NULL)
        lines->filter = *filter;
    lines->left = most == 0 ? UINT64_MAX : most;
    *out = lines;
    return 0;
}

void cnf_lines_free(struct cnf_lines *lines)
{
    free(lines);
}

static void add(struct cnf_lines *lines, const void *message, size_t length, const struct cnf_event *event)
{
    struct nlmsghdr header;
    const char *program = NULL;

    if (lines->left == 0)
        return;
    if (lines->filters && !cnf_filter_wants_event(&lines->filter, event, message, length)) {
        lines->counts.filtered++;
        return;
    }
    if (read_header(message, length, &header) && header.nlmsg_pid != 0)
        program = cnf_program_of(&lines->program, header.nlmsg_pid, lines->received_ns);
    char *const line = lines->buffer + lines->used;
    const int written =
        cnf_line(message, length, &lines->style, lines->received_ns, program, line, BUFFER - lines->used - 1);
    if (written <= 0) {
        lines->counts.unreadable++;
        return;
    }
    line[written] = '\n';
    lines->used += (size_t)written + 1;
    lines->counts.written++;
    lines->left--;
}

static void tap(void *context, const void *message, size_t length, const struct cnf_event *event)
{
    add(context, message, length, event);
}

void cnf_lines_follow(struct cnf_lines *lines, struct cnf_events *events)
{
    cnf_events_tap(events, tap, lines);
}

void cnf_lines_at(struct cnf_lines *lines, uint64_t received_ns)
{
    lines->received_ns = received_ns;
}

size_t cnf_lines_room(const struct cnf_lines *lines)
{
    return (BUFFER - lines->used) / LONGEST;
}

const char *cnf_lines_text(const struct cnf_lines *lines, size_t *size)
{
    *size = lines->used;
    return lines->buffer;
}

void cnf_lines_taken(struct cnf_lines *lines, size_t size)
{
    lines->used -= size;
    memmove(lines->buffer, lines->buffer + size, lines->used);
}

int cnf_lines_done(const struct cnf_lines *lines)
{
    return lines->left == 0;
}

void cnf_lines_count(const struct cnf_lines *lines, struct cnf_lines_counts *out)
{
    *out = lines->counts;
}
