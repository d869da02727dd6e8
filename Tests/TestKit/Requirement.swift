// SPDX-License-Identifier: GPL-3.0-or-later

internal import CTestKit
internal import Glibc
internal import Synchronization

/// What a test needs of the machine, for `.enabled(if: Requirement.met(.networkNamespace))`.
///
/// A test is skipped only for an ordinary user; in CI (CI=true) and for root it runs and fails by itself instead. `make unit`
/// skips every test that requires anything.
public enum Requirement: Sendable, Equatable {
    /// Processes may be started: everywhere but in `make unit`, which has no namespaces either.
    case process
    /// A network namespace can be made: root, or inside `unshare -Urn`.
    case networkNamespace
    /// The program is found in PATH.
    case program(String)
    /// Root in the initial user namespace: who can become another user, name namespaces and write the host's limit.
    case initialRoot
    /// A Debian kernel of this version ("6.1") lies in .build/vm.
    case kernelImage(String)

    /// Whether all are met, or must be. What is skipped, and why, goes to standard error, once a reason.
    public static func met(_ requirements: Requirement...) -> Bool {
        guard !isUnit || requirements.isEmpty else { return false }
        let reasons = requirements.compactMap(\.unmet)
        guard !reasons.isEmpty, !skippingForbidden else { return true }
        for reason in reasons where told.withLock({ $0.insert(reason).inserted }) {
            note("skipped: \(reason)\n")
        }
        return false
    }

    /// Why the requirement is not met, or nil.
    public var unmet: String? {
        switch self {
        case .process: nil
        case .networkNamespace: Self.namespaceProblem
        case .program(let name): Self.inPath(name) ? nil : "\(name) is not installed"
        case .initialRoot: Self.isInitialRoot ? nil : "needs root in the initial user namespace"
        case .kernelImage(let version):
            Self.hasKernel(version) ? nil : "no kernel \(version) in .build/vm (Tests/VM/kernel.sh fetches it)"
        }
    }

    /// UNIT=1, as `make unit` has it: only what needs nothing but this process is run.
    static let isUnit = getenv("UNIT").map { String(cString: $0) } == "1"

    /// CI=true, or root in the initial user namespace.
    public static let skippingForbidden: Bool = {
        getenv("CI").map { String(cString: $0) } == "true" || isInitialRoot
    }()

    /// The kernel fixes the initial user namespace's inode number (PROC_USER_INIT_INO).
    private static let isInitialRoot: Bool = {
        var status = stat()
        return geteuid() == 0 && stat("/proc/self/ns/user", &status) == 0 && status.st_ino == 0xEFFF_FFFD
    }()

    private static let told = Mutex<Set<String>>([])

    private static let namespaceProblem: String? = {
        do {
            _ = try TestNamespace()
            return nil
        } catch {
            return "no network namespace (\(error)); run as root or under unshare -Urn"
        }
    }()

    private static func inPath(_ name: String) -> Bool {
        let directories = getenv("PATH").map { String(cString: $0) }?.split(separator: ":") ?? []
        return directories.contains { access("\($0)/\(name)", X_OK) == 0 }
    }

    private static func hasKernel(_ version: String) -> Bool {
        var found = glob_t()
        defer { globfree(&found) }
        return glob("\(Repository.root)/.build/vm/linux-image-\(version).*/boot/vmlinuz-*", 0, nil, &found) == 0
    }

    private static func note(_ text: String) {
        _ = text.withCString { write(STDERR_FILENO, $0, strlen($0)) }
    }
}
