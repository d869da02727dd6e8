// SPDX-License-Identifier: GPL-3.0-or-later

#ifndef RING_H
#define RING_H

#include "filter.h"
#include "slots.h"

/// A BPF ring buffer that a filter fills, mapped. Its bytes are the kernel's: they may change while the filter writes.
struct cnf_ring;

/// See cnf_events_attach_ring. `glance`: what else the filter keeps out.
int cnf_ring_open(int socket, uint32_t bytes, struct glance glance, struct cnf_ring **out);
void cnf_ring_close(struct cnf_ring *ring);
int cnf_ring_descriptor(const struct cnf_ring *ring);
void cnf_ring_silence(const struct cnf_ring *ring);
uint32_t cnf_ring_size(const struct cnf_ring *ring);

/// Decodes up to `most` messages into `slots`. Returns how many there were.
size_t cnf_ring_pump(struct cnf_ring *ring, size_t most, uint64_t time_ns, struct slots *slots,
                     struct cnf_tally *tally);
int cnf_ring_counts(const struct cnf_ring *ring, struct cnf_kernel_counts *out);

#endif
