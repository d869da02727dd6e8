// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
internal import ConntrackModel
internal import Glibc

extension cnf_event {
    /// A new entry at `seconds` (see Moment.at).
    package static func new(
        _ source: String, _ destination: String = "198.51.100.7", _ port: UInt16 = 443, protocol: Int = IPPROTO_TCP,
        at seconds: Double = 0
    ) -> cnf_event {
        var event = cnf_event()
        event.time_ns = Moment.at(seconds).monotonic.nanoseconds
        event.kind = UInt8(CNF_NEW.rawValue)
        event.family = UInt8(source.contains(":") ? AF_INET6 : AF_INET)
        event.protocol = UInt8(`protocol`)
        event.source_port = 40_000
        event.destination_port = port
        inet_pton(Int32(event.family), source, &event.source)
        inet_pton(Int32(event.family), destination, &event.destination)
        return event
    }
}
