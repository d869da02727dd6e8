// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc

/// A child just started: its process id and our ends of its pipes.
struct Spawned: Sendable {
    let process: pid_t
    let standardOutput: Int32
    let standardError: Int32

    init(_ command: Command) throws {
        let output = try Pipe()
        let error: Pipe
        let input: Int32
        do {
            error = try Pipe()
        } catch {
            output.closeBoth()
            throw error
        }
        do {
            input = try Self.openInput(command.input)
        } catch let problem {
            output.closeBoth()
            error.closeBoth()
            throw problem
        }
        defer {
            close(input)
            close(output.writing)
            close(error.writing)
        }
        do {
            process = try Self.spawn(command, [input, output.writing, error.writing])
        } catch let problem {
            close(output.reading)
            close(error.reading)
            throw problem
        }
        standardOutput = output.reading
        standardError = error.reading
    }

    /// A file rather than a pipe: a child that does not read it cannot stop us.
    private static func openInput(_ text: String?) throws -> Int32 {
        guard let text else {
            let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard null >= 0 else { throw SystemError("open /dev/null") }
            return null
        }
        let descriptor = try SystemError.check("memfd_create", ctk_memory_file())
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, lseek(descriptor, 0, SEEK_SET) == 0 else {
            defer { close(descriptor) }
            throw SystemError("write input")
        }
        return descriptor
    }

    private static func spawn(_ command: Command, _ descriptors: [Int32]) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }

        // A test runner may have signals blocked or ignored; the child starts as from a shell.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var process: pid_t = 0
        let error = try withCStrings([command.program] + command.arguments) { arguments in
            try withCStrings(environment(command.environment)) { environment in
                posix_spawnp(&process, command.program, &actions, &attributes, arguments, environment)
            }
        }
        guard error == 0 else { throw SystemError("start \(command.program)", code: error) }
        return process
    }

    private static func environment(_ changes: [String: String?]) -> [String] {
        var lines: [String] = []
        var next = environ
        while let entry = next.pointee {
            let line = String(cString: entry)
            let name = line.prefix { $0 != "=" }
            if changes[String(name)] == nil { lines.append(line) }
            next += 1
        }
        return lines + changes.compactMap { name, value in value.map { "\(name)=\($0)" } }
    }

    private static func withCStrings<T>(
        _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> T
    ) throws -> T {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return try body(copies + [nil])
    }
}

private struct Pipe {
    let reading: Int32
    let writing: Int32

    init() throws {
        var ends: [Int32] = [-1, -1]
        try SystemError.check("pipe2", ctk_pipe(&ends))
        reading = ends[0]
        writing = ends[1]
    }

    func closeBoth() {
        close(reading)
        close(writing)
    }
}
