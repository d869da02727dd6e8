// SPDX-License-Identifier: GPL-3.0-or-later

import Glibc
import TestKit
import Testing

@testable import ConntrackMon

/// The examination that `watch` has done every hour, and where its limit looks like coming from.
@Suite struct HourlyDoctorTests {
    private let directory: TemporaryDirectory
    private let limitFile = "proc/sys/net/netfilter/nf_conntrack_max"

    init() throws {
        directory = try TemporaryDirectory()
        try directory.write("1000\n", to: limitFile)
        try directory.write("0\n", to: "sys/module/nf_conntrack/refcnt")
    }

    private var doctor: HourlyDoctor {
        HourlyDoctor(
            root: directory.path, procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
    }

    private func time(_ seconds: Double) -> MonotonicTime { Moment.at(seconds).monotonic }

    @Test func `the first report appears by itself`() {
        let doctor = doctor
        #expect(doctor.report == nil)
        #expect(doctor.step(now: time(0)))

        #expect(eventually { doctor.report?.limit == 1000 })
    }

    @Test func `the next is an hour later, and replaces it`() throws {
        let doctor = doctor
        #expect(doctor.step(now: time(0)))
        #expect(eventually { doctor.report != nil })
        try directory.write("2000\n", to: limitFile)
        #expect([1, 3599.9].map { doctor.step(now: time($0)) } == [false, false])
        #expect(doctor.report?.limit == 1000)
        #expect(doctor.step(now: time(3600)))

        #expect(eventually { doctor.report?.limit == 2000 })
    }

    @Test func `no thread is left when it is done`() throws {
        func threads() throws -> Int {
            // A thread that ends meanwhile is none.
            try names(in: "/proc/self/task").count { (try? readFile("/proc/self/task/\($0)/comm")) == "doctor\n" }
        }
        let doctor = doctor
        for hour in 0..<8 { #expect(doctor.step(now: time(Double(hour) * 3600))) }
        #expect(eventually { doctor.report != nil })

        #expect(try eventually { try threads() == 0 })
    }

    // MARK: Where a limit comes from

    private func origin() throws -> LimitOrigin {
        try directory.write("MemTotal:        2027280 kB\n", to: "proc/meminfo")
        try directory.write("6.1.0-56-cloud-amd64\n", to: "proc/sys/kernel/osrelease")
        return .ofHost(
            root: directory.path, procfs: directory.path(of: "proc"), sysfs: directory.path(of: "sys"))
    }

    @Test func `the kernel's default is called so`() throws {
        let guess = try origin().guess(65_536, 65_536)

        #expect(guess == .init(text: "this kernel's default for 1.9 GB of memory"))
    }

    @Test func `a number that nobody chooses is nobody's`() throws {
        #expect(try origin().guess(777_777, 65_536) == nil)
    }

    @Test func `a hash size gives eight times itself`() throws {
        #expect(try origin().guess(1_048_576, 131_072)?.text == "8 x hashsize 131072, as a load with it gives")
    }
}
