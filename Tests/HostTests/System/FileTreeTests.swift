// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackHost

/// Files of this machine and of a saved one.
@Suite struct FileTreeTests {
    @Test func `links are followed inside the tree`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("inside", to: "etc/real")
        try #require(symlink("/etc", directory.path(of: "absolute")) == 0)
        try #require(symlink("../../../etc/real", directory.path(of: "etc/up")) == 0)
        let tree = FileTree(root: directory.path + "/")

        #expect(tree.read("/absolute/real") == .text("inside"))
        #expect(tree.read("/etc/up") == .text("inside"))
        #expect(tree.read("/etc/../etc/./real") == .text("inside"))
        #expect(tree.read("/absolute/passwd") == .missing)
    }

    @Test func `a loop of links is told, here and in a saved tree`() throws {
        let directory = try TemporaryDirectory()
        try #require(symlink("b", directory.path(of: "a")) == 0)
        try #require(symlink("a", directory.path(of: "b")) == 0)

        #expect(FileTree(root: directory.path).read("/a") == .unreadable("Too many levels of symbolic links"))
        #expect(FileTree(root: "/").read(directory.path(of: "a")) == .unreadable("Too many levels of symbolic links"))
    }

    @Test func `a link to the null device is an empty file, here and in a saved tree`() throws {
        let directory = try TemporaryDirectory()
        try #require(symlink("/dev/null", directory.path(of: "mask")) == 0)

        #expect(FileTree(root: directory.path).read("/mask") == .text(""))
        #expect(FileTree(root: "/").read(directory.path(of: "mask")) == .text(""))
    }

    @Test func `devices, fifos and folders are not read`() throws {
        let directory = try TemporaryDirectory()
        try #require(mkfifo(directory.path(of: "fifo"), 0o644) == 0)
        let tree = FileTree(root: "/")

        for path in ["/dev/zero", directory.path(of: "fifo"), directory.path] {
            #expect(tree.read(path) == .unreadable("not a regular file"))
        }
    }

    @Test func `no more than a limit is read of a file`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("", to: "big")
        try #require(truncate(path, 1 << 30) == 0)

        #expect(FileTree(root: directory.path).text("/big")?.utf8.count == FileTree.textLimit)
    }

    @Test func `names are sorted by their bytes`() throws {
        let directory = try TemporaryDirectory()
        for name in ["b", "a-1", "a", "Z", "é"] { try directory.write("", to: name) }

        #expect(FileTree(root: directory.path).names(in: "/") == ["Z", "a", "a-1", "b", "é"])
        #expect(FileTree(root: directory.path).names(in: "/none") == nil)
    }

    @Test(
        arguments: [
            ("../sysctl.conf", true), ("/etc/sysctl.conf", true), ("../none", false), ("/etc", false),
            ("../sysctl.conf\n", false), ("a = b", false), ("", false), ("/", false),
        ])
    func `a link that a saved copy keeps as text leads where it led`(_ text: String, _ isLink: Bool) throws {
        let directory = try TemporaryDirectory()
        try directory.write("the file", to: "etc/sysctl.conf")
        try directory.write(text, to: "etc/sysctl.d/99-sysctl.conf")
        let tree = FileTree(root: directory.path)

        #expect(tree.text("/etc/sysctl.d/99-sysctl.conf") == (isLink ? "the file" : text))
        #expect((tree.canonical("/etc/sysctl.d/99-sysctl.conf") == "/etc/sysctl.conf") == isLink)
    }

    @Test(arguments: [("", false), ("conn", false), ("conntrack", true), ("xconntrackx", true), ("conconntrack", true)])
    func `a word is found by its bytes`(_ text: String, _ isThere: Bool) {
        #expect(occurs("conntrack", in: text) == isThere)
    }
}
