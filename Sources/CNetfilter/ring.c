// SPDX-License-Identifier: GPL-3.0-or-later
//
// The BPF ring buffer (BPF_MAP_TYPE_RINGBUF, kernel 5.8) that filter.c fills, and its reader.
//
//   page 0  consumer position, ours to write      page 1  producer position, the kernel's
//   then the data, mapped twice in a row, so that a record which wraps around still lies in one piece
//
// A record is a header, { u32 length | BUSY | DISCARD, u32 }, and its bytes, together a multiple of 8.
//
// libbpf makes the maps and loads the program. It is looked for at run time: a host without it, or with another version
// of it, still reads events from the socket. Reading the ring is ours, since libbpf's reader calls a function a record.

#define _GNU_SOURCE
#include "ring.h"

#include <bpf/bpf.h>
#include <dlfcn.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct cnf_ring {
    int map, counts, epoll;
    uint32_t size;
    uint64_t consumed;
    /// Per CPU, as the kernel hands them out.
    size_t cpus;
    struct filter_counts *per_cpu;
    uint64_t *consumer;       ///< page 0
    const uint64_t *producer; ///< page 1
    const uint8_t *data;
    __typeof__(bpf_map_lookup_elem) *lookup;
};

// MARK: Making it

struct libbpf {
    __typeof__(bpf_map_create) *map_create;
    __typeof__(bpf_prog_load) *prog_load;
    __typeof__(bpf_map_lookup_elem) *lookup;
    int (*possible_cpus)(void);
};

/// Kept open for as long as the process lives, as `lookup` is in it.
static int find_libbpf(struct libbpf *out)
{
    void *library = dlopen("libbpf.so.1", RTLD_NOW | RTLD_LOCAL);

    if (library == NULL)
        return -ELIBACC;
    *(void **)&out->map_create = dlsym(library, "bpf_map_create");
    *(void **)&out->prog_load = dlsym(library, "bpf_prog_load");
    *(void **)&out->lookup = dlsym(library, "bpf_map_lookup_elem");
    *(void **)&out->possible_cpus = dlsym(library, "libbpf_num_possible_cpus");
    const bool whole = out->map_create && out->prog_load && out->lookup && out->possible_cpus;
    return whole ? 0 : -ELIBACC;
}

static uint32_t ring_size_for(uint32_t bytes)
{
    uint32_t size = (uint32_t)getpagesize();

    while (size < bytes && size < 1u << 30)
        size *= 2;
    return size;
}

static int make_maps(struct cnf_ring *ring, const struct libbpf *libbpf)
{
    const int cpus = libbpf->possible_cpus();

    if (cpus <= 0)
        return -ENODEV;
    ring->cpus = (size_t)cpus;
    ring->per_cpu = calloc(ring->cpus, sizeof(*ring->per_cpu));
    if (ring->per_cpu == NULL)
        return -ENOMEM;
    ring->map = libbpf->map_create(BPF_MAP_TYPE_RINGBUF, "conntrack_mon", 0, 0, ring->size, NULL);
    if (ring->map < 0)
        return -errno;
    ring->counts = libbpf->map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "conntrack_mon", sizeof(uint32_t),
                                      sizeof(struct filter_counts), 1, NULL);
    return ring->counts < 0 ? -errno : 0;
}

static int map_memory(struct cnf_ring *ring)
{
    const size_t page = (size_t)getpagesize();
    void *const consumer = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, ring->map, 0);

    if (consumer == MAP_FAILED)
        return -errno;
    ring->consumer = consumer;
    void *const producer = mmap(NULL, page + 2 * (size_t)ring->size, PROT_READ, MAP_SHARED, ring->map, (off_t)page);
    if (producer == MAP_FAILED)
        return -errno;
    ring->producer = producer;
    ring->data = (const uint8_t *)producer + page;
    return 0;
}

/// poll(2) on the ring itself says at once that data waits; edge-triggered, only a wake-up by the filter counts.
static int watch_wakeups(struct cnf_ring *ring)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};

    ring->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (ring->epoll < 0)
        return -errno;
    return epoll_ctl(ring->epoll, EPOLL_CTL_ADD, ring->map, &event) == 0 ? 0 : -errno;
}

