// SPDX-License-Identifier: GPL-3.0-or-later

package import CRecord
package import ConntrackModel

// What the reader tells through the ring besides events and looks, as records and as values.

extension EventCounts {
    /// By enum cnf_kind.
    package init(_ byKind: (UInt32, UInt32, UInt32)) {
        self.init(new: UInt64(byKind.0), update: UInt64(byKind.1), destroy: UInt64(byKind.2))
    }
}

extension LostEvents {
    /// What a record tells of, of every kind.
    package init(_ record: cnf_counts) {
        self.init(
            overrun: EventCounts(record.overrun).total + UInt64(record.overrun_untyped),
            truncated: EventCounts(record.truncated).total, malformed: UInt64(record.malformed),
            dropped: UInt64(record.dropped))
    }
}

// MARK: Duty

extension EventDuty {
    /// What a record tells of; `limits` are the budget's, which do not change.
    package init(_ record: cnf_duty, _ limits: EventBudget.Limits) {
        self.init(settledAt: MonotonicTime(nanoseconds: record.settled_at))
        budget = limits.share
        cost = limits.cost.inSeconds
        // What a float holds of it, without the digits that it does not.
        ratio = (Double(record.ratio) * 1e6).rounded() / 1e6
        isOverBudget = record.over_budget != 0
        hindrance = EventHindrance(code: record.hindrance)
        messageRate = record.message_rate
        spent = record.spent
        away = record.away
        made = record.made
        span = record.span
    }
}

extension cnf_duty {
    /// `duty` as it is at `time`.
    package init(_ duty: EventDuty, at time: MonotonicTime) {
        self.init()
        time_ns = time.nanoseconds
        kind = UInt8(CNF_DUTY.rawValue)
        over_budget = duty.isOverBudget ? 1 : 0
        hindrance = duty.hindrance?.code ?? UInt8(CNF_HINDRANCE_NONE.rawValue)
        ratio = Float(duty.ratio)
        message_rate = duty.messageRate
        spent = duty.spent
        away = duty.away
        made = duty.made
        span = duty.span
        settled_at = duty.settledAt.nanoseconds
    }
}

extension EventHindrance {
    fileprivate var code: UInt8 {
        let hindrance =
            switch self {
            case .settling: CNF_HINDRANCE_SETTLING
            case .moduleAbsent: CNF_HINDRANCE_MODULE_ABSENT
            case .limitUnreadable: CNF_HINDRANCE_LIMIT_UNREADABLE
            case .netlinkAbsent: CNF_HINDRANCE_NETLINK_ABSENT
            }
        return UInt8(hindrance.rawValue)
    }

    fileprivate init?(code: UInt8) {
        guard let found = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = found
    }
}

// MARK: Status

extension EventStatus {
    /// What a record tells of; nil when it is none that this program knows.
    package init?(_ record: cnf_status) {
        switch UInt32(record.state) {
        case CNF_LISTENING_OFF.rawValue:
            self = .off
        case CNF_LISTENING_BPF.rawValue:
            self = .listening(.bpf(ring: Int(clamping: record.bytes)))
        case CNF_LISTENING_NETLINK.rawValue:
            let notBPF = record.not_bpf == 0 ? nil : record.not_bpf
            self = .listening(.netlink(receiveBuffer: Int(clamping: record.bytes), notBPF: notBPF))
        case CNF_LISTENING_UNAVAILABLE.rawValue:
            guard let obstacle = EventObstacle(record) else { return nil }
            self = .unavailable(obstacle, expected: record.expected != 0)
        case CNF_LISTENING_FAILED.rawValue:
            guard let obstacle = EventObstacle(record) else { return nil }
            self = .failed(obstacle)
        default:
            return nil
        }
    }
}

extension cnf_status {
    /// `status` as it is at `time`.
    package init(_ status: EventStatus, at time: MonotonicTime) {
        self.init()
        time_ns = time.nanoseconds
        kind = UInt8(CNF_STATUS.rawValue)
        switch status {
        case .off:
            set(CNF_LISTENING_OFF)
        case .listening(.bpf(let ring)):
            set(CNF_LISTENING_BPF)
            bytes = UInt64(clamping: ring)
        case .listening(.netlink(let receiveBuffer, let notBPF)):
            set(CNF_LISTENING_NETLINK)
            bytes = UInt64(clamping: receiveBuffer)
            not_bpf = notBPF ?? 0
        case .unavailable(let obstacle, let isExpected):
            set(CNF_LISTENING_UNAVAILABLE, obstacle)
            expected = isExpected ? 1 : 0
        case .failed(let obstacle):
            set(CNF_LISTENING_FAILED, obstacle)
        }
    }

    private mutating func set(_ listening: cnf_listening, _ obstacle: EventObstacle? = nil) {
        state = UInt8(listening.rawValue)
        operation = obstacle?.operation.code ?? UInt8(CNF_OPERATION_NONE.rawValue)
        code = obstacle?.code ?? 0
    }
}

extension EventObstacle {
    fileprivate init?(_ record: cnf_status) {
        guard let operation = Operation.allCases.first(where: { $0.code == record.operation }) else { return nil }
        self.init(operation, record.code)
    }
}

extension EventObstacle.Operation {
    fileprivate var code: UInt8 {
        let operation =
            switch self {
            case .open: CNF_OPERATION_OPEN
            case .join: CNF_OPERATION_JOIN
            case .leave: CNF_OPERATION_LEAVE
            case .joinAgain: CNF_OPERATION_JOIN_AGAIN
            case .receive: CNF_OPERATION_RECEIVE
            case .attachRing: CNF_OPERATION_ATTACH_RING
            case .netlinkAbsent: CNF_OPERATION_NETLINK_ABSENT
            }
        return UInt8(operation.rawValue)
    }
}
