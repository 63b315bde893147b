import Bounds
import Plan
import Values
import Wire

extension Batch {
    /// Takes in a batch of events and works out what depends on nothing but its rows: registers, refusals, the first
    /// stage's program, who owns which row.
    ///
    /// - Parameters:
    ///   - columns: the table's columns, in its order.
    ///   - home: the shard that the caller's core owns.
    ///   - nowMicroseconds: the clock, for `max_ahead`; nil where it does not apply (replay, integer event time).
    public func prepare(
        _ compiled: CompiledPlan, stream: Int, columns: [ColumnView], rowCount: Int, mode: BatchMode, shardCount: Int,
        home: Int = 0, nowMicroseconds: Int64?
    ) {
        precondition(mode != .lookUp, "a look-up is prepared by prepareLookUp")
        begin(compiled, stream: stream, rowCount: rowCount, mode: mode, shardCount: shardCount, home: home)
        precondition(columns.count == compiledStream.columnCount, "one column view a column of the table")
        for (index, column) in columns.enumerated() { load(column, into: index) }
        admit(nowMicroseconds: nowMicroseconds)
        if compiledStream.hasIntakes { memory.admitted.update(from: statuses, count: rowCount) }
        link()
        prepareStage(0)
    }

    /// Takes in a look-up (`get`): rows hold some columns of the table, which make partition keys, and a time. All other
    /// columns are NULL; partitions whose keys are not all given take no rows, and so their results are NULL.
    ///
    /// - Parameters:
    ///   - keys: what is given, by column index of the table.
    ///   - times: in the event time's unit, by row; `Int64.max` asks for the newest one at the look-up's place in the sequence.
    public func prepareLookUp(
        _ compiled: CompiledPlan, stream: Int, keys: [(column: Int, view: ColumnView)], times: UnsafePointer<Int64>,
        rowCount: Int, shardCount: Int, home: Int = 0
    ) {
        begin(compiled, stream: stream, rowCount: rowCount, mode: .lookUp, shardCount: shardCount, home: home)
        for index in 0..<compiledStream.columnCount {
            vectors[index] = memory.ownVectors[index]
            vectors[index].nulls.update(repeating: NullByte.null, count: rowCount)
        }
        for key in keys { load(key.view, into: key.column) }
        givenColumns = Set(keys.map(\.column))
        if let eventTime = compiledStream.plan.eventTime {
            let vector = memory.ownVectors[eventTime.index]
            vector.integers.update(from: times, count: rowCount)
            vector.nulls.update(repeating: NullByte.value, count: rowCount)
            vectors[eventTime.index] = vector
        }
        link()
        prepareStage(0)
    }

    /// Runs a stage's program and shares out its rows. `prepare` does it for stage 0; for a later one, whoever sees the
    /// last shard finish the stage before it.
    public func prepareStage(_ stage: Int) {
        let stream = compiledStream
        guard stage < stream.sharing.count else { return }
        if stage > 0 { markLate() }
        run(stream.programs[stage])
        var number = memory.firstPartition[stage]
        for sharing in stream.sharing[stage] {
            share(sharing, stage: stage, memory.partitions[number])
            number += 1
        }
        findParticipants(stage)
    }

    private func findParticipants(_ stage: Int) {
        var mask: UInt64 = 0
        let partitions = compiledStream.sharing[stage].count
        for shard in 0..<shardCount {
            for partition in 0..<partitions where !rows(stage: stage, partition: partition, shard: shard).isEmpty {
                mask |= 1 << UInt64(shard)
                break
            }
        }
        if !compiledStream.joins[stage].isEmpty {
            for shard in 0..<shardCount where !joinRows(shard: shard).isEmpty { mask |= 1 << UInt64(shard) }
        }
        if !compiledStream.intakes[stage].isEmpty && (mode == .compute || mode == .ingest) {
            mask = shardCount == 64 ? .max : 1 << UInt64(shardCount) - 1
        }
        // Somebody must say which rows are late, also where no partition wants them.
        if mask == 0 && stage == 0 && compiledStream.hasLateRows && mode != .lookUp { mask = 1 << UInt64(home) }
        memory.participants[stage] = mask
    }

    /// Registers that stand for others stand where these do.
    private func link() {
        for link in compiledStream.plan.links {
            vectors[link.to.index] = vectors[link.from.index]
            memory.strides[link.to.index] = memory.strides[link.from.index]
        }
    }

    private func begin(_ compiled: CompiledPlan, stream: Int, rowCount: Int, mode: BatchMode, shardCount: Int, home: Int) {
        precondition(rowCount <= Bounds.batchRowsMax, "a batch has at most \(Bounds.batchRowsMax) rows")
        (self.compiled, self.stream, self.mode) = (compiled, stream, mode)
        (self.rowCount, self.shardCount, self.home) = (rowCount, shardCount, home)
        cellErrors = 0
        arena.pointee.reset()
        for shard in 0..<shardCount {
            shardTexts[shard].reset()
            if !shardRefusals[shard].isEmpty { shardRefusals[shard] = [] }
        }
        if !forcedRefusals.isEmpty { forcedRefusals = [] }
        memory.cut(for: compiledStream, rowCount: rowCount, shardCount: shardCount)
        statuses.update(repeating: RowStatus.ok.rawValue, count: rowCount)
        newest = .min
        oldest = .max
        isAscending = true
        isEveryRowAdmitted = mode != .lookUp
        isLateMarked = false
        newestAtPlace.store(.min, ordering: .relaxed)
        // A row that no shard takes has no features.
        for result in compiledStream.results {
            vectors[result.index].nulls.update(repeating: NullByte.null, count: rowCount)
        }
    }

