import Bytes
import Plan
import Values

/// State of one input for one window that moves along with the frame, in the record and in blocks of its own.
struct FrameStateCode {
    enum Kind: UInt8 { case order, wideOrder, mode, distinctSum }

    let kind: Kind
    let input: Int
    let offset: Int

    init(_ state: StateLayout.FrameState, form: Form) {
        switch state.kind {
        case .order: kind = form == .decimal ? .wideOrder : .order
        case .mode: kind = .mode
        case .distinctSum: kind = .distinctSum
        }
        input = state.input
        offset = state.offset
    }
}

/// What happens to the log and is no move of the frame.
extension PartitionKernel {
    /// Before rows from `position` on move up by one.
    func frameStatesMakeRoom(_ record: KeyRecord, _ log: KeyLog, _ position: Int, memory: inout ShardMemory) {
        for number in 0..<code.frameStateCount {
            let state = code.frameStates[number]
            switch state.kind {
            case .order, .wideOrder: continue
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
            }
        }
    }

    @inline(__always)
    func order<Key: FixedWidthInteger & SignedInteger>(
        of: Key.Type, _ state: FrameStateCode, _ record: KeyRecord, _ log: KeyLog
    ) -> FrameOrder<Key> {
        FrameOrder(record.field(state.offset, as: UInt32.self), code.inputs[state.input], log)
    }
}
