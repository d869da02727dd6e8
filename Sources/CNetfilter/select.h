// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef SELECT_H
#define SELECT_H

#include "CNetfilter.h"

/// As cnf_decode_entry, of an event's message too.
int cnf_decode_any_entry(const void *message, size_t length, struct cnf_entry *out);

#endif
