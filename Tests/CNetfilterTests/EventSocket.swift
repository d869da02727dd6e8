// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import Glibc
internal import TestKit

/// Owner of a `cnf_events` for a test.
final class EventSocket: @unchecked Sendable {
    let handle: OpaquePointer

    /// All that `pump` said so far.
    private(set) var tally = cnf_tally()

    /// Opened and joined in the calling thread's namespace; with `ring` bytes of BPF ring, if given.
    init(receiveBuffer: UInt32 = 1 << 20, ring: UInt32? = nil, groups: [cnf_group]) throws {
        var handle: OpaquePointer?
        try SystemError.check("open", cnf_events_open(receiveBuffer, &handle))
        guard let handle else { throw TestKitError("no handle") }
        self.handle = handle
        if let ring { try SystemError.check("attach", cnf_events_attach_ring(handle, ring)) }
        try SystemError.check("join", cnf_events_join(handle, groups.reduce(0) { $0 | $1.rawValue }))
    }

    func join(_ groups: [cnf_group]) throws {
        try SystemError.check("join", cnf_events_join(handle, groups.reduce(0) { $0 | $1.rawValue }))
    }

    func leave(_ groups: [cnf_group]) throws {
        try SystemError.check("leave", cnf_events_leave(handle, groups.reduce(0) { $0 | $1.rawValue }))
    }

    /// Takes `descriptor` over.
    init(adopting descriptor: Int32) throws {
        var handle: OpaquePointer?
        try SystemError.check("adopt", cnf_events_adopt(descriptor, &handle))
        guard let handle else { throw TestKitError("no handle") }
        self.handle = handle
    }

    deinit {
        cnf_events_close(handle)
    }

    /// From now on `seen` sees the messages. It must outlive the pumping.
    func tap(_ seen: Seen?) {
        guard let seen else { return cnf_events_tap(handle, nil, nil) }
        let context = Unmanaged.passUnretained(seen).toOpaque()
        cnf_events_tap(
            handle,
            { context, message, length, event in
                guard let context else { return }
                let seen = Unmanaged<Seen>.fromOpaque(context).takeUnretainedValue()
                seen.messages.append(Array(UnsafeRawBufferPointer(start: message, count: length)))
                seen.ports.append(event.pointee.source_port)
            }, context)
    }

    struct Pumped {
        var result: Int32
        var datagrams: Int
        var events: [cnf_event]
    }

    func pump(slots: Int, time: UInt64 = 0) -> Pumped {
        var records = [cnf_record](repeating: cnf_record(), count: slots)
        var datagrams = -1
        let result = records.withUnsafeMutableBufferPointer {
            cnf_events_pump(handle, slots == 0 ? nil : $0.baseAddress, slots, time, &tally, &datagrams)
        }
        return Pumped(result: result, datagrams: datagrams, events: records.prefix(Int(max(result, 0))).map(\.event))
    }

    /// Pumps until the queue is empty; returns how often the kernel told of an overrun.
    func pumpAll() throws -> Int {
        var overruns = 0
        while true {
            let pumped = pump(slots: 256)
            if pumped.result == -ENOBUFS {
                overruns += 1
            } else if pumped.result < 0 {
                throw SystemError("pump", code: -pumped.result)
            } else if pumped.datagrams == 0 {
                return overruns
            }
        }
    }

    func kernelCounts() throws -> cnf_kernel_counts {
        var counts = cnf_kernel_counts()
        try SystemError.check("counts", cnf_events_kernel_counts(handle, &counts))
        return counts
    }

    func overruns() throws -> UInt32 {
        var count: UInt32 = 0
        try SystemError.check("overruns", cnf_events_overruns(handle, &count))
        return count
    }
}

/// What a tap saw.
final class Seen {
    fileprivate(set) var messages: [[UInt8]] = []
    fileprivate(set) var ports: [UInt16] = []
}

/// A counter a kind, in the order of `cnf_kind`.
func list(_ byKind: (UInt64, UInt64, UInt64)) -> [UInt64] {
    [byKind.0, byKind.1, byKind.2]
}

extension cnf_tally {
    /// Received, and of no use.
    var undecoded: UInt64 { list(truncated).reduce(malformed, +) }
}

/// The other end of a socket that stands in for the kernel's.
final class Feeder {
    let socket: EventSocket
    private let descriptor: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try SystemError.check("pair", ctk_packet_pair(&ends, 1 << 20))
        descriptor = ends[0]
        socket = try EventSocket(adopting: ends[1])
    }

    deinit {
        close(descriptor)
    }

    func send(_ datagram: [UInt8]) throws {
        guard Glibc.send(descriptor, datagram, datagram.count, Int32(MSG_DONTWAIT)) == datagram.count else {
            throw SystemError("send")
        }
    }
}