    func run(_ steps: [MicroStep]) {
        var executor = Executor(
            vectors: vectors, strides: memory.strides, objects: compiledStream.objects, arena: arena)
        executor.run(steps, rowCount: rowCount)
        cellErrors += executor.failures
    }

    // MARK: Admission

    private func admit(nowMicroseconds: Int64?) {
        guard let eventTime = compiledStream.plan.eventTime else { return }
        let (times, nulls) = (vectors[eventTime.index].integers, vectors[eventTime.index].nulls)
        let latest = latestAdmissible(eventTime.type, nowMicroseconds)
        // Locals: an access to a property of an object in a loop over rows is checked row by row.
        let (statuses, rowCount) = (statuses, rowCount)
        var (oldest, newest) = (Int64.max, Int64.min)
        var (isAscending, isEveryRowAdmitted) = (true, true)
        for row in 0..<rowCount {
            let time = times[row]
            if nulls[row] != 0 || time > latest {
                statuses[row] = RowStatus.refused.rawValue
                isEveryRowAdmitted = false
                continue
            }
            if newest == .min { oldest = time }
            if time < newest { isAscending = false }
            newest = max(newest, time)
        }
        (self.oldest, self.newest, self.isAscending) = (oldest, newest, isAscending)
        self.isEveryRowAdmitted = self.isEveryRowAdmitted && isEveryRowAdmitted
        if isAscending { return }
        let newestBefore = newestBefore
        var newestSoFar = Int64.min
        for row in 0..<rowCount {
            newestBefore[row] = newestSoFar
            if statuses[row] == RowStatus.ok.rawValue { newestSoFar = max(newestSoFar, times[row]) }
        }
    }

    private func latestAdmissible(_ type: ValueType, _ nowMicroseconds: Int64?) -> Int64 {
        guard let nowMicroseconds, let maxAhead = compiledStream.plan.maxAhead, !type.isInteger else { return .max }
        let (latest, overflow) = nowMicroseconds.addingReportingOverflow(maxAhead)
        if overflow { return .max }
        return type == .date ? floorDivide(latest, Timestamps.dayMicroseconds) : latest
    }

    /// Which rows are late, once the batch's place in the sequence is known: partitions find the same by themselves, a row
    /// that none of them wants is late too.
    func markLate() {
        guard !isLateMarked, compiledStream.hasLateRows, mode != .lookUp else { return }
        isLateMarked = true
        let (newest, lateness) = (newestAtPlace.load(ordering: .relaxed), compiledStream.plan.lateness)
        if isAscending && (newest == .min || oldest >= newest.subtractingClamped(lateness)) { return }
        let times = vectors[compiledStream.plan.eventTime!.index].integers
        for row in 0..<rowCount where statuses[row] == RowStatus.ok.rawValue {
            let known = isAscending ? newest : max(newest, newestBefore[row])
            if known != .min && times[row] < known.subtractingClamped(lateness) { statuses[row] = RowStatus.late.rawValue }
        }
    }

    // MARK: Who owns which row

    /// Whether the key made of these columns is known, which in a look-up it may not be.
    func isGiven(_ columns: Set<Int>?) -> Bool { mode != .lookUp || columns?.isSubset(of: givenColumns) == true }

    private func share(_ sharing: CompiledStream.Sharing, stage: Int, _ lists: BatchMemory.PartitionRows) {
        KeyHash.hashes(of: sharing.keys, vectors: vectors, rowCount: rowCount, into: lists.hashes)
        if stage == 0 && shardCount == 1 && isEveryRowAdmitted && sharing.entry < 0 {
            for row in 0..<rowCount { lists.rows[row] = UInt32(truncatingIfNeeded: row) }
            lists.starts[0] = 0
            lists.starts[1] = UInt32(rowCount)
            return
        }
        let nobody = UInt8.max
        let shards = memory.shardOfRow
        let divisor = UInt64(shardCount)
        for row in 0..<rowCount {
            shards[row] = statuses[row] == 0 ? KeyHash.shard(of: lists.hashes[row], among: divisor) : nobody
        }
        if !isGiven(sharing.keyColumns) { shards.update(repeating: nobody, count: rowCount) }
        if sharing.entry >= 0 && mode != .lookUp {
            let vector = vectors[sharing.entry]
            for row in 0..<rowCount where vector.nulls[row] != 0 || vector.booleans[row] == 0 { shards[row] = nobody }
        }
        sort(shards, into: lists)
    }

    /// A counting sort of row numbers by shard.
    private func sort(_ shards: UnsafePointer<UInt8>, into lists: BatchMemory.PartitionRows) {
        let starts = lists.starts
        starts.update(repeating: 0, count: shardCount + 1)
        for row in 0..<rowCount where shards[row] != .max { starts[Int(shards[row]) + 1] += 1 }
        for shard in 0..<shardCount { starts[shard + 1] += starts[shard] }
        // While rows are placed, `starts[shard]` is where the shard's next one goes: the end of its list when all are.
        for row in 0..<rowCount where shards[row] != .max {
            let shard = Int(shards[row])
            lists.rows[Int(starts[shard])] = UInt32(row)
            starts[shard] += 1
        }
        for shard in stride(from: shardCount, to: 0, by: -1) { starts[shard] = starts[shard - 1] }
        starts[0] = 0
    }
}
