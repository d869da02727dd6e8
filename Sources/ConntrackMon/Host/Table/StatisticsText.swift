// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// Parses /proc/net/stat/nf_conntrack: a line of column names, then a line of hexadecimal u32 a CPU, in the order of
/// possible CPUs. Columns are matched by name: kernels differ in how many there are and what they are called.
/// nil when the text is not such a table.
func parseStatistics(_ text: String) -> [StatValues]? {
    var lines = text.split(separator: "\n").makeIterator()
    guard let header = lines.next()?.split(separator: " "), header.first == "entries" else { return nil }
    let columns = header.map(Stat.column)
    var cpus: [StatValues] = []
    while let line = lines.next() {
        let fields = line.split(separator: " ")
        guard fields.count == columns.count else { return nil }
        var values = StatValues()
        for (stat, field) in zip(columns, fields) {
            guard let value = UInt32(field, radix: 16) else { return nil }
            if let stat { values[stat] = UInt64(value) }
        }
        cpus.append(values)
    }
    return cpus.isEmpty ? nil : cpus
}

extension Stat {
    /// The column of /proc/net/stat/nf_conntrack. Kernel 5.15 shows chain_toolong under `chainlength`.
    static func column(_ name: Substring) -> Stat? {
        switch name {
        case "icmp_error": .error
        case "clashres": .clashResolve
        case "chainlength": .chainTooLong
        default: allCases.first { $0.name == name }
        }
    }
}
