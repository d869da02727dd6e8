// SPDX-License-Identifier: GPL-3.0-or-later
//
// The socket filter (BPF_PROG_TYPE_SOCKET_FILTER) that takes events off the socket before they are queued: it counts a
// message by kind, copies it into the BPF ring, and returns 0, "keep nothing". In C it would read:
//
//     if (bpf_skb_load_bytes(skb, 4, &header, 12) != 0) return 0;            // from nlmsg_type to the header's end
//     kind = CNF_DESTROY                          if header.type is CT_DELETE
//            CNF_NEW or CNF_UPDATE, by the flags, if header.type is CT_NEW   // else return 0
//     counts = bpf_map_lookup_elem(&counts_map, &zero);
//     atomic_add(&counts->sent[kind], 1);
//     if (skb->len > FILTER_LARGE) { atomic_add(&counts->truncated[kind], 1); return 0; }
//     record = bpf_ringbuf_reserve(&ring, the smallest record that holds skb->len, 0);
//     if (record == NULL) { atomic_add(&counts->overrun[kind], 1); return 0; }
//     bpf_skb_load_bytes(skb, 0, record, skb->len);
//     wake = counts->sent[kind] % LOOK_EVERY == 0 && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >= half;
//     bpf_ringbuf_submit(record, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
//     return 0;
//
// The counters are per CPU and yet added to atomically: a packet's softirq may interrupt the filter half way through an
// addition for a process's event, and run it again on the same CPU.

#include "filter.h"

#include "CNetfilter.h"

#include <linux/bpf.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>

/// How many messages of a kind a CPU sends between two looks at how full the ring is; a power of two. To look costs the
/// sender 10 ns, and while the ring is more than half full each look wakes the reader.
#define LOOK_EVERY 64

enum label { COUNT, CREATED, MEDIUM, LARGE, COPY, SUBMIT, FULL, TOO_LONG, OUT, LABELS };

struct assembly {
    struct bpf_insn *program;
    size_t length;
    size_t place[LABELS];
};

static void put(struct assembly *code, uint8_t opcode, uint8_t to, uint8_t from, int16_t offset, int32_t immediate)
{
    code->program[code->length++] =
        (struct bpf_insn){.code = opcode, .dst_reg = to & 0xf, .src_reg = from & 0xf, .off = offset, .imm = immediate};
}

static void label(struct assembly *code, enum label name)
{
    code->place[name] = code->length;
}

static void move(struct assembly *code, uint8_t to, uint8_t from)
{
    put(code, BPF_ALU64 | BPF_MOV | BPF_X, to, from, 0, 0);
}

