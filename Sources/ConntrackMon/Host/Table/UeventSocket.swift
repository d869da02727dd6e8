// SPDX-License-Identifier: GPL-3.0-or-later

internal import CNetfilter
package import ConntrackModel
internal import Glibc

/// The kernel's uevents about nf_conntrack: wakes the reader at once, and counts unloads and loads exactly, also several
/// between two looks. Owned by the reader thread.
package struct UeventSocket: ~Copyable {
    package let descriptor: Int32
    /// Whether uevents reach this process: in another user namespace than the initial one none does.
    package let isReliable: Bool

    package init() throws(SystemError) {
        descriptor = cnf_uevents_open()
        guard descriptor >= 0 else { throw SystemError("open", "the uevent socket", -descriptor) }
        isReliable = UeventSocket.isInitialUserNamespace
    }

    deinit {
        close(descriptor)
    }

    /// What the kernel told since the last call.
    package struct News {
        package var unloads: UInt8 = 0
        package var loads: UInt8 = 0
        /// Some were lost: the counts are lower bounds.
        package var lost = false

        /// Nothing told.
        package init() {}
    }

    /// Takes all that wait.
    package func take() -> News {
        var news = News()
        while true {
            let change = cnf_uevents_next(descriptor, "nf_conntrack")
            switch change {
            case Int32(CNF_MODULE_ADDED.rawValue): news.loads = min(news.loads + 1, 100)
            case Int32(CNF_MODULE_REMOVED.rawValue): news.unloads = min(news.unloads + 1, 100)
            case -ENOBUFS: news.lost = true
            default: return news
            }
        }
    }

    /// user_namespaces(7): the initial one maps every id onto itself.
    private static var isInitialUserNamespace: Bool {
        guard let map = try? KernelFile.text(of: "/proc/self/uid_map") else { return false }
        return map.split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
    }
}
