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

/// Files that are replaced as a whole.
@Suite struct AtomicFileTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.path(of: "a.prom")
    }

    private static func names(in folder: String) -> [String] {
        guard let handle = opendir(folder) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    @Test func `a file is made, and replaced by a shorter one`() throws {
        try replaceFile(at: path, with: "a long text\n")
        #expect(try readFile(path) == "a long text\n")
        try replaceFile(at: path, with: "")

        #expect(try readFile(path) == "")
        #expect(Self.names(in: directory.path) == ["a.prom"])
    }

    @Test func `everybody may read it, whatever the umask`() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            umask(0o777)
            try replaceFile(at: directory.path(of: "a.prom"), with: "x")
            var status = stat()
            #expect(stat(directory.path(of: "a.prom"), &status) == 0)
            #expect(status.st_mode & 0o7777 == 0o644)
        }
    }

    @Test func `without room the old file stays whole and nothing else is left`() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = directory.path(of: "a.prom")
            try replaceFile(at: path, with: "old\n")
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 1000, rlim_max: 1000)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)

            #expect(throws: ConntrackModel.SystemError.self) {
                try replaceFile(at: path, with: String(repeating: "x", count: 5000))
            }
            #expect(try readFile(path) == "old\n")
            #expect(AtomicFileTests.names(in: directory.path) == ["a.prom"])
        }
    }

    @Test func `the temporary file is hidden and no metrics file, and lies beside the file`() throws {
        let path = directory.path(of: "none/a.prom")
        let error = #expect(throws: ConntrackModel.SystemError.self) { try replaceFile(at: path, with: "x") }

        #expect(error?.object == directory.path(of: "none/.a.prom.\(getpid()).tmp"))
        #expect(error?.code == ENOENT)
    }

    @Test func `what cannot be replaced stays, and no temporary file does`() throws {
        try directory.write("x", to: "a.prom/inside")
        #expect(throws: ConntrackModel.SystemError("replace", path, EISDIR)) { try replaceFile(at: path, with: "x") }

        #expect(Self.names(in: directory.path) == ["a.prom"])
        #expect(try directory.read("a.prom/inside") == "x")
    }

    @Test func `what a killed monitor left is in nobody's way`() throws {
        try directory.write("half", to: ".a.prom.\(getpid()).tmp")
        try replaceFile(at: path, with: "whole")

        #expect(Self.names(in: directory.path) == ["a.prom"])
    }

    @Test func `a thousand readers beside a writer see one text or the other, whole`() throws {
        let texts = ["a", "b"].map { String(repeating: $0, count: 20_000) }
        let path = path
        try replaceFile(at: path, with: texts[0])
        let stop = try EventDescriptor()
        let descriptor = stop.descriptor
        let writer = try Thread(name: "writer") {
            var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            var turn = 0
            while poll(&poller, 1, 0) == 0 {
                turn += 1
                try? replaceFile(at: path, with: texts[turn % 2])
            }
        }
        var seen: Set<String> = []
        for _ in 0..<1000 { seen.insert(try readFile(path)) }
        stop.ring()
        let ended = writer.join(within: .seconds(10))

        #expect(ended)
        #expect(seen.isSubset(of: texts))
    }
}