static void set(struct assembly *code, uint8_t to, int32_t value)
{
    put(code, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

static void add(struct assembly *code, uint8_t to, int32_t value)
{
    put(code, BPF_ALU64 | BPF_ADD | BPF_K, to, 0, 0, value);
}

static void load(struct assembly *code, uint8_t size, uint8_t to, uint8_t from, int16_t offset)
{
    put(code, BPF_LDX | BPF_MEM | size, to, from, offset, 0);
}

static void load_map(struct assembly *code, uint8_t to, int map)
{
    put(code, BPF_LD | BPF_DW | BPF_IMM, to, BPF_PSEUDO_MAP_FD, 0, map);
    put(code, 0, 0, 0, 0, 0);
}

static void call(struct assembly *code, int32_t helper)
{
    put(code, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

/// Jumps carry the label until `cnf_filter_make` knows where it is.
static void jump_if(struct assembly *code, uint8_t condition, uint8_t value, int32_t other, enum label target)
{
    put(code, BPF_JMP | condition | BPF_K, value, 0, (int16_t)target, other);
}

static void jump(struct assembly *code, enum label target)
{
    put(code, BPF_JMP | BPF_JA, 0, 0, (int16_t)target, 0);
}

static void increment(struct assembly *code, uint8_t pointer, int16_t offset)
{
    set(code, BPF_REG_1, 1);
    put(code, BPF_STX | BPF_ATOMIC | BPF_DW, pointer, BPF_REG_1, offset, BPF_ADD);
}

static void resolve(struct assembly *code)
{
    for (size_t i = 0; i < code->length; i++) {
        struct bpf_insn *insn = &code->program[i];
        const uint8_t operation = BPF_OP(insn->code);

        if (BPF_CLASS(insn->code) == BPF_JMP && operation != BPF_CALL && operation != BPF_EXIT)
            insn->off = (int16_t)(code->place[insn->off] - i - 1);
    }
}

/// On the stack: the header from its type on; then, in its place, the map's key, and how many messages since the last look
/// at the ring.
#define HEADER (-12)
#define PHASE (-16)
#define KEY (-4)

#define CONTEXT BPF_REG_6
#define KIND BPF_REG_7 ///< the offset of this kind's first counter; LENGTH in its place once COUNTS has it
#define LENGTH BPF_REG_7
#define COUNTS BPF_REG_8 ///< this kind's first counter
#define RECORD BPF_REG_9

/// Of this kind's first counter, where another one of it is.
#define OF_KIND(counter) ((int16_t)(offsetof(struct filter_counts, counter) - offsetof(struct filter_counts, sent)))

/// KIND = where its counters are; leaves when the message is no event, or has no whole header: the socket's reader, too,
/// takes such for nothing.
static void classify(struct assembly *code)
{
    const int32_t created = NLM_F_CREATE | NLM_F_EXCL;

    move(code, CONTEXT, BPF_REG_1);
    set(code, BPF_REG_2, offsetof(struct nlmsghdr, nlmsg_type));
    move(code, BPF_REG_3, BPF_REG_10);
    add(code, BPF_REG_3, HEADER);
    set(code, BPF_REG_4, -HEADER);
    call(code, BPF_FUNC_skb_load_bytes);
    jump_if(code, BPF_JNE, BPF_REG_0, 0, OUT);
    load(code, BPF_H, BPF_REG_1, BPF_REG_10, HEADER);
    load(code, BPF_H, BPF_REG_2, BPF_REG_10, HEADER + 2);

    jump_if(code, BPF_JEQ, BPF_REG_1, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, CREATED);
    jump_if(code, BPF_JNE, BPF_REG_1, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, OUT);
    set(code, KIND, offsetof(struct filter_counts, sent[CNF_DESTROY]));
    jump(code, COUNT);

    label(code, CREATED);
    set(code, KIND, offsetof(struct filter_counts, sent[CNF_UPDATE]));
    put(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, created);
    jump_if(code, BPF_JNE, BPF_REG_2, created, COUNT);
    set(code, KIND, offsetof(struct filter_counts, sent[CNF_NEW]));
}

static void count(struct assembly *code, int counts_map)
{
    label(code, COUNT);
    put(code, BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, KEY, 0);
    load_map(code, BPF_REG_1, counts_map);
    move(code, BPF_REG_2, BPF_REG_10);
    add(code, BPF_REG_2, KEY);
    call(code, BPF_FUNC_map_lookup_elem);
    jump_if(code, BPF_JEQ, BPF_REG_0, 0, OUT);
    move(code, COUNTS, BPF_REG_0);
    put(code, BPF_ALU64 | BPF_ADD | BPF_X, COUNTS, KIND, 0, 0);
    increment(code, COUNTS, OF_KIND(sent));
    // Nobody else reads this value, so that one more or less does not matter.
    load(code, BPF_DW, BPF_REG_1, COUNTS, OF_KIND(sent));
    put(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_1, 0, 0, LOOK_EVERY - 1);
    put(code, BPF_STX | BPF_MEM | BPF_DW, BPF_REG_10, BPF_REG_1, PHASE, 0);
}

static void reserve(struct assembly *code, int ring_map, int32_t size)
{
    load_map(code, BPF_REG_1, ring_map);
    set(code, BPF_REG_2, size);
    set(code, BPF_REG_3, 0);
    call(code, BPF_FUNC_ringbuf_reserve);
    jump_if(code, BPF_JEQ, BPF_REG_0, 0, FULL);
    move(code, RECORD, BPF_REG_0);
}

/// r9 = a record that holds the message.
static void reserve_smallest(struct assembly *code, int ring_map)
{
    load(code, BPF_W, LENGTH, CONTEXT, offsetof(struct __sk_buff, len));
    // None is shorter, but the verifier wants to see that no copy is empty.
    jump_if(code, BPF_JLT, LENGTH, sizeof(struct nlmsghdr), OUT);
    jump_if(code, BPF_JGT, LENGTH, FILTER_SMALL, MEDIUM);
    reserve(code, ring_map, FILTER_SMALL);
    jump(code, COPY);
    label(code, MEDIUM);
    jump_if(code, BPF_JGT, LENGTH, FILTER_MEDIUM, LARGE);
    reserve(code, ring_map, FILTER_MEDIUM);
    jump(code, COPY);
    label(code, LARGE);
    jump_if(code, BPF_JGT, LENGTH, FILTER_LARGE, TOO_LONG);
    reserve(code, ring_map, FILTER_LARGE);
}

/// A copy that failed would leave zeros, which decode as broken and are counted as that.
static void copy_and_submit(struct assembly *code, int ring_map, int32_t half)
{
    label(code, COPY);
    move(code, BPF_REG_1, CONTEXT);
    set(code, BPF_REG_2, 0);
    move(code, BPF_REG_3, RECORD);
    move(code, BPF_REG_4, LENGTH);
    call(code, BPF_FUNC_skb_load_bytes);

    set(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
    load(code, BPF_DW, BPF_REG_1, BPF_REG_10, PHASE);
    jump_if(code, BPF_JNE, BPF_REG_1, 0, SUBMIT);
    load_map(code, BPF_REG_1, ring_map);
    set(code, BPF_REG_2, BPF_RB_AVAIL_DATA);
    call(code, BPF_FUNC_ringbuf_query);
    set(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
    jump_if(code, BPF_JLT, BPF_REG_0, half, SUBMIT);
    set(code, BPF_REG_2, BPF_RB_FORCE_WAKEUP);
    label(code, SUBMIT);
    move(code, BPF_REG_1, RECORD);
    call(code, BPF_FUNC_ringbuf_submit);
}

size_t cnf_filter_make(int counts_map, int ring_map, int32_t half, struct bpf_insn *program)
{
    struct assembly code = {.program = program};

    classify(&code);
    count(&code, counts_map);
    reserve_smallest(&code, ring_map);
    copy_and_submit(&code, ring_map, half);
    jump(&code, OUT);
    label(&code, FULL);
    increment(&code, COUNTS, OF_KIND(overrun));
    jump(&code, OUT);
    label(&code, TOO_LONG);
    increment(&code, COUNTS, OF_KIND(truncated));
    label(&code, OUT);
    set(&code, BPF_REG_0, 0);
    put(&code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    resolve(&code);
    return code.length;
}
