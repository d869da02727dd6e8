// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>

struct nfct_labelmap;

/// As cnf_text, with flags of NFCT_OF_* and, where `labels` is not NULL, the names of labels.
int cnf_library_text(const void *message, size_t length, unsigned int flags, struct nfct_labelmap *labels, char *out,
                     size_t capacity);

#endif
