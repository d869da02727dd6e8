// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
package import ConntrackModel
internal import Glibc

/// A named POSIX thread and its end. (Foundation's Thread would bring ICU; Swift concurrency a pool that may not block.)
package struct Thread: ~Copyable {
    /// How long the end of the monitor waits for a thread. Each ends within milliseconds; on a machine short of CPU it may
    /// take longer, and the last textfile is worth waiting for. Only a file system that hangs takes all of it.
    package static let patience = Duration.seconds(2)

    private final class End: Sendable {
        let bell: EventDescriptor

        init() throws(SystemError) {
            bell = try EventDescriptor()
        }
    }

    /// What the new thread gets.
    private class Start {
        let name: String
        let end: End

        init(name: String, end: End) {
            self.name = name
            self.end = end
        }

        func run() {}
    }

    private final class Body: Start {
        let body: () -> Void

        init(name: String, end: End, body: @escaping () -> Void) {
            self.body = body
            super.init(name: name, end: end)
        }

        override func run() { body() }
    }

    private final class Owner<State: ~Copyable>: Start {
        var state: State
        let body: @Sendable (inout State) -> Void

        init(name: String, end: End, state: consuming State, body: @escaping @Sendable (inout State) -> Void) {
            self.state = state
            self.body = body
            super.init(name: name, end: end)
        }

        override func run() { body(&state) }
    }

    private let end: End
    private let handle: pthread_t

    /// Starts `body` with `state`, which belongs to the new thread from here on and ends with it.
    package init<State: ~Copyable>(
        name: String, owning state: consuming sending State, _ body: @escaping @Sendable (inout State) -> Void
    ) throws(SystemError) {
        let end = try End()
        try self.init(end, Owner(name: name, end: end, state: state, body: body))
    }

    /// Starts `body`. What it captures belongs to the new thread from here on, until `join` returns.
    package init(name: String, _ body: @escaping () -> Void) throws(SystemError) {
        let end = try End()
        try self.init(end, Body(name: name, end: end, body: body))
    }

    private init(_ end: End, _ start: Start) throws(SystemError) {
        let context = Unmanaged.passRetained(start)
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                Thread.run(Unmanaged<Start>.fromOpaque(context).takeRetainedValue()).bell.ring()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("start", "the \(start.name) thread", code)
        }
        self.end = end
        self.handle = handle
    }

    /// Whoever hears of the end finds that everything which the thread owned has ended before it.
    @inline(never)
    private static func run(_ start: consuming Start) -> End {
        cnf_name_thread(start.name)
        start.run()
        return start.end
    }

    /// Nobody will wait for its end: its stack is freed by itself.
    package consuming func detach() {
        pthread_detach(handle)
    }

    /// Turns readable at its end, and stays so.
    package var endDescriptor: Int32 { end.bell.descriptor }

    /// Waits for its end, at most `patience`. False when it is stuck (a file system that hangs): it is left behind.
    package func join(within patience: Duration) -> Bool {
        guard cnf_wait_readable(end.bell.descriptor, UInt64(max(0, patience.inNanoseconds))) == 1 else {
            pthread_detach(handle)
            return false
        }
        return pthread_join(handle, nil) == 0
    }
}
