// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc

/// What the main thread waits for: the interval's timer, signals, and the reader's bell.
struct EventLoop: ~Copyable {
    /// Why it woke.
    enum Wake: Equatable {
        case tick, bell, timeout
        case signal(Int32)
    }

    private let epoll: Int32
    private let timer: Int32
    private let signals: Int32
    private let bell: Int32

    /// The signals it takes; blocked in every thread that is started afterwards.
    static let taken = [SIGTERM, SIGINT, SIGHUP, SIGUSR1]

    /// Blocks the signals for this thread and those it starts, and ignores SIGPIPE.
    static func takeSignals() {
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

    init(interval: Duration, bell: Int32) throws(SystemError) {
        var set = EventLoop.signalSet()
        self.bell = bell
        signals = signalfd(-1, &set, Int32(SFD_CLOEXEC) | Int32(SFD_NONBLOCK))
        timer = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard signals >= 0, timer >= 0, epoll >= 0 else { throw SystemError("set up", "the event loop", errno) }

        let nanoseconds = interval.inNanoseconds
        let period = timespec(tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        var spec = itimerspec(it_interval: period, it_value: period)
        timerfd_settime(timer, 0, &spec, nil)
        for descriptor in [timer, signals, bell] {
            var event = epoll_event(events: EPOLLIN.rawValue, data: epoll_data_t(fd: descriptor))
            guard epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
                throw SystemError("set up", "the event loop", errno)
            }
        }
    }

    deinit {
        close(epoll)
        close(timer)
        close(signals)
    }

    /// Waits for the next of them; `timeout` nil = as long as it takes. Several at once come one after the other,
    /// signals first.
    func wait(timeout: Duration?) -> Wake {
        let milliseconds = timeout.map { Int32(clamping: $0.inNanoseconds / 1_000_000) } ?? -1
        var events = [epoll_event](repeating: epoll_event(), count: 3)
        let count = Int(epoll_wait(epoll, &events, 3, milliseconds))
        let ready = count > 0 ? events.prefix(count).map(\.data.fd) : []
        if ready.contains(signals) {
            var info = signalfd_siginfo()
            if read(signals, &info, MemoryLayout<signalfd_siginfo>.size) > 0 { return .signal(Int32(info.ssi_signo)) }
        }
        if ready.contains(timer) {
            var expirations: UInt64 = 0
            if read(timer, &expirations, 8) == 8 { return .tick }
        }
        return ready.contains(bell) ? .bell : .timeout
    }
}
