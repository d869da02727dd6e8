// SPDX-License-Identifier: GPL-3.0-or-later

// How a recording has the parts of readings that do not code themselves. What does not hold together is refused: a file
// may be damaged.

extension AddressPrefix: Codable {
    /// "192.0.2.0/24".
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let prefix = AddressPrefix(text) else { throw unfit(decoder, "\(text): no address") }
        self = prefix
    }

    /// "192.0.2.0/24".
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension Address: Codable {
    /// "192.0.2.1".
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let address = Address(text) else { throw unfit(decoder, "\(text): no address") }
        self = address
    }

    /// "192.0.2.1".
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

extension StatValues: Codable {
    /// By the kernel's words; those that were not there are missing.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.singleValueContainer().decode([String: UInt64].self)
        self.init()
        for (name, value) in values {
            guard let stat = Stat.allCases.first(where: { $0.name == name }) else {
                throw unfit(decoder, "\(name): no statistic")
            }
            self[stat] = value
        }
    }

    /// By the kernel's words.
    public func encode(to encoder: any Encoder) throws {
        var values: [String: UInt64] = [:]
        for stat in Stat.allCases { values[stat.name] = self[stat] }
        var container = encoder.singleValueContainer()
        try container.encode(values)
    }
}

extension Health: Codable {
    private struct Loss: Codable {
        var sink: String
        var lost: UInt64
    }

    private enum CodingKeys: String, CodingKey {
        case degraded, sinkLost, ringCapacity, ringPeak, cpuSeconds
    }

    /// All of its members.
    package init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: CodingKeys.self)
        degraded = try container.decode([Degradation].self, forKey: .degraded)
        sinkLost = try container.decode([Loss].self, forKey: .sinkLost).map { ($0.sink, $0.lost) }
        ringCapacity = try container.decode(Int.self, forKey: .ringCapacity)
        ringPeak = try container.decode(Int.self, forKey: .ringPeak)
        cpuSeconds = try container.decode(Double.self, forKey: .cpuSeconds)
    }

    /// All of its members.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(degraded, forKey: .degraded)
        try container.encode(sinkLost.map { Loss(sink: $0.sink, lost: $0.lost) }, forKey: .sinkLost)
        try container.encode(ringCapacity, forKey: .ringCapacity)
        try container.encode(ringPeak, forKey: .ringPeak)
        try container.encode(cpuSeconds, forKey: .cpuSeconds)
    }
}

private func unfit(_ decoder: any Decoder, _ what: String) -> DecodingError {
    .dataCorrupted(DecodingError.Context(codingPath: decoder.codingPath, debugDescription: what))
}
