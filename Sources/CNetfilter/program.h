// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdint.h>

/// The program that a netlink port belongs to, kept for a second: a flush tells of each entry by the same one.
struct program {
    uint32_t portid; ///< 0 = nothing is kept
    uint64_t until_ns;
    char name[64]; ///< "" = unknown
};

/// Its name as conntrack(8) finds it, NULL when it is unknown: most have ended by then. `now_ns` by any clock.
const char *cnf_program_of(struct program *kept, uint32_t portid, uint64_t now_ns);

#endif
