// SPDX-License-Identifier: GPL-3.0-or-later
//
// The socket filter (BPF_PROG_TYPE_SOCKET_FILTER) that takes events off the socket before they are queued: it counts a
// message by kind, copies it into the BPF ring, and returns 0, "keep nothing". In C it would read:
//
//     if (bpf_skb_load_bytes(skb, 4, &header, 12) != 0) return 0;            // from nlmsg_type to the header's end
//     kind = CNF_DESTROY                          if header.type is CT_DELETE
//            CNF_NEW or CNF_UPDATE, by the flags, if header.type is CT_NEW   // else return 0
//     if (a family is asked for && nfgen_family is another) return 0;        // and so for the protocol, where it lies
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
#include "attributes.h"

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

/// How many messages of a kind a CPU sends between two looks at how full the ring is; a power of two. To look costs the
/// sender 10 ns, and while the ring is more than half full each look wakes the reader.
#define LOOK_EVERY 64

enum label { COUNT, GLANCE, SIXTH, CREATED, MEDIUM, LARGE, COPY, WAKE, SUBMIT, FULL, TOO_LONG, OUT, LABELS };

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
    jump(code, GLANCE);

    label(code, CREATED);
    set(code, KIND, offsetof(struct filter_counts, sent[CNF_UPDATE]));
    put(code, BPF_ALU64 | BPF_AND | BPF_K, BPF_REG_2, 0, 0, created);
    jump_if(code, BPF_JNE, BPF_REG_2, created, GLANCE);
    set(code, KIND, offsetof(struct filter_counts, sent[CNF_NEW]));
}

// MARK: What is seen at a glance

/// Where nfgen_family is, and in the tuple that every kernel writes first (tuple.h) the header of CTA_PROTO_NUM.
#define FAMILY_AT NLMSG_HDRLEN
#define NUMBER_AT(address) (NLMSG_HDRLEN + sizeof(struct nfgenmsg) + NLA_HDRLEN + ROOM(2 * ROOM(address)) + NLA_HDRLEN)

/// Reads `size` bytes at `offset` of the message to HEADER on the stack; leaves for `otherwise` where there are fewer.
static void load_bytes(struct assembly *code, int32_t offset, int32_t size, enum label otherwise)
{
    move(code, BPF_REG_1, CONTEXT);
    set(code, BPF_REG_2, offset);
    move(code, BPF_REG_3, BPF_REG_10);
    add(code, BPF_REG_3, HEADER);
    set(code, BPF_REG_4, size);
    call(code, BPF_FUNC_skb_load_bytes);
    jump_if(code, BPF_JNE, BPF_REG_0, 0, otherwise);
}

/// Leaves where CTA_PROTO_NUM is in its place and another one; where it is not, whoever reads the whole message looks.
static void look_at_protocol(struct assembly *code, int32_t offset, int protocol)
{
    const struct nlattr number = {.nla_len = NLA_HDRLEN + 1, .nla_type = CTA_PROTO_NUM};
    int32_t header;

    memcpy(&header, &number, sizeof(header));
    load_bytes(code, offset, NLA_HDRLEN + 1, COUNT);
    load(code, BPF_W, BPF_REG_1, BPF_REG_10, HEADER);
    jump_if(code, BPF_JNE, BPF_REG_1, header, COUNT);
    load(code, BPF_B, BPF_REG_1, BPF_REG_10, HEADER + NLA_HDRLEN);
    jump_if(code, BPF_JNE, BPF_REG_1, protocol, OUT);
}

static void look(struct assembly *code, struct glance glance)
{
    label(code, GLANCE);
    if (glance.family < 0 && glance.protocol < 0)
        return;
    load_bytes(code, FAMILY_AT, 1, COUNT);
    load(code, BPF_B, BPF_REG_1, BPF_REG_10, HEADER);
    if (glance.family >= 0)
        jump_if(code, BPF_JNE, BPF_REG_1, glance.family, OUT);
    if (glance.protocol < 0)
        return;
    jump_if(code, BPF_JEQ, BPF_REG_1, AF_INET6, SIXTH);
    look_at_protocol(code, NUMBER_AT(4), glance.protocol);
    jump(code, COUNT);
    label(code, SIXTH);
    look_at_protocol(code, NUMBER_AT(16), glance.protocol);
}

