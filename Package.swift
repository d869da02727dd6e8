// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-3.0-or-later

import PackageDescription

let package = Package(
    name: "conntrack-mon",
    products: [
        .executable(name: "conntrack-mon", targets: ["CLI"])
    ],
    dependencies: [
        // Flags.swift answers its reflection from a table, which a later minor version may read differently.
        .package(url: "https://github.com/apple/swift-argument-parser", .upToNextMinor(from: "1.8.2"))
    ],
    targets: [
        // What Swift's Glibc module lacks: epoll, eventfd, setns, thread names.
        .target(name: "CSystem"),
        // The 64-byte records of the ring and the entries of a dump: structs, no function.
        .target(name: "CRecord"),
        // Stages 1 and 2: the only code that speaks netlink.
        .target(
            name: "CNetfilter",
            dependencies: ["CRecord"],
            linkerSettings: [.linkedLibrary("netfilter_conntrack"), .linkedLibrary("mnl")]
        ),
        // The rooms of the Swift library. What a room may import stands here; see docs/architecture.md.
        // Plain values, and their words.
        .target(name: "ConntrackModel", path: "Sources/ConntrackMon/Model"),
        // Threads, doorbells, the poller, and the only clock.
        .target(
            name: "ConntrackSystem", dependencies: ["ConntrackModel", "CSystem"], path: "Sources/ConntrackMon/System"),
        // Stage 3: records from the reader to the engine.
        .target(name: "ConntrackRing", dependencies: ["CRecord"], path: "Sources/ConntrackMon/Ring"),
        // Stages 4 and 5, pure: observations in, outputs out.
        .target(
            name: "ConntrackEngine",
            dependencies: ["ConntrackModel", "ConntrackRing", "CRecord"],
            path: "Sources/ConntrackMon/Engine"
        ),
        // Stages 1 and 2: the host that is looked at.
        .target(
            name: "ConntrackHost",
            dependencies: [
                "ConntrackModel", "ConntrackRing", "ConntrackSystem", "CNetfilter", "CSystem", "CRecord",
            ],
            path: "Sources/ConntrackMon/Host"
        ),
        // Stage 6: lines, documents, sinks.
        .target(
            name: "ConntrackPublish",
            dependencies: ["ConntrackModel", "ConntrackSystem", "CSystem"],
            path: "Sources/ConntrackMon/Publish"
        ),
        // Monitor.swift wires them; commands, options, state.
        .target(
            name: "ConntrackMon",
            dependencies: [
                "ConntrackModel", "ConntrackSystem", "ConntrackRing", "ConntrackEngine", "ConntrackHost",
                "ConntrackPublish", "CNetfilter", "CSystem", "CRecord",
            ],
            path: "Sources/ConntrackMon/Monitor"
        ),
        .executableTarget(
            name: "CLI",
            dependencies: [
                "ConntrackMon",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]
        ),

        // What only tests use: network namespaces, traffic, batched ctnetlink messages.
        .target(
            name: "CTestKit",
            path: "Tests/CTestKit",
            linkerSettings: [.linkedLibrary("netfilter_conntrack"), .linkedLibrary("mnl")]
        ),
        .target(name: "TestKit", dependencies: ["CTestKit"], path: "Tests/TestKit"),

        // `make bench`: what is measured with and against, in C, and what runs it all and writes it down.
        .executableTarget(
            name: "BenchmarkFloors",
            dependencies: ["CTestKit"],
            path: "Benchmarks/Floors",
            linkerSettings: [.linkedLibrary("bpf")]
        ),
        .executableTarget(name: "Benchmarks", dependencies: ["TestKit"], path: "Benchmarks/Driver"),
        .executableTarget(
            name: "EngineBenchmark",
            dependencies: ["ConntrackEngine", "ConntrackModel", "ConntrackRing", "CRecord"],
            path: "Benchmarks/Engine"
        ),

        .testTarget(name: "TestKitTests", dependencies: ["TestKit"]),
        .testTarget(
            name: "CNetfilterTests", dependencies: ["CNetfilter", "CRecord", "CSystem", "CTestKit", "TestKit"]),
        // What the rooms' tests share: moments, samples, entries and reports made up, comparison with Tests/Golden.
        .target(
            name: "UnitKit",
            dependencies: ["ConntrackModel", "ConntrackEngine", "ConntrackHost", "CRecord", "TestKit"],
            path: "Tests/UnitKit"
        ),
        .testTarget(name: "ModelTests", dependencies: ["ConntrackModel", "UnitKit"]),
        .testTarget(name: "SystemTests", dependencies: ["ConntrackModel", "ConntrackSystem", "UnitKit", "TestKit"]),
        .testTarget(name: "RingTests", dependencies: ["ConntrackRing", "CRecord"]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "ConntrackModel", "ConntrackRing", "ConntrackEngine", "ConntrackPublish", "CRecord", "UnitKit",
                "TestKit",
            ]),
        .testTarget(
            name: "HostTests",
            dependencies: [
                "ConntrackModel", "ConntrackEngine", "ConntrackHost", "ConntrackPublish", "CRecord", "UnitKit",
                "TestKit",
            ]),
        .testTarget(
            name: "PublishTests",
            dependencies: [
                "ConntrackModel", "ConntrackSystem", "ConntrackEngine", "ConntrackPublish", "CRecord", "UnitKit",
                "TestKit",
            ]),
        .testTarget(
            name: "MonitorTests",
            dependencies: [
                "ConntrackModel", "ConntrackSystem", "ConntrackRing", "ConntrackEngine", "ConntrackHost",
                "ConntrackPublish", "ConntrackMon", "CRecord", "UnitKit", "TestKit",
            ]),
        // Whole hosts for an hour, a night and a week, through the engine and all that is published of it.
        .testTarget(
            name: "BoredomTests",
            dependencies: [
                "ConntrackModel", "ConntrackEngine", "ConntrackPublish", "ConntrackMon", "CRecord", "UnitKit",
                "TestKit",
            ]),
        .testTarget(name: "CLITests", dependencies: ["TestKit", "CLI"]),
        .testTarget(
            name: "KernelTests",
            dependencies: [
                "ConntrackModel", "ConntrackSystem", "ConntrackRing", "ConntrackEngine", "ConntrackHost",
                "ConntrackPublish",
                "ConntrackMon", "CNetfilter", "CRecord", "TestKit", "CLI",
            ]
        ),
        .testTarget(name: "VMTests", dependencies: ["TestKit"]),
        .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

for target in package.targets {
    target.cSettings = [
        .enableWarning("all"),
        .enableWarning("extra"),
        .enableWarning("shadow"),
        .enableWarning("conversion"),
        .treatAllWarnings(as: .error),
    ]
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),  // SE-0335
        .enableUpcomingFeature("MemberImportVisibility"),  // SE-0444
        .enableUpcomingFeature("InternalImportsByDefault"),  // SE-0409
        .treatAllWarnings(as: .error),
    ]
}
