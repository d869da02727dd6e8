// SPDX-License-Identifier: GPL-3.0-or-later

internal import TestKit
internal import Testing

/// The module itself: its default, its absence, its events, and that the monitor leaves it alone.
/// A virtual machine, since here the module is built in or used by others: only there it can go.
@MainActor @Suite(.serialized, .enabled(if: Machine.canBoot))
struct ModuleTests {
    @Test(arguments: Kernel.allCases)
    func `8 times a hash size that was given at load is recognised`(kernel: Kernel) throws {
        try expectScenario("hashsize", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `the default of a machine with little memory is recognised`(kernel: Kernel) throws {
        try expectScenario("default", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `a module that is absent and loaded later is a notice and no reload`(kernel: Kernel) throws {
        try expectScenario("absent", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `events that end with a reload are missed, and counted again on the same socket`(kernel: Kernel) throws {
        try expectScenario("events", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `with leave to load modules events come back after a reload`(kernel: Kernel) throws {
        try expectScenario("load-modules", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `a stop under a listening monitor unloads the module every time`(kernel: Kernel) throws {
        try expectScenario("harmless", in: .small, on: kernel)
    }

    @Test(arguments: Kernel.allCases)
    func `groups that are left and joined again all the time hinder no stop and load no module`(kernel: Kernel) throws {
        try expectScenario("budget", in: .small, on: kernel)
    }
}
