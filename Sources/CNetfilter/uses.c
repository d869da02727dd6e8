// SPDX-License-Identifier: GPL-3.0-or-later
//
// Counts of what rules use. A ruleset of any size uses few kinds of things; a hash finds the one that is counted.

#include "uses.h"

#include <stdlib.h>
#include <string.h>

#define MOST_USES 1024
#define SLOTS (2 * MOST_USES)
#define HELPER_AT 12 ///< in struct xt_ct_target_info, all revisions
#define HELPER_SIZE 16
#define TIMEOUT_AT 28 ///< from revision 1 on
#define TIMEOUT_SIZE 32

struct cnf_uses {
    size_t count;
    uint16_t slots[SLOTS]; ///< index + 1 into `uses`; 0 = free
    struct cnf_use uses[MOST_USES];
};

int cnf_uses_make(struct cnf_uses **out)
{
    struct cnf_uses *uses = calloc(1, sizeof(*uses));

    if (uses == NULL)
        return -ENOMEM;
    *out = uses;
    return 0;
}

void cnf_uses_free(struct cnf_uses *uses)
{
    free(uses);
}

size_t cnf_uses_count(const struct cnf_uses *uses)
{
    return uses->count;
}

const struct cnf_use *cnf_uses_at(const struct cnf_uses *uses, size_t index)
{
    return index < uses->count ? &uses->uses[index] : NULL;
}

/// FNV-1a over all that tells one use from another.
static uint32_t hash_of(const struct cnf_use *use)
{
    const uint8_t *const bytes = (const uint8_t *)use;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < offsetof(struct cnf_use, count); i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash;
}

static void copy_name(char *out, size_t room, const char *name, size_t capacity)
{
    const size_t length = strnlen(name, capacity);

    memcpy(out, name, length < room ? length : room - 1);
}

int cnf_uses_add(struct cnf_uses *uses, const struct table_of_rules *table, enum cnf_use_kind kind, const char *name,
                 size_t capacity, uint32_t count)
{
    struct cnf_use use;

    memset(&use, 0, sizeof(use));
    use.family = table->family;
    use.is_nft = table->is_nft;
    use.kind = (uint8_t)kind;
    copy_name(use.table, sizeof(use.table), table->name, table->length);
    copy_name(use.name, sizeof(use.name), name, capacity);
    for (uint32_t slot = hash_of(&use) % SLOTS;; slot = (slot + 1) % SLOTS) {
        const uint16_t found = uses->slots[slot];

        if (found == 0 && uses->count == MOST_USES)
            return -ENOSPC;
        if (found == 0) {
            use.count = count;
            uses->uses[uses->count++] = use;
            uses->slots[slot] = (uint16_t)uses->count;
            return 0;
        }
        if (memcmp(&uses->uses[found - 1], &use, offsetof(struct cnf_use, count)) == 0) {
            uses->uses[found - 1].count += count;
            return 0;
        }
    }
}

int cnf_uses_add_ct(struct cnf_uses *uses, const struct table_of_rules *table, const uint8_t *info, size_t size,
                    unsigned int revision)
{
    int error = 0;

    if (size >= HELPER_AT + HELPER_SIZE && info[HELPER_AT] != 0)
        error = cnf_uses_add(uses, table, CNF_USE_HELPER, (const char *)info + HELPER_AT, HELPER_SIZE, 1);
    if (error == 0 && revision >= 1 && size >= TIMEOUT_AT + TIMEOUT_SIZE && info[TIMEOUT_AT] != 0)
        error = cnf_uses_add(uses, table, CNF_USE_TIMEOUT, (const char *)info + TIMEOUT_AT, TIMEOUT_SIZE, 1);
    return error;
}
