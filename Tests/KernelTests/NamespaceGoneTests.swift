// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc
internal import TestKit
internal import Testing

/// Namespaces with names: what they are called, and what `watch --netns` does when the name goes.
/// Processes, since names are made by ip(8), and the kernel keeps a namespace for whoever is in it.
@Suite(.enabled(if: Requirement.met(.networkNamespace, .program("ip"), .program("nsenter"), .initialRoot)))
struct NamespaceGoneTests {
    @Test func `a namespace that is deleted ends watching with exit code 1, and is let go`() throws {
        let namespace = try NamedNamespace("gone")
        let inode = try namespace.inode()
        let watch = try Watch("--netns", namespace.name)
        #expect(try users(of: inode) == [watch.process.process])
        try namespace.delete()

        #expect(try watch.process.waitForExit(within: .seconds(20)) == .exited(1))
        let last = try #require(watch.process.standardError.split(separator: "\n").last)
        #expect(
            last.hasSuffix(
                " WARNING monitor host=\(try hostName()) netns=\(namespace.name): stopped: network namespace"
                    + " \(namespace.name) was deleted"))
        #expect(try watch.metrics()["conntrack_mon_up", ["netns": namespace.name]] == 0)
        #expect(try watch.metrics().sum("conntrack_entries") == nil)
        #expect(try users(of: inode) == [])
    }

    @Test func `one that is deleted and made anew ends watching, and says what to do`() throws {
        let namespace = try NamedNamespace("anew")
        let watch = try Watch("--netns", "/run/netns/" + namespace.name)
        let inode = try namespace.inode()
        try namespace.delete()
        try namespace.add()
        try #require(try namespace.inode() != inode)

        #expect(try watch.process.waitForExit(within: .seconds(20)) == .exited(1))
        let last = try #require(watch.process.standardError.split(separator: "\n").last)
        #expect(
            last.hasSuffix(
                ": stopped: /run/netns/\(namespace.name) leads to another network namespace now: start again to watch that one"
            ), "\(last)")
        #expect(try users(of: inode) == [])
        // As systemd would.
        let again = try Watch("--netns", namespace.name)
        try again.stop()
    }

    @Test func `a name that stays is watched on, whatever other names come and go`() throws {
        let namespace = try NamedNamespace("stays")
        let watch = try Watch("--netns", namespace.name)
        for _ in 0..<3 {
            let other = try NamedNamespace("other")
            try other.delete()
        }
        try watch.waitForStatus("later intervals") { $0.up }
        try watch.stop()
    }

    @Test func `a namespace that was entered otherwise has its name`() throws {
        let namespace = try NamedNamespace("known")
        let outcomes = [
            try Command(
                "ip", arguments: ["netns", "exec", namespace.name, Repository.builtBinary(), "status", "--json"]
            ).run(),
            try Command(
                "nsenter",
                arguments: ["--net=/run/netns/" + namespace.name, Repository.builtBinary(), "status", "--json"]
            ).run(),
        ]
        for outcome in outcomes {
            #expect(try Status(outcome.standardOutput).netns == namespace.name, "\(outcome)")
        }
        #expect(try Status(Command(Repository.builtBinary(), "status", "--json").run().standardOutput).netns == "root")
    }

    private func hostName() throws -> String {
        try readFile("/proc/sys/kernel/hostname").split(separator: "\n").joined()
    }

    /// The processes that are in the namespace.
    private func users(of inode: ino_t) throws -> [pid_t] {
        try Command("sh", "-c", "cd /proc && stat -L -c '%i %n' [0-9]*/ns/net 2>/dev/null").run().standardOutput
            .split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard words.count == 2, ino_t(words[0]) == inode else { return nil }
                return pid_t(words[1].prefix { $0 != "/" })
            }
    }
}

/// A namespace that `ip netns` knows by a name of this test's.
private final class NamedNamespace {
    let name: String

    init(_ name: String) throws {
        self.name = "conntrack-mon-\(name)-\(getpid())"
        try add()
    }

    deinit {
        try? delete()
    }

    func add() throws {
        try ip("add")
    }

    func delete() throws {
        try ip("delete")
    }

    func inode() throws -> ino_t {
        var status = stat()
        guard stat("/run/netns/" + name, &status) == 0 else { throw SystemError("stat \(name)") }
        return status.st_ino
    }

    private func ip(_ verb: String) throws {
        let outcome = try Command("ip", "netns", verb, name).run()
        guard outcome.status == .exited(0) else { throw TestKitError("\(outcome)") }
    }
}
