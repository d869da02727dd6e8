// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import ConntrackModel
internal import ConntrackSystem
internal import Glibc

/// What the terminal view asks of the main thread.
package enum TerminalRequest: Equatable, Sendable {
    /// Somebody wants to end it.
    case quit
    /// The terminal was closed.
    case gone
}

/// The thread of the terminal view. Whoever has the terminal cannot make it wait; while the terminal takes nothing, nothing is
/// drawn.
final class TerminalWriter: Sendable {
    struct Plan: Sendable {
        var identity: Identity
        var capabilities: LiveView.Capabilities
        /// As inherited.
        var output: Int32
        /// Announcements would be written over the view: they are kept, and said when it is over.
        var keepsAnnouncements: Bool
    }

    /// How many of what was said are kept for the end.
    static let longestKept = 1000

    let reports: Mailbox<Report>
    let announcements: Mailbox<Announcement>
    private let requests: Mailbox<TerminalRequest>
    private let plan: Plan
    private let tell: @Sendable ([Announcement]) -> Void

    /// `bell`: rung when there are requests. `tell`: gets what was kept, when the terminal is as it was.
    init(plan: Plan, bell: Int32?, tell: @escaping @Sendable ([Announcement]) -> Void) throws(SystemError) {
        self.plan = plan
        self.tell = tell
        reports = try Mailbox(capacity: 4, givingWay: .oldest)
        announcements = try Mailbox(capacity: 1024, givingWay: .newest, ringing: reports.descriptor)
        if let bell {
            requests = try Mailbox(capacity: 16, givingWay: .newest, ringing: bell)
        } else {
            requests = try Mailbox(capacity: 16, givingWay: .newest)
        }
    }

    /// Nothing comes after this.
    func close() {
        announcements.close()
        reports.close()
    }

    /// What was asked since it was asked last.
    func takeRequests() -> [TerminalRequest] { requests.takeAll() }

    /// Announcements that were never shown.
    var lost: UInt64 { announcements.lost }

    /// What the thread alone has.
    private struct Screen: ~Copyable {
        var terminal: Terminal
        var view: LiveView
        var keys = LiveKeyReader()
        var signals: Int32
        var poller = Poller()
        /// What the terminal shows once it has taken all; nil = nothing is known.
        var shown: Frame?
        /// There is something new to draw.
        var isStale = true
        /// What it showed is to stay when it ends.
        var leavesScreen = false
        var saidGone = false
        var kept: [Announcement] = []
        var unkept = 0

        init(_ plan: Plan, _ terminal: consuming Terminal, signals: Int32) {
            self.terminal = terminal
            self.signals = signals
            view = LiveView(identity: plan.identity, capabilities: plan.capabilities)
        }

        deinit {
            Glibc.close(signals)
        }
    }

    /// Takes the terminal over and starts the thread: it ends when it was closed, and gives the terminal back. The signals
    /// of `terminalSignals` must be blocked.
    func start() throws(SystemError) -> Thread {
        let terminal = try Terminal(plan.output)
        var set = terminalSignals()
        let signals = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        guard signals >= 0 else { throw SystemError("set up", "the terminal view", errno) }
        return try Thread(name: "terminal", owning: Screen(plan, terminal, signals: signals)) { [self] in run(&$0) }
    }

    private func run(_ screen: inout Screen) {
        if screen.terminal.isForeground { screen.terminal.enter() }
        var isLast = false
        while !isLast {
            wait(&screen)
            isLast = reports.isClosed
            takeSignals(&screen)
            takeNews(&screen)
            takeKeys(&screen)
            watchTerminal(&screen)
            draw(&screen)
        }
        leave(&screen)
        if screen.unkept > 0 {
            let text = "\(screen.unkept) earlier lines were shown only in the terminal view's log"
            let time = screen.kept.first?.time ?? Moment.now().wall
            tell([Announcement(time: time, name: "monitor", state: .log, summary: text)])
        }
        tell(screen.kept)
    }

    // MARK: What comes

    /// How long an escape waits for the rest of a sequence.
    private static let escapeTime: UInt64 = 50_000_000

