// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost
@testable import ConntrackModel

/// Names of namespaces, as files that are none.
@Suite struct EnteredNamespaceTests {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory()
        path = try directory.write("", to: "netns/blue")
    }

    @Test func `a name leads to what was entered until it goes or leads elsewhere`() throws {
        let entered = EnteredNamespace(path: path, entered: try #require(NamespaceFile(path)))
        #expect(entered.standing == .there)
        // Kept, so that its inode is not given to the next.
        try #require(rename(path, directory.path(of: "kept")) == 0)
        #expect(entered.standing == .gone)
        try directory.write("", to: "netns/blue")

        #expect(entered.standing == .replaced)
    }

    @Test func `a name that may not be followed says nothing`() throws {
        let own = try #require(NamespaceFile(path))
        let loop = directory.path(of: "loop")
        try #require(symlink(loop, loop) == 0)

        #expect(EnteredNamespace(path: loop, entered: own).standing == nil)
    }

    @Test func `of several names the first is taken, and one that leads elsewhere is none`() throws {
        let own = try #require(NamespaceFile(path))
        let folder = directory.path(of: "netns")
        #expect(NetworkNamespace.name(of: own, in: folder) == "blue")
        try directory.write("", to: "netns/aaa")
        #expect(NetworkNamespace.name(of: own, in: folder) == "blue")
        try #require(link(path, folder + "/azure") == 0)

        #expect(NetworkNamespace.name(of: own, in: folder) == "azure")
        #expect(NetworkNamespace.name(of: own, in: directory.path(of: "none")) == nil)
    }

    @Test func `whoever calls a namespace root does not make it the host's own`() {
        let identity = NetworkNamespace.identity(host: "gw12", entered: "root")
        let own = NetworkNamespace.identity(host: "gw12", entered: nil)

        #expect(identity.netns == "root")
        #expect(identity.isInitialNamespace == own.isInitialNamespace)
    }
}
