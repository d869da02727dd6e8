// SPDX-License-Identifier: GPL-3.0-or-later

internal import Glibc

/// A value that one thread at a time sees.
///
/// Not Synchronization's Mutex: where threads wait for that the kernel hands it over (FUTEX_LOCK_PI) in code of the library's,
/// which ThreadSanitizer does not see, so that it tells of races that there are none. It knows a pthread_mutex.
///
/// `@unchecked Sendable`: the value is reached through the mutex only.
package struct Lock<Value>: ~Copyable, @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    /// Nobody holds it.
    package init(_ value: consuming sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        self.value = .allocate(capacity: 1)
        self.value.initialize(to: value)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        value.deinitialize(count: 1)
        value.deallocate()
    }

    /// Waits until no other thread is inside, and lends the value to `body`. Never from inside `body`.
    package borrowing func withLock<Result, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
