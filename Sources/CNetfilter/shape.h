// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef SHAPE_H
#define SHAPE_H

#include <stdbool.h>
#include <stddef.h>

/// Whether the attributes of an entry's message have the sizes that libnetfilter_conntrack takes for granted.
bool cnf_shape_is_known(const void *attributes, size_t size);

#endif
