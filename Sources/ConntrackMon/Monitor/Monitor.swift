// SPDX-License-Identifier: GPL-3.0-or-later
//
// Start here. `watch` is this file: what the host says goes into the engine, what the engine gives goes to the outlets.
//
//   1 source    Host/      /proc, a ctnetlink socket or ring       reader thread   Reader
//   2 decode    CNetfilter message -> 64-byte record               reader thread   cnf_decode
//   3 ring      Ring/      records, one producer, one consumer                     EventRing
//   4 count     Engine/    records -> one Sample an interval       main thread     Collector
//   5 judge     Engine/    (sample, state, now) -> alerts          main thread     Judge
//   6 publish   Publish/   lines, hook; textfile, status.json      a thread a sink

internal import ConntrackEngine
internal import ConntrackHost
public import ConntrackModel
internal import ConntrackRing
internal import ConntrackSystem
internal import Glibc

/// The monitor: watches one host's table until it is told to stop.
public final class Monitor {
    private let settings: Settings
    private let channel: Channel
    private let plan: ReaderPlan
    private var reader: Reader.Running?
    private var host: Host
    private var engine: Engine
    private let facts: Inquiry
    private let surveyor: Inquiry
    private var outlets: Outlets

    /// Sets everything up; nothing runs yet. Signals are blocked from here on: call it before any thread is started.
    public init(_ settings: Settings, host name: String) throws(SystemError) {
        WakeUp.takeSignals(live: settings.formatChoice == .live)
        let identity = NetworkNamespace.identity(host: name, entered: settings.netns)
        let paths = HostPaths(settings)
        let channel = try Channel(capacity: settings.ring)
        let slow = SlowHost(paths, isInitialNamespace: identity.isInitialNamespace)
        self.settings = settings
        self.channel = channel
        host = Host(
            paths, enteredNamespace: settings.netns, statistics: .watching(settle: settings.rules.settle))
        plan = ReaderPlan(settings, paths)
        facts = try Inquiry(.facts, bell: channel.bell.descriptor) { slow.read($0) }
        surveyor = try Inquiry(.survey, bell: channel.bell.descriptor) {
            slow.read($0) ?? Survey.read($0, paths: paths)
        }
        outlets = try Outlets(settings, paths, identity: identity, bell: channel.bell.descriptor)
        let restored = outlets.restore()
        engine = Engine(EnginePlan(settings, identity, paths), seed: .random(), restored: restored, at: .now())
    }

    /// Watches until a signal, --duration or --count ends it, or its namespace goes. False when it could not go on: why was
    /// said.
    public func run() throws(SystemError) -> Bool {
        var wakeUp = try WakeUp(interval: settings.interval, bell: channel.bell)
        try begin()
        repeat {
            goOn()
            if engine.ending == nil { take(wakeUp.wait(until: engine.nextDeadline)) }
        } while engine.ending == nil
        goOn()
        return end()
    }

    /// Takes all that there is to know, asks for what is missing, publishes what comes out. No disk is read while slots are
    /// held.
    private func goOn() {
        repeat {
            channel.ring.drain { engine.take($0) }
            for answer in facts.takeAnswers() + surveyor.takeAnswers() { engine.take(answer.reading, at: answer.begun) }
            for want in engine.takeWants() { answer(want) }
            for ending in outlets.takeEndings() { engine.take(.end(ending), at: .now()) }
        } while engine.isWaiting
        for output in engine.takeOutputs() { outlets.take(output) }
    }

    private func answer(_ want: Want) {
        let now = Moment.now()
        switch want {
        case .configuration, .origin: facts.ask(want)
        case .doctor, .survey: surveyor.ask(want)
        case .health: engine.take(.health(health(now)), at: now)
        case .settings, .kernel, .log: if let reading = host.read(want) { engine.take(reading, at: now) }
        }
    }

    private func take(_ wake: WakeUp.Reason) {
        let now = Moment.now()
        switch wake {
        case .tick: engine.take(.tick, at: now)
        case .bell: break
        case .timeout: engine.take(.time, at: now)
        // Whoever closes his window accepts nothing.
        case .signal(SIGHUP): if !Probe.hasLostTerminal { engine.take(.accept, at: now) }
        case .signal(SIGUSR1): engine.take(.show, at: now)
        case .signal(SIGUSR2): engine.take(.incident, at: now)
        case .signal(let number): engine.take(.end(Ending(number == SIGINT ? "SIGINT" : "SIGTERM")), at: now)
        }
    }

    private func health(_ now: Moment) -> Health {
        var health = Health()
        health.degraded = outlets.degraded(at: now.monotonic)
        health.degraded += [facts, surveyor].compactMap { $0.stuck(now: now.monotonic) }
        health.sinkLost = outlets.lost
        health.ringCapacity = channel.ring.capacity
        health.ringPeak = channel.ring.peak
        health.cpuSeconds = processSeconds()
        return health
    }

    // MARK: Begin and end

    private func begin() throws(SystemError) {
        try outlets.start()
        outlets.log(
            "conntrack-mon \(conntrackMonVersion) watches \(settings.procfs)/sys/net/netfilter every"
                + " \(durationText(settings.sample))\(host.beginning)")
        reader = try Reader.start(plan, channel: channel)
        try facts.start()
        try surveyor.start()
        engine.take(.tick, at: .now())
    }

    /// Counts what is still under way, leaves files that say the monitor has stopped, and ends the threads. Milliseconds,
    /// unless one is stuck.
    private func end() -> Bool {
        _ = reader?.stop { channel.ring.drain { engine.take($0) } }
        engine.take(.stop, at: .now())
        goOn()
        let ending = engine.ending ?? Ending("")
        outlets.log("stopped: \(ending.why)", level: ending.isFailure ? .warning : nil)
        outlets.stop()
        return !ending.isFailure
    }
}
