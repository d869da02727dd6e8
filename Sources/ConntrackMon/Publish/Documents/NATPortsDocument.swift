// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

extension StatusDocument {
    /// A NAT address and a destination, and how many of its ports are used there.
    public struct NATPort: Codable, Equatable, Sendable {
        /// What the source became.
        public var natAddress: String
        /// Where it really goes.
        public var destination: String
        var port: UInt16?
        var `protocol`: String?
        /// Of the reply direction; absent = 0.
        var zone: UInt16?
        /// Entries that live.
        public var used: UInt64
        /// Ports that there are.
        public var available: UInt64
        /// used / available.
        var ratio: Double
        /// The first and the last of them: "1024-65535".
        var range: String
        /// The range is what the ports that NAT chose show; false = the kernel's own.
        var rangeObserved: Bool
        /// "192.0.2.1 -> 198.51.100.7:443/tcp uses 61800 of 64512 ports (95.8%), 2712 left".
        var words: String

        init(_ use: NATPortUse) {
            natAddress = use.address.text
            destination = use.destination.prefix.text
            port = use.port
            `protocol` = use.protocol?.name
            zone = use.zone == 0 ? nil : use.zone
            used = use.used
            available = use.available
            ratio = StatusDocument.rounded(use.ratio, 6)
            range = use.range.text
            rangeObserved = use.range.isObserved
            words = "\(use.name) uses \(use.words)"
        }
    }

    /// Lines of `status`: those that have used a tenth of their ports, three at most.
    var natPortLines: [String] {
        let notable = (natPorts ?? []).filter { $0.ratio >= 0.1 }
        let more = notable.count > 3 ? ["and \(notable.count - 3) more pairs"] : []
        return notable.prefix(3).map(\.words) + more
    }
}
