// SPDX-License-Identifier: GPL-3.0-or-later
//
// A dump request and its answer, message by message: the one loop that all dumps are read by. The kernel builds the next
// datagram inside the receive call, so that reading is what drives it and nothing piles up; a dump left half read pins
// nf_conntrack_netlink.

#ifndef REQUEST_H
#define REQUEST_H

#include "message.h"

#include <errno.h>

/// The kernel's datagrams grow with the buffer they are received into, up to 32 KiB (net/netlink/af_netlink.c).
#define DUMP_DATAGRAM 32768

struct request {
    int fd;
    uint32_t port, sequence; ///< what an answer must carry
    bool ended;
    bool interrupted; ///< a message carried NLM_F_DUMP_INTR
    size_t at, size;  ///< in `datagram`: the next message, and the end
    uint8_t datagram[DUMP_DATAGRAM] __attribute__((aligned(8)));
};

/// Takes `fd` over, which may be -1; answers are to port 0 with sequence number 1.
void cnf_request_init(struct request *request, int fd);

/// Opens and binds the socket; the kernel is waited for `patience_s` seconds at each receive: it answers within the calls
/// that ask, and waiting at all is a fault. Returns 0 or -errno; the caller closes it either way.
int cnf_request_open(struct request *request, int patience_s);
void cnf_request_close(struct request *request);

/// Asks for a dump: a message type of nfnetlink's, and a family. Returns 0 or -errno.
int cnf_request_dump(struct request *request, uint16_t type, uint8_t family);
/// Likewise, with attributes, which are padded.
int cnf_request_dump_with(struct request *request, uint16_t type, uint8_t family, const void *attributes, size_t size);

/// Receives the next datagram of the kernel's. Returns 0, -ETIMEDOUT, -EMSGSIZE, -EBADMSG or another errno.
int cnf_request_receive(struct request *request);

/// Whether the datagram at hand holds nothing more.
static inline bool is_read(const struct request *request)
{
    return request->at >= request->size;
}

/// The errno value, negative, at the start of NLMSG_ERROR and NLMSG_DONE; 0 when it is not there.
static inline int status_of(const uint8_t *message, const struct nlmsghdr *header)
{
    int status = 0;

    if (header->nlmsg_len >= NLMSG_HDRLEN + sizeof(status))
        memcpy(&status, message + NLMSG_HDRLEN, sizeof(status));
    return status;
}

/// Takes the next message of the datagram at hand, which holds one. Returns 1 when it is one of the answer's and may be
/// read; 0 when it is not, or when it says that the dump has ended; -errno.
static inline int take_answer(struct request *request, const uint8_t **message, struct nlmsghdr *header)
{
    const size_t left = request->size - request->at;

    *message = request->datagram + request->at;
    if (!read_header(*message, left, header))
        return -EBADMSG;
    const size_t room = room_of(header, left);
    if (room == 0)
        return -EBADMSG;
    request->at += room;
    if (header->nlmsg_seq != request->sequence || header->nlmsg_pid != request->port)
        return 0;
    request->interrupted |= (header->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (header->nlmsg_type != NLMSG_DONE && header->nlmsg_type != NLMSG_ERROR)
        return 1;
    request->ended = true;
    return status_of(*message, header);
}

#endif
