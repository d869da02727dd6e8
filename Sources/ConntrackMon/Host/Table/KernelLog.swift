// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import Glibc

/// /dev/kmsg, read from now on for the kernel's own "table full" line. Where it may not be read there is none.
struct KernelLog: ~Copyable {
    private let descriptor: Int32
    private let namespace: UInt64?

    /// nil when this process may not read the kernel's log (needs CAP_SYSLOG where dmesg_restrict is set).
    init?(device: String = "/dev/kmsg") {
        let opened = open(device, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        lseek(opened, 0, SEEK_END)
        descriptor = opened
        namespace = NetworkNamespace.current()
    }

    deinit {
        close(descriptor)
    }

    /// What the kernel said about full tables since the last call.
    mutating func take() -> TableFullCount {
        var lines = TableFullCount()
        withUnsafeTemporaryAllocation(byteCount: 1024, alignment: 1) { buffer in
            // One record a read. EPIPE: records were overwritten meanwhile; the next read goes on after them.
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count < 0 && (errno == EPIPE || errno == EINTR) { continue }
                guard count > 0 else { return }
                let text = String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
                lines.add(text, namespace: namespace)
            }
        }
        return lines
    }
}

extension TableFullCount {
    /// Counts `record` if it is one. Words: net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc.
    mutating func add(_ record: String, namespace: UInt64?) {
        guard let found = record.firstRange(of: "nf_conntrack: table full") else { return }
        let rest = record[found.upperBound...]
        guard let named = rest.firstRange(of: "in netns ") else {
            unnamed += 1
            return
        }
        let number = rest[named.upperBound...].prefix { $0.isNumber }
        if let namespace, UInt64(number) == namespace { ours += 1 }
    }
}
