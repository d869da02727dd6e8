// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

/// What watch and check say through restarts of a firewall that unloads nf_conntrack, as EL6's does.
/// A virtual machine, since only there a real module may be unloaded.
@MainActor @Suite(.serialized, .enabled(if: Machine.canBoot))
struct RestartTests {
    @Test(arguments: Kernel.allCases)
    func `a restart that takes limit and timeouts is told at once, judged later, ended by the cure`(
        kernel: Kernel
    ) throws {
        let measured = try expectScenario("restart", in: .restarts, on: kernel)
        #expect(try #require(measured["modprobe ended to module_reloaded"]) < 150)
    }

    @Test(arguments: Kernel.allCases)
    func `a restart that a rule of ip6tables spares is nothing to speak of`(kernel: Kernel) throws {
        try expectScenario("spared", in: .restarts, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `a limit that a sysctl list restores within the settle time is one notice and no alert`(kernel: Kernel) throws
    {
        try expectScenario("load-list", in: .restarts, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `a firewall that stops and does not start again is critical until it does`(kernel: Kernel) throws {
        try expectScenario("stop", in: .restarts, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `three reloads in a row count three, with one notice and one alert`(kernel: Kernel) throws {
        try expectScenario("three-reloads", in: .restarts, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `a reload between two looks is seen at once by its uevent`(kernel: Kernel) throws {
        let measured = try expectScenario("between-looks", in: .restarts, on: kernel)
        #expect(try #require(measured["modprobe ended to module_reloaded, sampled every 2 s"]) < 150)
    }

    @Test(arguments: Kernel.allCases)
    func `where no uevent arrives the kept descriptor proves a reload`(kernel: Kernel) throws {
        try expectScenario("without-uevents", in: .restarts, on: kernel)
    }
}
