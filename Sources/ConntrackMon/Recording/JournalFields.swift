// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import FoundationEssentials

// What is no netlink message, as a journal entry: `KEY=value`, a line each.

/// Why a journal entry is none of ours, or damaged.
struct RecordingFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The lines of an entry, as they are written.
struct JournalLines {
    private(set) var text: String

    /// An entry of `kind`, and what a person reads of it.
    init(_ kind: String, at moment: Moment, _ message: String) {
        // A journal's times are microseconds.
        text = "__REALTIME_TIMESTAMP=\(moment.wall.nanoseconds / 1000)\n"
        text += "MESSAGE=\(oneLine(message))\nSYSLOG_IDENTIFIER=conntrack-mon\nCONNTRACK_KIND=\(kind)\n"
    }

    mutating func add(_ name: String, _ value: some CustomStringConvertible) {
        text += "CONNTRACK_\(name)=\(value)\n"
    }

    /// Both clocks, whole.
    mutating func add(_ moment: Moment) {
        add("TIME_NS", moment.monotonic.nanoseconds)
        add("WALL_NS", moment.wall.nanoseconds)
    }
}

private func oneLine(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7f ? " " : $0 }))
}

/// The lines of an entry, as they are read.
struct JournalFields {
    private var values: [Substring: Substring] = [:]

    init(_ bytes: UnsafeRawBufferPointer) {
        for line in String(decoding: bytes, as: UTF8.self).utf8.split(separator: UInt8(ascii: "\n")) {
            guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
            values[Substring(line[..<equals])] = Substring(line[line.index(after: equals)...])
        }
    }

    /// What kind of ours it is; nil = somebody else's entry.
    var kind: Substring? { values["CONNTRACK_KIND"] }

    func text(_ name: String) throws(RecordingFault) -> Substring {
        guard let value = values["CONNTRACK_\(name)"] else { throw RecordingFault("without CONNTRACK_\(name)") }
        return value
    }

    func value<Value: LosslessStringConvertible>(_ name: String) throws(RecordingFault) -> Value {
        let text = try text(name)
        guard let value = Value(String(text)) else { throw RecordingFault("with CONNTRACK_\(name)=\(text.prefix(40))") }
        return value
    }

    func moment() throws(RecordingFault) -> Moment {
        let time: UInt64 = try value("TIME_NS")
        let wall: Int64 = try value("WALL_NS")
        // Far from where sums of two would not fit: 146 years.
        guard time < 1 << 62, wall >= 0, wall < 1 << 62 else { throw RecordingFault("of no time that can be") }
        return Moment(monotonic: MonotonicTime(nanoseconds: time), wall: WallTime(nanoseconds: wall))
    }

    /// What was coded as JSON.
    func json<Value: Decodable>(_ name: String, as type: Value.Type) throws(RecordingFault) -> Value {
        let text = try text(name)
        do {
            let decoder = JSONDecoder()
            decoder.nonConformingFloatDecodingStrategy = .convertFromString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
            return try decoder.decode(type, from: Data(text.utf8))
        } catch {
            throw RecordingFault("whose CONNTRACK_\(name) does not hold together")
        }
    }
}

/// One line of JSON that says all of `value`.
func recordedJSON(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(value) else { return "null" }
    return String(decoding: data, as: UTF8.self)
}
