// SPDX-License-Identifier: GPL-3.0-or-later
//
// One dump of the table: asked for once, received a datagram at a time, decoded a batch at a time.

#include "CNetfilter.h"
#include "request.h"

#include <stdlib.h>

#define PATIENCE_S 5

struct cnf_dump {
    struct request request;
};

/// Takes `fd` over, which may be -1; NULL when there is no memory for it.
static struct cnf_dump *dump_of(int fd)
{
    struct cnf_dump *dump = malloc(sizeof(*dump));

    if (dump != NULL)
        cnf_request_init(&dump->request, fd);
    return dump;
}

int cnf_dump_adopt(int fd, struct cnf_dump **out)
{
    struct cnf_dump *dump = dump_of(fd);

    if (dump == NULL)
        return -ENOMEM;
    *out = dump;
    return 0;
}

int cnf_dump_open(uint8_t family, struct cnf_dump **out)
{
    struct cnf_dump *dump = dump_of(-1);

    if (dump == NULL)
        return -ENOMEM;
    int error = cnf_request_open(&dump->request, PATIENCE_S);
    if (error == 0)
        error = cnf_request_dump(&dump->request, CONNTRACK_TYPE(IPCTNL_MSG_CT_GET), family);
    if (error != 0) {
        cnf_dump_close(dump);
        return error;
    }
    *out = dump;
    return 0;
}

void cnf_dump_close(struct cnf_dump *dump)
{
    if (dump == NULL)
        return;
    cnf_request_close(&dump->request);
    free(dump);
}

/// Takes the message that `request` stands at. Returns 1 when it filled `out`, 0 when not, -errno.
static int take_entry(struct request *request, struct cnf_entry *out, struct cnf_dump_tally *tally)
{
    const uint8_t *message;
    struct nlmsghdr header;
    const int taken = take_answer(request, &message, &header);

    tally->interrupted |= request->interrupted;
    if (taken <= 0)
        return taken;
    const int decoded = cnf_decode_entry(message, header.nlmsg_len, out);
    tally->entries += decoded > 0;
    tally->malformed += decoded < 0;
    return decoded > 0;
}

int cnf_dump_next(struct cnf_dump *dump, struct cnf_entry *entries, size_t capacity, struct cnf_dump_tally *tally)
{
    struct request *const request = &dump->request;
    size_t filled = 0;

    while (filled == 0 && !request->ended) {
        if (is_read(request)) {
            const int error = cnf_request_receive(request);
            if (error != 0)
                return error;
        }
        // What one datagram gives is handed on while it is in the cache.
        while (filled < capacity && !is_read(request) && !request->ended) {
            const int taken = take_entry(request, &entries[filled], tally);
            if (taken < 0)
                return taken;
            filled += (size_t)taken;
        }
    }
    return (int)filled;
}
