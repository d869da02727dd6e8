// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
internal import CTestKit
internal import Glibc
internal import TestKit
internal import Testing

/// What the kernel says of modules: `add@/module/nf_conntrack`, NUL, `ACTION=add`, NUL, ...
@Suite struct UeventTests {
    private static let added = uevent("add", "nf_conntrack")
    private static let none = Int32(CNF_MODULE_NONE.rawValue)

    private static func uevent(_ action: String, _ name: String) -> [UInt8] {
        let lines = [
            "\(action)@/module/\(name)", "ACTION=\(action)", "DEVPATH=/module/\(name)", "SUBSYSTEM=module",
            "SEQNUM=2117",
        ]
        return Array(lines.map { $0 + "\0" }.joined().utf8)
    }

    /// Reads a copy that ends right before a forbidden page.
    private func change(_ bytes: [UInt8], name: String = "nf_conntrack") -> Int32 {
        let copy = ctk_guarded_copy(bytes, bytes.count)
        defer { ctk_guarded_free(copy, bytes.count) }
        return copy.map { cnf_uevent($0, bytes.count, name) } ?? -ENOMEM
    }

    @Test(
        arguments: [
            ("add@/module/nf_conntrack", CNF_MODULE_ADDED), ("remove@/module/nf_conntrack", CNF_MODULE_REMOVED),
            ("add@/module/nf_conntrack_netlink", CNF_MODULE_NONE), ("add@/module/nf_conntrac", CNF_MODULE_NONE),
            ("add@/module/", CNF_MODULE_NONE), ("change@/module/nf_conntrack", CNF_MODULE_NONE),
            ("add@/module/nf_conntrack/holders", CNF_MODULE_NONE), ("add@/devices/nf_conntrack", CNF_MODULE_NONE),
            ("xadd@/module/nf_conntrack", CNF_MODULE_NONE), ("ADD@/module/nf_conntrack", CNF_MODULE_NONE),
            ("add@/module/nf_conntrack ", CNF_MODULE_NONE), ("libudev", CNF_MODULE_NONE), ("", CNF_MODULE_NONE),
        ] as [(String, cnf_module_change)])
    func `a load and an unload of this module are told from all else`(_ header: String, _ told: cnf_module_change) {
        #expect(change(Array(header.utf8) + [0]) == Int32(told.rawValue))
        #expect(change(Array(header.utf8) + [0] + Array("ACTION=add\0".utf8)) == Int32(told.rawValue))
        // Its end is not in the message.
        #expect(change(Array(header.utf8)) == Self.none)
    }

    @Test func `a prefix tells something only with the end of the header in it`() {
        let header = "add@/module/nf_conntrack".utf8.count
        for length in 0...Self.added.count {
            let told = length > header ? CNF_MODULE_ADDED : CNF_MODULE_NONE
            #expect(change(Array(Self.added.prefix(length))) == Int32(told.rawValue), "\(length) bytes")
        }
    }

    @Test func `any byte of the header changed makes it something else, any behind it nothing`() {
        let header = "add@/module/nf_conntrack".utf8.count
        for index in Self.added.indices {
            var bytes = Self.added
            bytes[index] ^= 0x80
            #expect(change(bytes) == (index <= header ? Self.none : Int32(CNF_MODULE_ADDED.rawValue)), "\(index)")
        }
    }

    @Test func `another module's name is the one that is looked for`() {
        #expect(change(Self.uevent("remove", "xt_state"), name: "xt_state") == Int32(CNF_MODULE_REMOVED.rawValue))
        #expect(change(Self.uevent("remove", "xt_state")) == Self.none)
    }

    // MARK: The socket

    private func expectSent(_ code: Int32, at location: SourceLocation = #_sourceLocation) throws {
        try #require(code == 0, "\(SystemError("send", code: -code))", sourceLocation: location)
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)))
    func `what the kernel sends is taken, one by one, and nothing else is left`() throws {
        let namespace = try TestNamespace()
        let told = try namespace.run {
            let socket = cnf_uevents_open()
            try #require(socket >= 0)
            defer { close(socket) }
            for (action, name) in [
                ("remove", "nf_conntrack"), ("remove", "x_tables"), ("add", "nf_conntrack"), ("add", "xt_conntrack"),
            ] {
                let bytes = Self.uevent(action, name)
                try expectSent(ctk_kernel_uevent(bytes, bytes.count))
            }
            return (0..<3).map { _ in cnf_uevents_next(socket, "nf_conntrack") }
        }

        #expect(told == [CNF_MODULE_REMOVED, CNF_MODULE_ADDED, CNF_MODULE_NONE].map { Int32($0.rawValue) })
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)))
    func `what a program forges is passed over`() throws {
        let namespace = try TestNamespace()
        let (waiting, told, left) = try namespace.run {
            let socket = cnf_uevents_open()
            try #require(socket >= 0)
            defer { close(socket) }
            let bytes = Self.added
            try expectSent(ctk_forge_uevent(bytes, bytes.count))
            var byte: UInt8 = 0
            // It has arrived, with the kernel's words.
            let waiting = recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_TRUNC))
            let told = cnf_uevents_next(socket, "nf_conntrack")
            return (waiting, told, recv(socket, &byte, 1, 0))
        }

        #expect(waiting == Self.added.count)
        #expect(told == Self.none)
        #expect(left == -1)
    }

    @Test(.enabled(if: Requirement.met(.networkNamespace)))
    func `where some were lost that is said once, and the rest goes on`() throws {
        let namespace = try TestNamespace()
        let told = try namespace.run {
            let socket = cnf_uevents_open()
            try #require(socket >= 0)
            defer { close(socket) }
            var size: Int32 = 1
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            let bytes = Self.added
            // Until the queue is full; whether the kernel then complains to the sender does not matter.
            for _ in 0..<64 { _ = ctk_kernel_uevent(bytes, bytes.count) }
            var told: [Int32] = []
            while told.last != Self.none, told.count < 100 { told.append(cnf_uevents_next(socket, "nf_conntrack")) }
            return told
        }

        #expect(told.count { $0 == -ENOBUFS } == 1, "\(told)")
        #expect(told.contains(Int32(CNF_MODULE_ADDED.rawValue)))
        #expect(told.last == Self.none)
    }
}
