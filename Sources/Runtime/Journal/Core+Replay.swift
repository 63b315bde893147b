import Engine
import Storage
import Wire

/// Core 0's part in a start from a data directory.
extension Core {
    /// Called on every turn while there is a recovery; true if it got further.
    func carryOnRecovery() -> Bool {
        guard let plan = exchange.recoveryPlan, index == 0, !hasRecovered else { return false }
        if recovery == nil {
            do throws(StartError) {
                recovery = try Recovery(plan, nowNanoseconds: turnNanoseconds)
            } catch {
                hasRecovered = true
                exchange.readiness.tell(.failure(error))
                return true
            }
        }
        guard let recovery else { return false }
        let worked = recovery.step(self)
        if recovery.isOver {
            self.recovery = nil
            hasRecovered = true
        }
        return worked
    }

    /// Memory of the batches that are replayed at one time, in bytes: enough for all cores to have work, and little beside the
    /// state. One batch may be larger.
    private static let replayBytesInFlightMax = 64 << 20

    var canReplay: Bool {
        canBeginRequest && (requestBytesInFlight <= Core.replayBytesInFlightMax || inFlight.isEmpty)
    }

    var isRecovering: Bool { exchange.recoveryPlan != nil && index == 0 && !hasRecovered }

    /// Puts a record into the sequence; false where there is no place now.
    func feed(_ record: LogRecord, _ replay: Replay) throws(StartError) -> Bool {
        switch record.content {
        case .batch(let batch, let schema):
            replay.fed(rows: try feed(batch, from: try replay.sender(schema, record), record))
            if exchange.coreCount == 1 { advanceSequence() }
            return true
        case .admission(let admission):
            let entry = Entry.admission(
                shard: Int(admission.shard), among: Int(admission.shardCount), acceptsNewKeys: admission.acceptsNewKeys)
            return feed(entry, phase: EntryRing<Entry>.complete, replay)
        case .start(let start):
            return feed(.start(epoch: start.epoch), phase: EntryRing<Entry>.barrier, replay)
        case .definitions(let definitions):
            // Every core has passed the change before.
            guard exchange.reloads.newest.version == catalog.version else { return false }
            let (catalog, transition) = try Catalog.following(
                catalog, definitions, by: exchange.configuration.compile)
            let change = DefinitionsChange(to: catalog, by: transition, cores: exchange.coreCount)
            exchange.sendToAll(.definitionsAnnounced(change))
            replay.fed(awaiting: definitions.version)
            return true
        case .schema, .dictionary: preconditionFailure("these are no entries of the sequence")
        }
    }

    private func feed(_ entry: Entry, phase: UInt8, _ replay: Replay) -> Bool {
        guard exchange.ring.append(entry, phase: phase, slowestKnown: &slowestKnown) != nil else { return false }
        exchange.wake(exchange.allCores, except: index)
        replay.fed()
        return true
    }

    /// Returns its rows.
    private func feed(_ batch: LogBatch, from sender: LoggedSender, _ record: LogRecord) throws(StartError) -> Int {
        let reader = try sender.reader(in: catalog)
        let request = freeRequests.removeLast()
        let rows: Int
        do throws(WireError) {
            rows = try reader.read(message: batch.message, scratch: &request.scratch, into: &request.columns)
        } catch {
            countMemory(of: request)
            free(request)
            throw StartError(
                """
                the log has at offset \(record.offset) of segment \(record.segment) a batch of table \(sender.table) (sequence \
                number \(record.sequence)) that this release cannot read: \(error)
                """)
        }
        // Only producers may ask for what was answered then.
        let isNumbered = batch.producer != 0 && batch.batchNumber != 0
        let mode = isNumbered && batch.mode == .compute ? BatchMode.compute : .ingest
        request.batch.prepare(
            catalog.compiled, stream: sender.stream, columns: request.columns, rowCount: rows, mode: mode,
            shardCount: exchange.coreCount, home: index, nowMicroseconds: batch.receivedMicroseconds)
        if !batch.rowsRefusedByMemory.isEmpty {
            request.batch.forcedRefusals = batch.rowsRefusedByMemory.map(ForcedRefusal.init)
        }
        countMemory(of: request)
        request.mode = mode
        request.header = FrameHeader(kind: .ingest, batchNumber: batch.batchNumber, receivedUpTo: batch.receivedUpTo)
        if isNumbered {
            request.claim = exchange.producers.recovered(
                batch.producer, number: batch.batchNumber, receivedUpTo: batch.receivedUpTo, nowNanoseconds: turnNanoseconds)
        }
        request.stream = sender.stream
        request.stageCount = catalog.stageCounts[sender.stream]
        request.times.received = 0
        request.record.memory = record.memory
        append(request)
        return rows
    }

    /// A batch of the log has been computed.
    func replayed(_ request: Request, sequence: UInt64) {
        if request.claim != nil {
            _ = keepReply(
                to: request, sequence: sequence, late: request.batch.count(of: .late), refused: request.batch.count(of: .refused))
        }
        guard request.batch.hasRefusedForMemory, replayProblem == nil else { return }
        replayProblem = StartError(
            """
            what the data directory has does not fit into \(exchange.configuration.memoryBytesMax) bytes of memory shared by \
            \(exchange.coreCount) cores; give the server more with --memory
            """)
    }
}

extension LogBatch.MemoryRefusal {
    /// Join tables have numbers of their own.
    private static let joinTable: UInt32 = 1 << 31

    init(_ refusal: ForcedRefusal) {
        switch refusal.place {
        case .state(let number): self.init(partition: UInt32(number), row: refusal.row)
        case .joinTable(let number): self.init(partition: UInt32(number) | Self.joinTable, row: refusal.row)
        }
    }
}

extension ForcedRefusal {
    init(_ logged: LogBatch.MemoryRefusal) {
        let (number, isJoinTable) = (logged.partition & ~(1 << 31), logged.partition >> 31 == 1)
        self.init(isJoinTable ? .joinTable(Int(number)) : .state(Int(number)), row: logged.row)
    }
}