struct glance cnf_glance(const struct cnf_filter *filter)
{
    struct glance glance = {.family = filter->family == 0 ? -1 : filter->family, .protocol = -1, .hurries = 0};
    int wanted = 0;

    if ((filter->given & CNF_BY_PROTOCOL) == 0)
        return glance;
    for (int protocol = 0; protocol < 256; protocol++) {
        if ((filter->protocols[protocol / 32] >> protocol % 32 & 1) == 0)
            continue;
        wanted++;
        glance.protocol = protocol;
    }
    if (wanted != 1)
        glance.protocol = -1;
    return glance;
}

static struct sock_filter classic(uint16_t opcode, uint8_t if_true, uint8_t if_false, uint32_t value)
{
    return (struct sock_filter){.code = opcode, .jt = if_true, .jf = if_false, .k = value};
}

/// As `look`: a message that is too short for a load is dropped, which no event is.
size_t cnf_filter_make_classic(struct glance glance, struct sock_filter *program)
{
    const struct nlattr header = {.nla_len = NLA_HDRLEN + 1, .nla_type = CTA_PROTO_NUM};
    uint32_t number;
    size_t length = 0;

    memcpy(&number, &header, sizeof(number));
    number = be32toh(number); // as this language loads a word
    if (glance.family >= 0) {
        program[length++] = classic(BPF_LD | BPF_B | BPF_ABS, 0, 0, FAMILY_AT);
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)glance.family);
        program[length++] = classic(BPF_RET | BPF_K, 0, 0, 0);
    }
    if (glance.protocol >= 0) {
        program[length++] = classic(BPF_LD | BPF_B | BPF_ABS, 0, 0, FAMILY_AT);
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 4, 0, AF_INET6);
        program[length++] = classic(BPF_LD | BPF_W | BPF_ABS, 0, 0, NUMBER_AT(4));
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 0, 7, number);
        program[length++] = classic(BPF_LD | BPF_B | BPF_ABS, 0, 0, NUMBER_AT(4) + NLA_HDRLEN);
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 5, 4, (uint32_t)glance.protocol);
        program[length++] = classic(BPF_LD | BPF_W | BPF_ABS, 0, 0, NUMBER_AT(16));
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, number);
        program[length++] = classic(BPF_LD | BPF_B | BPF_ABS, 0, 0, NUMBER_AT(16) + NLA_HDRLEN);
        program[length++] = classic(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, (uint32_t)glance.protocol);
        program[length++] = classic(BPF_RET | BPF_K, 0, 0, 0);
    }
    if (length > 0)
        program[length++] = classic(BPF_RET | BPF_K, 0, 0, UINT32_MAX);
    return length;
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
static void copy_and_submit(struct assembly *code, int ring_map, int32_t half, bool hurries)
{
    label(code, COPY);
    move(code, BPF_REG_1, CONTEXT);
    set(code, BPF_REG_2, 0);
    move(code, BPF_REG_3, RECORD);
    move(code, BPF_REG_4, LENGTH);
    call(code, BPF_FUNC_skb_load_bytes);

    if (hurries) {
        load(code, BPF_W, BPF_REG_1, RECORD, offsetof(struct nlmsghdr, nlmsg_pid));
        jump_if(code, BPF_JNE, BPF_REG_1, 0, WAKE);
    }
    set(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
    load(code, BPF_DW, BPF_REG_1, BPF_REG_10, PHASE);
    jump_if(code, BPF_JNE, BPF_REG_1, 0, SUBMIT);
    load_map(code, BPF_REG_1, ring_map);
    set(code, BPF_REG_2, BPF_RB_AVAIL_DATA);
    call(code, BPF_FUNC_ringbuf_query);
    set(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
    jump_if(code, BPF_JLT, BPF_REG_0, half, SUBMIT);
    label(code, WAKE);
    set(code, BPF_REG_2, BPF_RB_FORCE_WAKEUP);
    label(code, SUBMIT);
    move(code, BPF_REG_1, RECORD);
    call(code, BPF_FUNC_ringbuf_submit);
}

size_t cnf_filter_make(int counts_map, int ring_map, int32_t half, struct glance glance, struct bpf_insn *program)
{
    struct assembly code = {.program = program};

    classify(&code);
    look(&code, glance);
    count(&code, counts_map);
    reserve_smallest(&code, ring_map);
    copy_and_submit(&code, ring_map, half, glance.hurries != 0);
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
