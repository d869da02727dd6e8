// SPDX-License-Identifier: GPL-3.0-or-later
//
// What both ways of reading events share: a message becomes a record in the next free slot, and is counted.

#ifndef SLOTS_H
#define SLOTS_H

#include "CNetfilter.h"

#include <stdbool.h>
#include <string.h>

struct slots {
    union cnf_record *first;
    size_t count, used;
    struct cnf_event nowhere; ///< where a message is decoded to when no slot is free
    cnf_tap *tap;             ///< NULL = nobody wants to see the messages
    void *context;            ///< the tap's
};

static inline void cnf_place(const void *message, size_t length, uint64_t time_ns, struct slots *slots,
                             struct cnf_tally *tally)
{
    const bool free_slot = slots->used < slots->count;
    struct cnf_event *const event = free_slot ? &slots->first[slots->used].event : &slots->nowhere;
    const int decoded = cnf_decode(message, length, time_ns, event);

    if (decoded < 0) {
        tally->malformed++;
    } else if (decoded > 0 && free_slot) {
        tally->events++;
        tally->by_kind[event->kind]++;
        slots->used++;
        if (__builtin_expect(slots->tap != NULL, 0)) {
            uint32_t own; // others may follow in the datagram
            memcpy(&own, message, sizeof(own));
            slots->tap(slots->context, message, own, event);
        }
    } else if (decoded > 0) {
        tally->dropped++;
    }
}

#endif