static int attach(struct cnf_ring *ring, const struct libbpf *libbpf, struct glance glance, int socket)
{
    struct bpf_insn program[FILTER_LENGTH];
    const size_t length = cnf_filter_make(ring->counts, ring->map, (int32_t)(ring->size / 2), glance, program);
    const int loaded = libbpf->prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "conntrack_mon", "GPL", program, length, NULL);

    if (loaded < 0)
        return -errno;
    const int error = setsockopt(socket, SOL_SOCKET, SO_ATTACH_BPF, &loaded, sizeof(loaded)) == 0 ? 0 : -errno;
    close(loaded); // the socket keeps it
    return error;
}

int cnf_ring_open(int socket, uint32_t bytes, struct glance glance, struct cnf_ring **out)
{
    struct cnf_ring *ring = calloc(1, sizeof(*ring));
    struct libbpf libbpf = {0};

    if (ring == NULL)
        return -ENOMEM;
    ring->map = ring->counts = ring->epoll = -1;
    ring->size = ring_size_for(bytes);
    int error = find_libbpf(&libbpf);
    ring->lookup = libbpf.lookup;
    if (error == 0)
        error = make_maps(ring, &libbpf);
    if (error == 0)
        error = map_memory(ring);
    if (error == 0)
        error = watch_wakeups(ring);
    if (error == 0)
        error = attach(ring, &libbpf, glance, socket);
    if (error == 0)
        *out = ring;
    else
        cnf_ring_close(ring);
    return error;
}

void cnf_ring_close(struct cnf_ring *ring)
{
    const size_t page = (size_t)getpagesize();

    if (ring == NULL)
        return;
    if (ring->consumer != NULL)
        munmap(ring->consumer, page);
    if (ring->producer != NULL)
        munmap((void *)(uintptr_t)ring->producer, page + 2 * (size_t)ring->size);
    if (ring->epoll >= 0)
        close(ring->epoll);
    if (ring->counts >= 0)
        close(ring->counts);
    if (ring->map >= 0)
        close(ring->map);
    free(ring->per_cpu);
    free(ring);
}

int cnf_ring_descriptor(const struct cnf_ring *ring)
{
    return ring->epoll;
}

void cnf_ring_silence(const struct cnf_ring *ring)
{
    struct epoll_event event;

    epoll_wait(ring->epoll, &event, 1, 0);
}

uint32_t cnf_ring_size(const struct cnf_ring *ring)
{
    return ring->size;
}

// MARK: Reading it

size_t cnf_ring_pump(struct cnf_ring *ring, size_t most, uint64_t time_ns, struct slots *slots, struct cnf_tally *tally)
{
    const uint64_t produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
    size_t taken = 0;

    while (ring->consumed < produced && taken < most) {
        const uint8_t *const record = ring->data + (ring->consumed & (ring->size - 1));
        const uint32_t header = __atomic_load_n((const uint32_t *)(const void *)record, __ATOMIC_ACQUIRE);
        const uint32_t length = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

        if ((header & BPF_RINGBUF_BUSY_BIT) != 0)
            break; // reserved, and still being written on another CPU
        cnf_place(record + BPF_RINGBUF_HDR_SZ, length, time_ns, slots, tally);
        ring->consumed += (BPF_RINGBUF_HDR_SZ + length + 7) & ~7u;
        taken++;
    }
    if (taken > 0)
        __atomic_store_n(ring->consumer, ring->consumed, __ATOMIC_RELEASE);
    return taken;
}

int cnf_ring_counts(const struct cnf_ring *ring, struct cnf_kernel_counts *out)
{
    const uint32_t zero = 0;

    if (ring->lookup(ring->counts, &zero, ring->per_cpu) != 0)
        return -errno;
    memset(out, 0, sizeof(*out));
    for (size_t cpu = 0; cpu < ring->cpus; cpu++) {
        for (size_t kind = 0; kind < CNF_EVENT_KINDS; kind++) {
            out->sent[kind] += ring->per_cpu[cpu].sent[kind];
            out->overrun[kind] += ring->per_cpu[cpu].overrun[kind];
            out->truncated[kind] += ring->per_cpu[cpu].truncated[kind];
        }
    }
    return 0;
}
