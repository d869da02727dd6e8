// SPDX-License-Identifier: GPL-3.0-or-later

internal import CSystem
internal import Glibc

/// A named POSIX thread and its end. (Foundation's Thread would bring ICU; Swift concurrency a pool that may not block.)
struct Thread: ~Copyable {
    /// How long the end of the monitor waits for a thread. Each ends within milliseconds; on a machine short of CPU it may
    /// take longer, and the last textfile is worth waiting for. Only a file system that hangs takes all of it.
    static let patience = Duration.seconds(2)

    private final class Start {
        let name: String
        let body: () -> Void
        let ended: EventDescriptor

        init(name: String, body: @escaping () -> Void) throws(SystemError) {
            self.name = name
            self.body = body
            ended = try EventDescriptor()
        }
    }

    private let start: Start
    private let handle: pthread_t

    /// Starts `body`. What it captures belongs to the new thread from here on, until `join` returns.
    init(name: String, _ body: @escaping () -> Void) throws(SystemError) {
        let start = try Start(name: name, body: body)
        let context = Unmanaged.passRetained(start)
        var handle = pthread_t()
        let code = pthread_create(
            &handle, nil,
            { context in
                guard let context else { return nil }
                let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
                cnf_name_thread(start.name)
                start.body()
                start.ended.ring()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            throw SystemError("start", "the \(name) thread", code)
        }
        self.start = start
        self.handle = handle
    }

    /// Nobody will wait for its end: its stack is freed by itself.
    consuming func detach() {
        pthread_detach(handle)
    }

    /// Waits for its end, at most `patience`. False when it is stuck (a file system that hangs): it is left behind.
    func join(within patience: Duration) -> Bool {
        guard cnf_wait_readable(start.ended.descriptor, UInt64(patience.inNanoseconds)) == 1 else {
            pthread_detach(handle)
            return false
        }
        return pthread_join(handle, nil) == 0
    }
}
