// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
package import ConntrackModel
internal import Glibc

/// A file of /proc or /sys, opened once and read again and again from its start.
///
/// The descriptor is the point: once the module behind a /proc/sys file was unloaded, every reread fails for good, also
/// after the module came back (ENOENT for sysctls, EIO for /proc/net files, ENODEV in sysfs; seen on 6.1 and 6.12). So a
/// reread that fails with one of these proves an unload since the last one.
package struct KernelFile: ~Copyable {
    let path: String
    private let descriptor: Int32
    /// On other file systems (a saved tree) a deleted file stays readable; its link count tells.
    private let isProcfs: Bool

    package init(_ path: String) throws(SystemError) {
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemError("open", path, errno) }
        self.path = path
        var system = statfs()
        isProcfs = fstatfs(descriptor, &system) == 0 && system.f_type == KernelFile.procfsMagic
    }

    deinit {
        close(descriptor)
    }

    // include/uapi/linux/magic.h
    private static let page = 4096
    private static let procfsMagic = 0x9fa0
    private static let sysfsMagic = 0x6265_6572

    /// Whether `path` lies in a mounted /proc: what it shows is this kernel's, now.
    package static func isProcfs(_ path: String) -> Bool {
        fileSystem(path) == procfsMagic
    }

    /// Whether `path` lies in a mounted /sys.
    static func isSysfs(_ path: String) -> Bool {
        fileSystem(path) == sysfsMagic
    }

    private static func fileSystem(_ path: String) -> Int? {
        var system = statfs()
        return statfs(path, &system) == 0 ? system.f_type : nil
    }

    /// The descriptor, for who rereads it elsewhere; it is closed with this.
    func kept() -> Int32 { descriptor }

    /// Whether `code` from a reread says that what the file stood for is gone.
    static func isGone(_ code: Int32) -> Bool {
        code == ENOENT || code == EIO || code == ENODEV
    }

    /// The whole content, up to the buffer's size. Does not allocate.
    func reread(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        var length = 0
        while length < buffer.count {
            // A seq_file gives a page at a time, so one pread is not all. And a page is enough to ask for: for a sysctl the
            // kernel zeroes as much memory as it is asked for (proc_sys_call_handler in fs/proc/proc_sysctl.c).
            let end = min(buffer.count, length + KernelFile.page)
            let count = try readOnce(into: UnsafeMutableRawBufferPointer(rebasing: buffer[length..<end]), from: length)
            if count == 0 { break }
            length += count
        }
        return length
    }

    /// What one pread gives: all of a sysctl. Does not allocate.
    func rereadOnce(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
        try readOnce(into: buffer, from: 0)
    }

    private func readOnce(into buffer: UnsafeMutableRawBufferPointer, from: Int) throws(SystemError) -> Int {
        if !isProcfs {
            var status = stat()
            if fstat(descriptor, &status) == 0 && status.st_nlink == 0 { throw SystemError("read", path, ENOENT) }
        }
        while true {
            let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(from))
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError("read", path, errno) }
            return count
        }
    }

    /// The whole content as text, up to `limit` bytes.
    package func text(limit: Int = 65536) throws(SystemError) -> String {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: limit, alignment: 1)
        defer { buffer.deallocate() }
        let length = try reread(into: buffer)
        return String(decoding: UnsafeRawBufferPointer(buffer)[..<length], as: UTF8.self)
    }

    /// Opens, reads once and closes.
    package static func text(of path: String) throws(SystemError) -> String {
        try KernelFile(path).text()
    }

    /// A sysctl's number: ASCII digits and white space around them; nil for anything else, a sign included.
    static func number(in bytes: UnsafeRawBufferPointer) -> UInt64? {
        var value: UInt64 = 0
        var digits = 0
        var ended = false
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9") where !ended:
                let (product, over) = value.multipliedReportingOverflow(by: 10)
                let (sum, carry) = product.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
                guard !over, !carry else { return nil }
                value = sum
                digits += 1
            case UInt8(ascii: "\n"), UInt8(ascii: " "), UInt8(ascii: "\t"):
                ended = digits > 0
            default:
                return nil
            }
        }
        return digits > 0 ? value : nil
    }
}
