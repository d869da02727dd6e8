// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import Testing

@testable import ConntrackEngine
@testable import ConntrackHost
@testable import ConntrackModel
@testable import ConntrackMon
@testable import ConntrackPublish
@testable import ConntrackRing
@testable import ConntrackSystem

/// Reloads counted by two witnesses: kept descriptors and uevents.
@Suite struct ModuleWatchTests {
    /// What one look says, by its letters: `.` the table, `x` no table, `t` torn, `n` no limit; then `!` an unload was
    /// proved, `-` a remove uevent, `+` an add uevent.
    private func look(_ seconds: Double, _ signs: String) -> TableLook {
        var look: TableLook =
            switch signs.first {
            case "x": .gone(at: seconds)
            case "n": .at(seconds, limit: nil)
            default: .at(seconds)
            }
        if signs.first == "t" {
            look.entries = nil
            look.entriesFault = ENOENT
        }
        look.unloaded = signs.contains("!")
        look.unloads = UInt64(signs.count { $0 == "-" })
        look.loads = UInt64(signs.count { $0 == "+" })
        return look
    }

    /// Shows `looks`, one each 0.1 s, and gives what every return said.
    private func watch(_ looks: String) -> (watch: ModuleWatch, returns: [ModuleWatch.Return]) {
        var watch = ModuleWatch()
        var returns: [ModuleWatch.Return] = []
        for (index, signs) in looks.split(separator: " ").enumerated() {
            if case .back(let back) = watch.observe(look(Double(index) / 10, String(signs))) { returns.append(back) }
        }
        return (watch, returns)
    }

    @Test(
        arguments: [
            ("nothing happened", ". . . .", 0),
            ("proof and uevents in one look", ". .!-+ . .", 1),
            ("proof first, its uevents with the next look", ". .! .-+ .", 1),
            ("proof first, its uevents apart", ". .! .- .+ .", 1),
            ("proof alone", ". .! . .", 1),
            ("uevents alone", ". .-+ . .", 1),
            ("three loads told in one look", ". .!-+-+-+ . .", 3),
            ("proof first, then three loads told", ". .! .-+-+-+ .", 3),
            ("two proofs, then both told", ". .! .! .-+-+", 2),
            ("two proofs, the first told between them", ". .! .!-+ .-+", 2),
            ("proof alone, twice", ". .! . .! .", 2),
            ("gone and back, both told", ". x!- x .+ .", 1),
            ("gone and back by proof alone", ". x! x . .", 1),
            ("gone and back, the uevents late", ". x! x . .-+", 1),
            ("gone, back and gone while nobody saw it", ". x!- x+- .+ .", 2),
            ("gone, back and gone in one look", ". x!-+- .+ .", 2),
            ("told while the sysctl is not there yet, as before Linux 5.12", ". x!- x+ . .", 1),
            ("proof first, then gone with the uevent of the first, then back", ". .! x!-+- .+", 2),
            ("proof first, then gone without a uevent, then back with one", ". .! x! .+", 2),
            ("torn by the unload", ". t! x- x .+", 1),
            ("torn by the load", ". x!- n+ . .", 1),
            ("torn, its uevents with it", ". t!-+-+ .", 2),
            ("the limit unreadable, its uevents with it", ". n!-+ . .", 1),
            ("the limit unreadable, proof alone", ". n! n .", 1),
        ] as [(String, String, UInt64)])
    func `each reload is counted once`(_ what: String, _ looks: String, _ reloads: UInt64) {
        let (watch, returns) = watch(looks)

        #expect(watch.reloads == reloads, "\(what)")
        #expect(returns.map(\.times).reduce(0, +) == reloads, "\(what)")
    }

    @Test(
        arguments: [
            ("its uevent with the first whole look", "x .+ . .", 0),
            ("its uevent after it", "x . .+ .", 0),
            ("its uevent before it", "x x+ . .", 0),
            ("its uevent never", "x . . .", 0),
            ("torn", "x n+ . .", 0),
            ("loaded twice before anybody saw it", "x x+-+ . .", 1),
            ("its uevent before it, then a reload", "x x+ . .!-+ .", 1),
            ("its uevent with it, then a reload", "x .+ .!-+ .", 1),
            ("its uevent after it, together with a reload's", "x . .!+-+ .", 1),
            ("there and gone unseen, then there with its uevent late", "x x+- . .+", 1),
            ("there from the start, then a reload", ". .!-+ .", 1),
        ] as [(String, String, UInt64)])
    func `the first load is no reload`(_ what: String, _ looks: String, _ reloads: UInt64) {
        #expect(watch(looks).watch.reloads == reloads, "\(what)")
    }

    @Test func `a uevent that comes later than a second after the proof is a reload of its own`() {
        var watch = ModuleWatch()
        _ = watch.observe(look(0, "."))
        _ = watch.observe(look(1, ".!"))
        _ = watch.observe(look(2.001, ".-+"))

        #expect(watch.reloads == 2)
    }

    @Test func `an absence lasts from the look that first missed the module to the one that shows it`() {
        let (watch, returns) = watch(". x!- x x n+ . .")

        #expect(returns == [ModuleWatch.Return(gone: .milliseconds(400), times: 1)])
        #expect(watch.lastAbsence == .milliseconds(400))
        #expect(watch.absentSince == nil)
    }

    @Test func `between two looks there is no absence to measure`() {
        #expect(watch(". .!-+ .").returns == [ModuleWatch.Return(gone: nil, times: 1)])
    }

    @Test func `never seen is said once, seen and gone never`() {
        var watch = ModuleWatch()
        let changes = ["x", "x", ".", "x!", "x"].enumerated().map { watch.observe(look(Double($0), $1)) }

        #expect(changes == [.absent, .none, .none, .none, .none])
        #expect(watch.absentSince == Moment.at(3).monotonic)
    }
}
