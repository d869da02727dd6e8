// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
public import ConntrackModel
internal import Glibc

/// Which network namespace is looked at. /proc/sys/net shows the reader's own, whatever the mount.
public enum NetworkNamespace {
    /// Moves this process into the namespace called `name`, as `ip netns` names it, or a path to one. Before any thread
    /// is started: setns moves only the caller, and later threads follow it.
    public static func enter(_ name: String) throws(SystemError) {
        let path = path(of: name)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open network namespace", path, errno) }
        defer { close(descriptor) }
        let error = cnf_enter_network_namespace(descriptor)
        guard error == 0 else { throw SystemError("enter network namespace", path, -error) }
    }

    /// Where a namespace is entered: `name` as `ip netns` names it, or a path.
    static func path(of name: String) -> String {
        name.contains("/") ? name : "/run/netns/" + name
    }

    /// The inode that identifies the namespace this process is in; nil when /proc does not say.
    public static func current() -> UInt64? {
        own()?.inode
    }

    static func own() -> NamespaceFile? {
        NamespaceFile("/proc/self/ns/net")
    }

    /// Whose host and namespace alerts are about; `name`: by what it was entered.
    public static func identity(host: String, entered name: String?) -> Identity {
        guard let own = own() else {
            return Identity(host: host, netns: name ?? "root", isInitialNamespace: name == nil)
        }
        return Identity(
            host: host, netns: label(own, entered: name), isInitialNamespace: isInitial(own.inode))
    }

    /// What alerts call it: the name it was entered by, "root" for the initial one, the name that it has, else its inode.
    private static func label(_ own: NamespaceFile, entered name: String?) -> String {
        if let name, let known = netnsName(name) { return known }
        if isInitial(own.inode) { return "root" }
        for folder in folders {
            if let name = self.name(of: own, in: folder) { return name }
        }
        return "net:[\(own.inode)]"
    }

    /// Where `ip netns` keeps names.
    private static let folders = ["/run/netns", "/var/run/netns"]

    /// The name of a namespace that `ip netns` knows; nil for another path, whose last part ("net") names nothing.
    private static func netnsName(_ name: String) -> String? {
        guard name.contains("/") else { return name }
        let folder = folders.first { name.hasPrefix($0 + "/") }
        return folder.map { String(name.dropFirst($0.count + 1)) }
    }

    /// The first name in `folder` that leads to `namespace`.
    static func name(of namespace: NamespaceFile, in folder: String) -> String? {
        FileTree(root: "").names(in: folder)?.first { NamespaceFile(folder + "/" + $0) == namespace }
    }

    /// Process 1 tells, to whom it may be told; else a sysctl that only the initial namespace has (net/core/sysctl_net_core.c).
    private static func isInitial(_ own: UInt64) -> Bool {
        inode("/proc/1/ns/net").map { $0 == own } ?? (access("/proc/sys/net/core/netdev_max_backlog", F_OK) == 0)
    }

    /// Why `procfs` must not be believed, or nil: mounted from a host whose network namespace is not ours, it would
    /// show our own table under the host's name.
    public static func mismatch(procfs: String) -> String? {
        guard procfs != "/proc", let own = current() else { return nil }
        let why = "its sys/net shows this process's own table, whatever the mount"
        guard let host = inode(procfs + "/1/ns/net") else {
            // A saved tree belongs to none.
            guard KernelFile.isProcfs(procfs) else { return nil }
            return "\(procfs): cannot tell whether it belongs to this network namespace (\(procfs)/1/ns/net is not"
                + " readable), and \(why); leave --procfs out"
        }
        guard own != host else { return nil }
        return
            "\(procfs) belongs to another network namespace (net:[\(host)], this process is in net:[\(own)]), and \(why);"
            + " run in the host's network (hostNetwork: true, --network host) or with --netns \(procfs)/1/ns/net"
    }

    private static func inode(_ path: String) -> UInt64? {
        NamespaceFile(path)?.inode
    }
}
