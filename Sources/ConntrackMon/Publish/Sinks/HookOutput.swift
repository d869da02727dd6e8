// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel

/// What one run of the hook prints, on its way to stderr: whole lines as they come, and not more than 64 KiB.
struct HookOutput {
    static let bound = 65536
    /// What has no line feed for so long is passed on as a line of its own.
    private static let longestLine = 8192

    private var partial: [UInt8] = []
    private var room = HookOutput.bound
    private var isCut = false

    /// Takes what was read; what is to be passed on of it, one or more lines without the last one's line feed.
    mutating func take(_ bytes: some Collection<UInt8>) -> String? {
        guard !isCut else { return nil }
        partial += bytes.prefix(room)
        if bytes.count > room {
            isCut = true
            return [end(), "(output cut at 64 KiB)"].compactMap { $0 }.joined(separator: "\n")
        }
        room -= bytes.count
        if let last = partial.lastIndex(of: UInt8(ascii: "\n")) { return pass(partial[..<last], dropping: last + 1) }
        return partial.count >= HookOutput.longestLine ? end() : nil
    }

    /// The rest, which may end without a line feed.
    mutating func end() -> String? {
        let isEnded = partial.last == UInt8(ascii: "\n")
        return partial.isEmpty ? nil : pass(isEnded ? partial.dropLast() : partial[...], dropping: partial.count)
    }

    private mutating func pass(_ bytes: ArraySlice<UInt8>, dropping count: Int) -> String {
        defer { partial.removeFirst(count) }
        return String(decoding: bytes, as: UTF8.self)
    }
}
