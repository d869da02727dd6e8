// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackModel
@testable import ConntrackPublish
@testable import ConntrackSystem

/// Two that write one file. Locks belong to open files, so that two of one process are as good as two processes.
@Suite struct OwnedFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path(of: "a.prom")
    }

    @Test func `the second does not write, until the first is gone`() throws {
        var first: OwnedFile? = OwnedFile(path: path)
        for text in ["1", "2"] { try first?.replace(with: text) }
        let second = OwnedFile(path: path)
        for _ in 0..<2 {
            #expect(throws: FileFailure.owned(by: Int(getpid()))) { try second.replace(with: "3") }
        }
        #expect(try readFile(path) == "2")
        #expect(OwnedFile.owner(of: path) == .owned(by: Int(getpid())))
        first = nil
        #expect(OwnedFile.owner(of: path) == nil)
        try second.replace(with: "3")
        try second.replace(with: "4")

        #expect(try readFile(path) == "4")
        #expect(OwnedFile.owner(of: path) != nil)
    }

    @Test func `what another tool put in its place is replaced, and what is missing is made`() throws {
        let file = OwnedFile(path: path)
        try directory.write("left", to: "a.prom")
        try file.replace(with: "1")
        try directory.write("copied", to: "new")
        try #require(rename(directory.path(of: "new"), path) == 0)
        try file.replace(with: "2")
        #expect(try readFile(path) == "2")
        unlink(path)
        try file.replace(with: "3")

        #expect(try readFile(path) == "3")
    }

    @Test func `a link is replaced, whoever owns what it leads to`() throws {
        let other = OwnedFile(path: directory.path(of: "b.prom"))
        try other.replace(with: "other")
        try #require(symlink("b.prom", path) == 0)
        let file = OwnedFile(path: path)
        try file.replace(with: "1")

        #expect(try readFile(path) == "1")
        #expect(try directory.read("b.prom") == "other")
    }

    @Test func `a first that lost its file to the second does not take it back`() throws {
        let first = OwnedFile(path: path)
        try first.replace(with: "1")
        unlink(path)
        let second = OwnedFile(path: path)
        try second.replace(with: "2")

        #expect(throws: FileFailure.owned(by: Int(getpid()))) { try first.replace(with: "3") }
        #expect(try readFile(path) == "2")
    }

    @Test func `what is kept is closed in every program that is started, and a lock with it`() throws {
        let file = OwnedFile(path: path)
        try file.replace(with: "1")
        let identity = try #require(FileIdentity(path: path))
        let kept = (0..<1024).filter { FileIdentity(descriptor: Int32($0)) == identity }

        #expect(kept.count == 1)
        #expect(kept.allSatisfy { fcntl(Int32($0), F_GETFD) & FD_CLOEXEC != 0 })
    }

    // MARK: Who it is

    private func identity() throws -> FileIdentity {
        try directory.write("", to: "a.prom")
        return try #require(FileIdentity(path: path))
    }

    @Test func `the holder is found by the inode, and by the device where that is not enough`() throws {
        let file = try identity()
        let (device, inode) = (file.device, file.inode)
        let major = device >> 8 & 0xfff
        let minor = device & 0xff | device >> 12 & ~0xff
        func hex(_ number: dev_t) -> String { (number < 16 ? "0" : "") + String(number, radix: 16) }
        let other = "2: FLOCK  ADVISORY  WRITE 812 7f:07:\(inode) 0 EOF\n"
        let own = "3: FLOCK  ADVISORY  WRITE 813 \(hex(major)):\(hex(minor)):\(inode) 0 EOF\n"

        #expect(FileLocks.holder(of: file, in: other) == 812)
        #expect(FileLocks.holder(of: file, in: other + own) == 813)
    }

    @Test(arguments: [
        "", "1: FLOCK", "1: POSIX  ADVISORY  WRITE 812 00:00:INODE 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 0 00:00:INODE 0 EOF", "1: FLOCK  ADVISORY  WRITE -1 00:00:INODE 0 EOF",
        "1: -> FLOCK  ADVISORY  WRITE 812 00:00:INODE 0 EOF", "1: FLOCK  ADVISORY  WRITE 812 00:00:1 0 EOF",
        "1: FLOCK  ADVISORY  WRITE 812 INODE 0 EOF",
    ])
    func `a line that does not name the holder names nobody`(_ line: String) throws {
        let file = try identity()
        let text = line.split(separator: "INODE", omittingEmptySubsequences: false).joined(separator: "\(file.inode)")

        #expect(FileLocks.holder(of: file, in: text) == nil)
    }

    @Test(
        arguments: [
            ("Name:\tx\nUid:\t1000\t65534\t0\t0\nGid:\t1\t1\t1\t1\n", 65534), ("Uid:\t0\t0\t0\t0\n", 0), ("", nil),
            ("Uid:\t0\n", nil), ("Gid:\t0\t0\t0\t0\n", nil),
        ] as [(String, uid_t?)])
    func `as whom a process acts is its effective user`(_ status: String, _ user: uid_t?) {
        #expect(FileLocks.effectiveUser(inStatus: status) == user)
    }

    @Test func `a process that is not there may have been the writer`() {
        #expect(FileLocks.mayWrite(Int(pid_t.max), owner: 0))
        #expect(FileLocks.mayWrite(Int(getpid()), owner: geteuid()))
    }

    // MARK: What is said

    @Test(
        arguments: [(.textfile, "--textfile"), (.state, "--state"), (.status, "--run-dir")]
            as [(FileWriter.Part, String)])
    func `a file that another writes is said, with who it is and what to do`(
        _ part: FileWriter.Part, _ option: String
    ) throws {
        var first: OwnedFile? = OwnedFile(path: path)
        try first?.replace(with: "1")
        let files = try FileWriter(paths: [part: path])
        let thread = try files.start()
        files.write(part) { "2" }
        #expect(eventually { !files.degraded.isEmpty })
        let said = files.degraded.first
        #expect(said?.part == part.rawValue)
        #expect(
            said?.reason
                == "\(path) is written by another process that is still running (pid \(getpid()), as /proc/locks says):"
                + " stop one of the two, or give this one another \(option)")
        first = nil
        files.write(part) { "3" }
        files.close()
        let ended = thread.join(within: .seconds(20))

        #expect(ended)
        #expect(files.degraded == [])
        #expect(try readFile(path) == "3")
    }
}
