// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tally that rules are counted into: one struct cnf_use for each kind of use in each table.

#ifndef USES_H
#define USES_H

#include "CNetfilter.h"

#include <stdbool.h>

/// Which uses are meant: whose they are.
struct table_of_rules {
    uint8_t family; ///< NFPROTO_*
    bool is_nft;
    const char *name;
    size_t length;
};

/// Counts `count` uses of `name`, whose NUL is within `capacity` bytes or missing. Returns 0 or -ENOSPC.
int cnf_uses_add(struct cnf_uses *uses, const struct table_of_rules *table, enum cnf_use_kind kind, const char *name,
                 size_t capacity, uint32_t count);

/// Counts what the parameters of a CT target name: a helper, a timeout policy. Returns 0 or -ENOSPC.
int cnf_uses_add_ct(struct cnf_uses *uses, const struct table_of_rules *table, const uint8_t *info, size_t size,
                    unsigned int revision);

#endif
