// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackModel
internal import ConntrackPublish
internal import Glibc

/// The files of `status --incident`.
enum IncidentFile {
    /// What the flight recorder writes is below a megabyte.
    private static let most = 64 << 20

    /// Reads an incident; what is none is said in a line.
    static func read(_ path: String) throws(PreparationFailure) -> IncidentDocument {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= most else {
            throw PreparationFailure("--incident \(path): is no file of --incident-dir")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { break }
            filled += count
        }
        do {
            return try IncidentDocument.parse(String(decoding: bytes.prefix(filled), as: UTF8.self))
        } catch {
            throw PreparationFailure("--incident \(path): is no incident of this version, or damaged")
        }
    }

    /// Writes a page as a whole, for its owner alone.
    static func write(_ text: String, to path: String) throws(PreparationFailure) {
        do throws(SystemError) {
            try writePage(text, to: path)
        } catch {
            throw PreparationFailure("--html: \(error)")
        }
    }

    private static func failure(_ what: String, _ path: String) -> PreparationFailure {
        PreparationFailure("--incident: \(SystemError(what, path, errno))")
    }
}
