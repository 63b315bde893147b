import Bytes
import Plan
import Values

/// State of one input for one window that moves along with the frame, in the record and in blocks of its own.
struct FrameStateCode {
    enum Kind: UInt8 { case order, wideOrder, mode, distinctSum, sum, extreme }

    let kind: Kind
    let input: Int
    let offset: Int
    /// Bytes of a value.
    let width: Int

    init(_ state: StateLayout.FrameState, form: Form) {
        switch state.kind {
        case .order: kind = form == .decimal ? .wideOrder : .order
        case .mode: kind = .mode
        case .distinctSum: kind = .distinctSum
        case .sum: kind = .sum
        case .extreme: kind = .extreme
        }
        input = state.input
        offset = state.offset
        width = form.storedBytes
    }
}

/// What happens to the log and is no move of the frame.
extension PartitionKernel {
    /// Before rows from `position` on move up by one.
    func frameStatesMakeRoom(_ record: KeyRecord, _ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order, .wideOrder, .sum, .extreme: continue
            case .mode: mode(state, record, log).makeRoom(at: position, &memory.arena)
            case .distinctSum: distinctSum(state, record, log).makeRoom(at: position, memory.arena.base)
            }
        }
    }

    /// After a row that is not the newest has been stored at `position`.
    func frameStatesTookIn(_ record: KeyRecord, _ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order: order(of: Int64.self, state, record, log).inserted(position, &memory.arena)
            case .wideOrder: order(of: Int128.self, state, record, log).inserted(position, &memory.arena)
            case .sum: sum(state, record, log).inserted(position, &memory.arena)
            case .extreme: extreme(state, record).forget()
            case .mode, .distinctSum: continue
            }
        }
    }

    /// Before the row at `position` is taken back.
    func frameStatesWillRemove(_ record: KeyRecord, _ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order: order(of: Int64.self, state, record, log).willRemove(position, &memory.arena)
            case .wideOrder: order(of: Int128.self, state, record, log).willRemove(position, &memory.arena)
            case .mode: mode(state, record, log).willRemove(position, &memory.arena)
            case .distinctSum: distinctSum(state, record, log).willRemove(position, memory.arena.base)
            case .sum: sum(state, record, log).willRemove(position, &memory.arena)
            case .extreme: extreme(state, record).forget()
            }
        }
    }

    /// Before the oldest row is given up.
    func frameStatesWillGiveUpHead(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order: order(of: Int64.self, state, record, log).willGiveUpHead(&memory.arena)
            case .wideOrder: order(of: Int128.self, state, record, log).willGiveUpHead(&memory.arena)
            case .mode: mode(state, record, log).willGiveUpHead(&memory.arena)
            case .distinctSum: distinctSum(state, record, log).willGiveUpHead(memory.arena.base)
            case .sum: sum(state, record, log).willGiveUp(before: log.head &+ 1, &memory.arena)
            case .extreme: extreme(state, record).willGiveUp(before: log.head &+ 1, log)
            }
        }
    }

    /// Before the rows before `head` are given up, where there are sums and extremes alone.
    @inline(__always)
    func frameStatesWillGiveUp(before head: Int, _ record: KeyRecord, _ log: KeyLog, _ arena: inout Arena) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            if state.kind == .sum {
                sum(state, record, log).willGiveUp(before: head, &arena)
            } else {
                extreme(state, record).willGiveUp(before: head, log)
            }
        }
    }

    /// Gives back the blocks of a key that goes.
    func dropFrameStates(_ record: KeyRecord, _ log: KeyLog, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order: order(of: Int64.self, state, record, log).tree.drop(&memory.arena)
            case .wideOrder: order(of: Int128.self, state, record, log).tree.drop(&memory.arena)
            case .mode: mode(state, record, log).drop(&memory.arena)
            case .distinctSum: distinctSum(state, record, log).drop(&memory.arena)
            case .sum: sum(state, record, log).drop(&memory.arena)
            case .extreme: continue
            }
        }
    }

    @inline(__always)
    private func extreme(_ state: FrameStateCode, _ record: KeyRecord) -> RunningExtremeFields {
        RunningExtremeFields(record.raw + state.offset, width: state.width)
    }

    @inline(__always)
    func sum(_ state: FrameStateCode, _ record: KeyRecord, _ log: KeyLog) -> RunningSum {
        RunningSum(record.raw + state.offset, code.inputs[state.input], log)
    }

    @inline(__always)
    func order<Key: FixedWidthInteger & SignedInteger>(
        of: Key.Type, _ state: FrameStateCode, _ record: KeyRecord, _ log: KeyLog
    ) -> FrameOrder<Key> {
        FrameOrder(record.field(state.offset, as: UInt32.self), code.inputs[state.input], log)
    }
}