    private func wait(_ screen: inout Screen) {
        let isOurs = screen.terminal.isEntered && !screen.terminal.isGone
        screen.poller.watch(0, reports.descriptor)
        screen.poller.watch(1, isOurs ? screen.terminal.descriptor : -1)
        screen.poller.watch(2, isOurs && screen.terminal.isWaiting ? screen.terminal.descriptor : -1, for: .writing)
        screen.poller.watch(3, screen.signals)
        screen.poller.wait(screen.keys.isWaiting ? TerminalWriter.escapeTime : nil)
        reports.silence()
    }

    private func takeSignals(_ screen: inout Screen) {
        guard screen.poller.isReady(3) else { return }
        var info = signalfd_siginfo()
        while read(screen.signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 {
            switch Int32(info.ssi_signo) {
            case SIGTSTP:
                screen.terminal.leave()
                screen.shown = nil
                // This thread stops at once, and all others with it.
                raise(SIGSTOP)
            case SIGCONT:
                // Whoever stopped us may have changed the terminal.
                screen.shown = nil
                if screen.terminal.isForeground {
                    screen.terminal.leave()
                    screen.terminal.enter()
                }
            default: break
            }
            screen.isStale = true
        }
    }

    private func takeNews(_ screen: inout Screen) {
        for announcement in announcements.takeAll() {
            screen.view.take(announcement)
            screen.isStale = true
            guard plan.keepsAnnouncements else { continue }
            screen.kept.append(announcement)
            if screen.kept.count > TerminalWriter.longestKept {
                screen.kept.removeFirst()
                screen.unkept += 1
            }
        }
        for report in reports.takeAll() {
            screen.view.take(report)
            screen.isStale = true
        }
    }

    private func takeKeys(_ screen: inout Screen) {
        guard screen.terminal.isEntered else { return }
        var keys: [LiveKey] = []
        if screen.poller.isReady(1) {
            keys = screen.keys.take(screen.terminal.read())
        } else if screen.keys.isWaiting {
            keys = screen.keys.finish()
        }
        for key in keys {
            screen.isStale = true
            for effect in screen.view.press(key) {
                switch effect {
                case .quit(let leavesScreen):
                    screen.leavesScreen = leavesScreen
                    requests.put(.quit)
                }
            }
        }
    }

    /// The shell may have taken the terminal, or given it back without a signal.
    private func watchTerminal(_ screen: inout Screen) {
        screen.terminal.noticeEnd()
        if screen.terminal.isGone, !screen.saidGone {
            screen.saidGone = true
            requests.put(.gone)
        }
        if !screen.terminal.isEntered, !screen.terminal.isGone, screen.terminal.isForeground {
            screen.shown = nil
            screen.isStale = true
            screen.terminal.enter()
        }
    }

    // MARK: What goes

    private func draw(_ screen: inout Screen) {
        screen.terminal.flush()
        guard screen.isStale, screen.terminal.isEntered, !screen.terminal.isGone, !screen.terminal.isWaiting else {
            return
        }
        let frame = screen.view.render(screen.terminal.size)
        screen.terminal.put(frame.paint(over: screen.shown, colour: plan.capabilities.hasColour))
        screen.shown = frame
        screen.isStale = false
    }

    private func leave(_ screen: inout Screen) {
        let last = screen.leavesScreen ? screen.shown?.printed(colour: plan.capabilities.hasColour) : nil
        screen.terminal.leave(printing: last ?? [])
    }
}

/// The signals that the terminal's thread takes: to be blocked in every thread. SIGTTOU and SIGTTIN only so that nothing
/// stops when the shell has the terminal.
private func terminalSignals() -> sigset_t {
    var set = sigset_t()
    sigemptyset(&set)
    for number in [SIGTSTP, SIGCONT, SIGWINCH] { sigaddset(&set, number) }
    return set
}

/// Blocks what the terminal view takes by itself, for this thread and those it starts.
package func blockTerminalSignals() {
    var set = terminalSignals()
    for number in [SIGTTOU, SIGTTIN] { sigaddset(&set, number) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
}
