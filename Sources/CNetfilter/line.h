// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef LINE_H
#define LINE_H

#include "CNetfilter.h"
#include "parts.h"
#include "put.h"

/// One event and how it is to be worded.
struct wording {
    const void *message;
    size_t length;
    const struct parts *parts;
    const struct cnf_style *style;
    const char *program; ///< NULL = unknown
    uint64_t received_ns;
};

/// Each writes an event without a line feed. 0, or a negative errno value as of cnf_line.
int cnf_put_conntrack(struct text *text, const struct wording *wording);
void cnf_put_json(struct text *text, const struct wording *wording);
void cnf_put_row(struct text *text, const struct wording *wording);

#endif
