// SPDX-License-Identifier: GPL-3.0-or-later
//
// The BPF floor: a socket filter copies each message into a BPF ring buffer and refuses it, so that nothing is queued;
// the reader wakes by timer, and reads each message's bytes once.

#define _GNU_SOURCE
#include "floors.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <sys/socket.h>

/// A record begins with its message's length. Most messages fit the small one.
#define HEADER 8
#define SMALL 256
#define LARGE 1024

#define CODE(op, dst, src, offset, value)                                                                              \
    ((struct bpf_insn){.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (value)})
#define MOVE(dst, src) CODE(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) CODE(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD(dst, value) CODE(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define JUMP(op, reg, value, off) CODE(BPF_JMP | (op) | BPF_K, reg, 0, off, value)
#define CALL(function) CODE(BPF_JMP | BPF_CALL, 0, 0, 0, function)
#define MAP(reg, fd) CODE(BPF_LD | BPF_DW | BPF_IMM, reg, BPF_PSEUDO_MAP_FD, 0, fd), CODE(0, 0, 0, 0, 0)

/// Reserves a record of `size`, copies the message into it and submits it without waking anybody.
/// r6 context, r7 length, r8 record. 17 slots, of which a full ring skips the last 11.
#define COPY(ring, size)                                                                                               \
    MAP(1, ring), SET(2, size), SET(3, 0), CALL(BPF_FUNC_ringbuf_reserve), JUMP(BPF_JEQ, 0, 0, 11), MOVE(8, 0),        \
        CODE(BPF_STX | BPF_MEM | BPF_DW, 8, 7, 0, 0), MOVE(1, 6), SET(2, 0), MOVE(3, 8), ADD(3, HEADER), MOVE(4, 7),   \
        CALL(BPF_FUNC_skb_load_bytes), MOVE(1, 8), SET(2, BPF_RB_NO_WAKEUP), CALL(BPF_FUNC_ringbuf_submit)

static int load(int ring)
{
    const struct bpf_insn program[] = {
        MOVE(6, 1),
        CODE(BPF_LDX | BPF_MEM | BPF_W, 7, 1, offsetof(struct __sk_buff, len), 0),
        JUMP(BPF_JEQ, 7, 0, 37),
        JUMP(BPF_JGT, 7, LARGE - HEADER, 36),
        JUMP(BPF_JGT, 7, SMALL - HEADER, 18),
        COPY(ring, SMALL),
        JUMP(BPF_JA, 0, 0, 17),
        COPY(ring, LARGE),
        SET(0, 0),
        CODE(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
    };

    return bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "floor", "GPL", program, sizeof(program) / sizeof(program[0]),
                         NULL);
}

struct counts {
    uint64_t received, bytes, sum;
};

static int read_record(void *context, void *data, size_t size)
{
    struct counts *counts = context;
    const uint64_t *record = data;
    const uint64_t words = (record[0] + 7) / 8;

    (void)size;
    for (uint64_t i = 1; i <= words; i++)
        counts->sum += record[i];
    counts->received++;
    counts->bytes += record[0];
    return 0;
}

int run_bpf(const struct options *options)
{
    const uint64_t short_ns = options->tick * 1000;
    uint64_t tick = short_ns;
    struct counts counts = {0};
    struct ring_buffer *ring = NULL;
    const int fd = open_socket(0);
    const int map = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "floor", 0, 0, (uint32_t)options->ring, NULL);

    if (fd >= 0 && map >= 0)
        ring = ring_buffer__new(map, read_record, &counts, NULL);
    if (ring == NULL)
        return failed("BPF ring");
    const int program = load(map);
    if (program < 0 || setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)) != 0)
        return failed("BPF program");
    if (join_groups(fd, options->groups) != 0)
        return failed("bpf");
    while (!stopping()) {
        tick = next_tick(tick, short_ns, ring_buffer__consume(ring) > 0);
        sleep_ns(tick, -1);
    }
    ring_buffer__consume(ring);
    printf("received=%lu bytes=%lu sum=%lx\n", counts.received, counts.bytes, counts.sum);
    return 0;
}
