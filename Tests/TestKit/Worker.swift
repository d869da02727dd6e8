// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc
internal import Synchronization

/// A thread that runs closures for others, one at a time, and ends when told to.
final class Worker: Sendable {
    private let mailbox: Mailbox
    private let turn = Mutex<Void>(())
    private let thread: pthread_t

    init() throws {
        let mailbox = Mailbox()
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(mailbox)
        let error = pthread_create(
            &thread, nil,
            { argument in
                if let argument {
                    Unmanaged<Mailbox>.fromOpaque(argument).takeRetainedValue().serve()
                }
                return nil
            }, argument.toOpaque())
        guard error == 0 else {
            argument.release()
            throw SystemError("pthread_create", code: error)
        }
        self.mailbox = mailbox
        self.thread = thread
    }

    /// The caller waits, so nothing of the closure or its result is touched by two threads at a time.
    func run<T: Sendable>(_ body: () throws -> T) throws -> T {
        nonisolated(unsafe) var result: Result<T, any Error>?
        withoutActuallyEscaping({ result = Result(catching: body) }) { job in
            nonisolated(unsafe) let job = job
            turn.withLock { _ in mailbox.deliver(job) }
        }
        guard let result else { throw TestKitError("the namespace's thread has ended") }
        return try result.get()
    }

    func stop() {
        turn.withLock { _ in mailbox.deliver(nil) }
        pthread_join(thread, nil)
    }
}

/// One job and two semaphores: `posted` wakes the thread, `finished` the caller. Only one of the two holds the job.
private final class Mailbox: @unchecked Sendable {
    private var job: (() -> Void)?
    private let posted = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let finished = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() {
        sem_init(posted, 0, 0)
        sem_init(finished, 0, 0)
    }

    deinit {
        sem_destroy(posted)
        sem_destroy(finished)
        posted.deallocate()
        finished.deallocate()
    }

    func deliver(_ job: (() -> Void)?) {
        self.job = job
        sem_post(posted)
        Self.wait(for: finished)
        self.job = nil
    }

    func serve() {
        ctk_name_thread("namespace")
        while true {
            Self.wait(for: posted)
            let ended = runJob()
            sem_post(finished)
            if ended { return }
        }
    }

    /// On its own so that no reference to the closure outlives the call.
    private func runJob() -> Bool {
        guard let job else { return true }
        job()
        return false
    }

    private static func wait(for semaphore: UnsafeMutablePointer<sem_t>) {
        while sem_wait(semaphore) != 0 && errno == EINTR {}
    }
}
