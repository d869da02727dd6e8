// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import ConntrackModel
internal import ConntrackPublish
internal import ConntrackSystem
internal import Glibc

/// What the main thread waits for: the interval's timer, signals, and the bell that readings and records are announced by.
struct WakeUp: ~Copyable {
    /// Why it woke.
    enum Reason: Equatable {
        case tick, bell, timeout
        case signal(Int32)
    }

    private let timer: Int32
    private let signals: Int32
    private let bell: Int32
    private var poller = Poller()

    // Places in the poller.
    private static let signalCame = 0
    private static let timerRan = 1
    private static let bellRang = 2

    /// The signals it takes; blocked in every thread that is started afterwards.
    private static let taken = [SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2]

    /// Blocks the signals for this thread and those it starts, and ignores SIGPIPE. `live`: those of the terminal view too.
    static func takeSignals(live: Bool = false) {
        if live { blockTerminalSignals() }
        var set = signalSet()
        pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    private static func signalSet() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in taken { sigaddset(&set, number) }
        return set
    }

    init(interval: Duration, bell: borrowing EventDescriptor) throws(SystemError) {
        var set = WakeUp.signalSet()
        self.bell = bell.descriptor
        signals = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard signals >= 0, timer >= 0 else { throw SystemError("set up", "the event loop", errno) }

        let nanoseconds = interval.inNanoseconds
        let period = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var spec = itimerspec(it_interval: period, it_value: period)
        timerfd_settime(timer, 0, &spec, nil)

        poller.watch(WakeUp.signalCame, signals)
        poller.watch(WakeUp.timerRan, timer)
        poller.watch(WakeUp.bellRang, self.bell)
    }

    deinit {
        close(timer)
        close(signals)
    }

    /// What is due is looked for again at this distance, so that a look that is about to come is waited for.
    private static let shortest = Duration.milliseconds(20)

    /// Waits for the next of them, or for `deadline`; nil = as long as it takes. Several at once come one after the other,
    /// signals first.
    mutating func wait(until deadline: MonotonicTime?) -> Reason {
        let left = deadline.map { max(WakeUp.shortest, $0 - Moment.now().monotonic).inNanoseconds }
        poller.wait(left.map { UInt64($0) })
        if poller.isReady(WakeUp.signalCame) {
            var info = signalfd_siginfo()
            if read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { return .signal(Int32(info.ssi_signo)) }
        }
        if poller.isReady(WakeUp.timerRan) {
            var expirations: UInt64 = 0
            if read(timer, &expirations, 8) == 8 { return .tick }
        }
        guard poller.isReady(WakeUp.bellRang) else { return .timeout }
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
        return .bell
    }
}
