// SPDX-License-Identifier: GPL-3.0-or-later

internal import ConntrackHost
public import ConntrackModel
public import ConntrackPublish
internal import ConntrackSystem
internal import Glibc

/// What a running `watch` has left in its run directory, as far as it can be believed.
public enum MonitorWord: Equatable, Sendable {
    /// None watches this table here, or it has stopped.
    case none
    /// It watches: what it said, so many seconds ago.
    case said(StatusDocument, age: Double)
    /// It has not stopped, and has said nothing for so many seconds: it was killed, is stopped, or hangs.
    case silent(StatusDocument, age: Double)
    /// Its file is of no use, and why.
    case unusable(String)

    /// A monitor that goes on replaces its file each interval. Beyond this it does not answer.
    static let deadline = 45.0

    /// What its document is to be compared with: this look's place and boot.
    public struct Place: Equatable, Sendable {
        /// Which /proc is looked at.
        public var procfs: String
        /// Which network namespace.
        public var netnsInode: UInt64?
        /// Which boot this is; nil where /proc does not say.
        public var bootId: String?

        /// A place.
        public init(procfs: String, netnsInode: UInt64?, bootId: String?) {
            self.procfs = procfs
            self.netnsInode = netnsInode
            self.bootId = bootId
        }
    }

    /// What `document` is worth at `now`. Its age is measured by the time since boot, which nobody sets.
    public init(_ document: StatusDocument, at place: Place, now: Moment) {
        guard document.procfs == place.procfs, document.netnsInode == place.netnsInode, document.up else {
            self = .none
            return
        }
        let uptime = Double(now.monotonic.nanoseconds) / 1e9
        guard let written = document.uptimeSeconds else {
            self = .unusable("was written by another version")
            return
        }
        let age = uptime - written
        let isOfThisBoot: Bool
        if let boot = document.bootId, let own = place.bootId {
            isOfThisBoot = boot == own
        } else {
            // Only the wall clock is left to tell boots apart; a minute for those that start before it is set.
            isOfThisBoot = document.timestamp > now.wall.seconds - uptime - 60
        }
        // No monitor of this boot wrote at a time to come.
        guard isOfThisBoot, age > -5 else {
            self = .none
            return
        }
        // With a long interval the file is replaced that seldom.
        self =
            age > max(MonitorWord.deadline, document.patience) ? .silent(document, age: age) : .said(document, age: age)
    }

    /// Reads `status.json` in `folder`. Where its monitor seems not to answer, it is given a moment: a machine that goes on
    /// after a suspend finds an old file, which is replaced at once.
    static func read(in folder: String, at place: Place) -> MonitorWord {
        var word = readOnce(in: folder, at: place)
        for _ in 0..<15 {
            guard case .silent = word else { break }
            usleep(100_000)
            word = readOnce(in: folder, at: place)
        }
        return word
    }

    private static func readOnce(in folder: String, at place: Place) -> MonitorWord {
        do throws(SystemError) {
            let text = try KernelFile.text(of: folder + "/status.json")
            guard let document = try? StatusDocument.parse(text) else { return .unusable("is damaged") }
            return MonitorWord(document, at: place, now: .now())
        } catch {
            return error.code == ENOENT ? .none : .unusable("\(SystemError.text(error.code))")
        }
    }
}
