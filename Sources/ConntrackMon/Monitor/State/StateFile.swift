// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackEngine
internal import ConntrackHost
internal import ConntrackModel
internal import ConntrackPublish
internal import FoundationEssentials
internal import Glibc

/// What is kept across restarts of the monitor (--state): from it the next start says what happened meanwhile.
struct StateDocument: Codable, Equatable, Sendable {
    /// A limit that had fallen and was not put back.
    struct Fall: Codable, Equatable, Sendable {
        var from: UInt64
        var to: UInt64
        var cause: String
        var story: String
        var isReload: Bool?
    }

    static let version = 1

    var version = StateDocument.version
    /// Seconds since 1970.
    var timestamp: Double
    var bootId: String?
    /// The inode of /sys/module/nf_conntrack changes with each load, and with nothing else.
    var moduleInode: UInt64?
    var netnsInode: UInt64?
    var accepted: UInt64
    var fall: Fall?
    /// Every setting, without its nf_conntrack_ prefix.
    var parameters: [String: UInt64]
    /// The live values of those that a reload or a boot has taken away.
    var reverted: [String: UInt64]?
    /// The configured limit below which a lower one was accepted.
    var waived: UInt64?
    var peakDay: UInt64?
    var peakKnownForSeconds: Double
    /// What fires; absent when nothing does.
    var firing: [Alert]?

    func json() -> String { encodeJSON(self) + "\n" }
}

/// Who this boot and this load of the module are, to compare with what a state file says.
struct BootIdentity: Equatable, Sendable {
    var bootId: String?
    var moduleInode: UInt64?

    static func now(_ paths: HostPaths) -> BootIdentity {
        var status = stat()
        let found = stat(paths.module("nf_conntrack"), &status) == 0
        let text = try? KernelFile.text(of: paths.bootId)
        return BootIdentity(
            bootId: text?.split(whereSeparator: \.isWhitespace).first.map(String.init),
            moduleInode: found ? UInt64(status.st_ino) : nil)
    }
}

/// The state file at the start.
enum StateFile {
    enum Loaded {
        /// There is none yet.
        case none
        case state(StateDocument)
        /// It was no state file, or of a version that this program does not know; where it lies now.
        case setAside(path: String, why: String)
    }

    static func load(_ path: String) throws(SystemError) -> Loaded {
        let text: String
        do throws(SystemError) {
            text = try KernelFile(path).text(limit: 1 << 20)
        } catch {
            if error.code == ENOENT { return .none }
            throw error
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        if let document = try? decoder.decode(StateDocument.self, from: Data(text.utf8)) {
            if document.version == StateDocument.version { return .state(document) }
            return try setAside(path, "is of version \(document.version), this program knows \(StateDocument.version)")
        }
        return try setAside(path, "is damaged")
    }

    private static func setAside(_ path: String, _ why: String) throws(SystemError) -> Loaded {
        let aside = path + ".damaged"
        guard rename(path, aside) == 0 else { throw SystemError("set aside", path, errno) }
        return .setAside(path: aside, why: why)
    }
}

extension LimitWatch.Past {
    /// What became of the host since the state file was written.
    init(_ state: StateDocument, boot: BootIdentity, now: WallTime) {
        let away = "while not watching (\(readable(seconds: max(0, now.seconds - state.timestamp))))"
        let isReboot = state.bootId != nil && boot.bootId != nil && state.bootId != boot.bootId
        let isReload = isReboot || state.moduleInode != boot.moduleInode
        let what =
            isReboot
            ? "rebooted" : !isReload ? "written" : boot.moduleInode == nil ? "module unloaded" : "module reloaded"
        self.init(
            accepted: state.accepted, fall: state.fall.map(LimitWatch.Fall.init),
            cause: isReboot ? .reboot : .whileDown, story: "\(away): \(what)", isReload: isReload,
            waived: state.waived)
    }
}

extension LimitWatch.Fall {
    /// One that the last run had said and that goes on.
    fileprivate init(_ fall: StateDocument.Fall) {
        self.init(
            from: fall.from, to: fall.to, cause: DropCause(rawValue: fall.cause) ?? .unknown,
            since: MonotonicTime(nanoseconds: 0), story: fall.story, isCarriedOver: true,
            isReload: fall.isReload ?? false)
    }
}

extension ParameterWatch.Kept {
    init(_ state: StateDocument) {
        self.init(accepted: state.parameters, reverted: state.reverted ?? [:])
    }
}
