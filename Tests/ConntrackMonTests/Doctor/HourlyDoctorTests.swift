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
            let listing = try Command("sh", "-c", "cat /proc/\(getpid())/task/*/comm").run().standardOutput
            return listing.split(separator: "\n").count { $0 == "doctor" }
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

    @Test func `the kernel's default is recognised by what the host says of itself`() throws {
        let guess = try origin().guess(limit: 65_536, buckets: 65_536)

        #expect(guess == .kernelDefault(memory: 2_027_280 * 1024))
        #expect(guess?.text == "this kernel's default for 1.9 GB of memory")
    }

    @Test func `a number that nobody chooses is nobody's`() throws {
        #expect(try origin().guess(limit: 777_777, buckets: 65_536) == nil)
    }

    @Test func `a kube-proxy that starts later is another origin`() throws {
        let before = try origin()
        #expect(!before.hasKubeProxy)
        try directory.write("", to: "var/lib/kubelet/config.yaml")
        try directory.write("kube-proxy\n", to: "proc/77/comm")
        try directory.write("kube-proxy\u{0}", to: "proc/77/cmdline")

        #expect(try origin().hasKubeProxy)
        #expect(try origin() != before)
    }
}
