import Plan

extension Shard {
    /// Joins this shard's share of a batch's rows, and takes all of them into the join tables that the stream's table is.
    mutating func applyJoins(_ batch: Batch, stage: Int) {
        let (joins, intakes) = (batch.compiledStream.joins[stage], batch.compiledStream.intakes[stage])
        let rows = batch.joinRows(shard: index)
        let isRoomKept = refusesNewRows(stage: stage)
        let joinTables = joinTables
        for (number, join) in joins.enumerated() {
            let isGiven = batch.isGiven(batch.compiledStream.joinKeyColumns[stage][number])
            if !isGiven {
                skip(join, batch, rows)
            } else if !batch.isStored || !intakes.contains(where: { $0.table == join.table }) {
                joinTables[join.table].join(
                    join, batch.vectors, rows: rows, isRoomKept: isRoomKept, arena: &memory.arena,
                    texts: &batch.shardTexts[index])
            }
        }
        guard batch.isStored else { return }
        for intake in intakes { take(batch, intake, stage: stage, joins: joins.filter { $0.table == intake.table }, rows) }
    }

    /// Takes in all rows of a batch. A table that is joined with itself sees the rows before each one.
    private mutating func take(_ batch: Batch, _ intake: IntakeCode, stage: Int, joins: [JoinCode], _ rows: Range<Int>) {
        let joinTables = joinTables
        let bound = bound(of: joinTables[intake.table].askedBy, stage: stage)
        let refusesNewKeys = refusesNewRows(stage: stage)
        let condition = intake.condition.map { batch.vectors[$0] }
        let forced = batch.forcedRows(of: .joinTable(intake.table))
        intake.keys.withUnsafeBufferPointer { keys in
            intake.columns.withUnsafeBufferPointer { columns in
                for row in 0..<batch.rowCount {
                    if !joins.isEmpty && rows.contains(row) { join(batch, joins, row: row, isRoomKept: refusesNewKeys) }
                    if batch.memory.admitted[row] == RowStatus.refused.rawValue { continue }
                    if let condition, condition.nulls[row] != 0 || condition.booleans[row] == 0 { continue }
                    if !forced.isEmpty && forced.contains(UInt32(row)) {
                        RowStatus.refused.mark(batch.statuses + row)
                        continue
                    }
                    let outcome = joinTables[intake.table].take(
                        keys: keys, columns: columns, time: intake.time, batch.vectors, row: row, bound: bound,
                        refusesNewKeys: refusesNewKeys, number: intake.table, memory: &memory)
                    if outcome == .taken || outcome == .ignored { continue }
                    RowStatus.refused.mark(batch.statuses + row)
                    if outcome == .full {
                        batch.shardRefusals[index].append(ForcedRefusal(.joinTable(intake.table), row: UInt32(row)))
                    }
                }
            }
        }
    }

    private mutating func join(_ batch: Batch, _ joins: [JoinCode], row: Int, isRoomKept: Bool) {
        for join in joins {
            joinTables[join.table].join(
                join, batch.vectors, rows: row..<row + 1, isRoomKept: isRoomKept, arena: &memory.arena,
                texts: &batch.shardTexts[index])
        }
    }

    /// No row to come asks for an earlier time.
    private func bound(of streams: [Int]?, stage: Int) -> Int64 {
        guard let streams else { return .min }
        return streams.map { newest(stream: $0, stage: stage).subtractingClamped(latenesses[$0]) }.min() ?? .min
    }

    /// A look-up that does not bring the join's key.
    private func skip(_ join: JoinCode, _ batch: Batch, _ rows: Range<Int>) {
        for row in rows {
            batch.vectors[join.isMatched].nulls[row] = NullByte.value
            batch.vectors[join.isMatched].booleans[row] = 0
            for column in join.columns + join.derived { batch.vectors[column.result].nulls[row] = NullByte.null }
        }
    }
}

extension Batch {
    /// The batch changes state.
    var isStored: Bool { mode == .compute || mode == .ingest }
}
