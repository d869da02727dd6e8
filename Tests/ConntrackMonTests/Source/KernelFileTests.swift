// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Numbers and files as the kernel gives them.
@Suite struct KernelFileTests {
    private func number(_ text: String) -> UInt64? {
        Array(text.utf8).withUnsafeBytes { KernelFile.number(in: $0) }
    }

    @Test(arguments: [
        ("0\n", 0), ("262144\n", 262_144), ("65536", 65_536), (" 12\t\n", 12), ("0017\n", 17),
        ("18446744073709551615\n", UInt64.max),
    ])
    func `a sysctl's number is digits and white space around them`(_ text: String, _ value: UInt64) {
        #expect(number(text) == value)
    }

    @Test(arguments: [
        "", "\n", " ", "-1\n", "+1\n", "1 2\n", "1\n2\n", "12x\n", "0x10\n", "1.5\n", "garbage\n", "1\u{0}",
        "18446744073709551616\n", "99999999999999999999\n", "١٢",
    ])
    func `anything else is no number`(_ text: String) {
        #expect(number(text) == nil)
    }

    @Test func `a file is reread from its start`() throws {
        let directory = try TemporaryDirectory()
        let file = try KernelFile(directory.write("first", to: "value"))
        #expect(try file.text() == "first")
        try directory.write("second", to: "value")

        #expect(try file.text() == "second")
    }

    @Test func `a deleted file of a saved tree is gone, though its descriptor still reads`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("1\n", to: "value")
        let file = try KernelFile(path)
        unlink(path)

        #expect(throws: ConntrackModel.SystemError("read", path, ENOENT)) { try file.text() }
    }

    @Test func `what cannot be opened says what and why`() throws {
        let path = try TemporaryDirectory().path(of: "none")

        #expect(throws: ConntrackModel.SystemError("open", path, ENOENT)) { try KernelFile.text(of: path) }
        #expect("\(ConntrackModel.SystemError("open", "/x", EACCES))" == "cannot open /x: Permission denied")
    }

    @Test func `no more is read than the buffer holds`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(String(repeating: "x", count: 100), to: "value")

        #expect(try KernelFile(path).text(limit: 10) == "xxxxxxxxxx")
    }
}
