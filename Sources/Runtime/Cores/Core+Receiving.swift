import Bounds
import Engine
import Linux
import Wire

/// Bytes in, requests out. Frames are taken where they were received:
///
/// - Connections with nothing begun read into the core's landing block, one after another; whole frames are used in place.
/// - What remains (part of a frame, or frames that have to wait) moves to a block of the connection's own, large enough
///   for the frame it begins, and is added to there. At most one block's worth of bytes is moved for one read.
extension Core {
    /// One read, bounded by a block: the next turn reads on, after everybody else had theirs. True if it brought bytes.
    @discardableResult func read(_ session: Session) -> Bool {
        if session.ending == .lingering {
            discardInput(of: session)
            return false
        }
        // The kernel goes on reporting those that only wait for their next turn.
        guard !session.input.isPaused else { return false }
        beginTurn(frames: limits.framesPerTurnMax)
        let isOwn = session.input.block != nil
        guard let block = isOwn ? session.input.block : landingBlock() else {
            pause(session, .memory)
            updateInterest(of: session)
            return false
        }
        let from = isOwn ? session.input.end : landingUsed
        switch session.connection.read(into: UnsafeMutableRawBufferPointer(rebasing: block.bytes[from...])) {
        case .wouldBlock: return false
        case .ended, .failed:
            close(session)
            return false
        case .bytes(let count):
            metrics.receivedBytes += UInt64(count)
            session.liveness.heard(nowNanoseconds: turnNanoseconds)
            session.input.receivedNanoseconds = turnNanoseconds
            if isOwn {
                session.input.end += count
                takeWaitingFrames(of: session)
            } else {
                takeFrames(of: session, landed: count)
            }
        }
        updateInterest(of: session)
        return true
    }

    private func landingBlock() -> ReceiveBlock? {
        if let block = landing {
            if block.bytes.count - landingUsed >= ReceivePool.blockBytes / 4 { return block }
            receive.release(block)
        }
        landing = receive.take()
        landingUsed = 0
        return landing
    }

    private func takeFrames(of session: Session, landed count: Int) {
        let block = landing!
        let (start, end) = (landingUsed, landingUsed + count)
        // Frames of this read stay where they are; nothing else may land on them.
        landingUsed = (end + 7) & ~7
        let rest = takeFrames(of: session, in: block, from: start, to: end)
        guard !session.isClosed && session.ending == .no else { return }
        defer { setFrameDeadline(session) }
        guard rest < end else { return }
        let waiting = UnsafeRawBufferPointer(rebasing: block.bytes[rest..<end])
        guard let own = receive.take(byteCount: max(neededBytes(of: waiting), waiting.count)) else {
            // No memory to move to: the connection keeps the landing block, and waits.
            session.input.begin(in: block, at: rest, byteCount: waiting.count)
            landing = nil
            return pause(session, .memory)
        }
        own.bytes.copyMemory(from: waiting)
        session.input.begin(in: own, byteCount: waiting.count)
        landingUsed = rest
    }

    /// Continues with what the connection has in its own block.
    func takeWaitingFrames(of session: Session) {
        guard let block = session.input.block else { return }
        let rest = takeFrames(of: session, in: block, from: session.input.start, to: session.input.end)
        guard !session.isClosed && session.ending == .no else { return }
        session.input.start = rest
        if session.input.waitingBytes == 0 {
            session.input.block = nil
            receive.release(block)
        } else {
            makeRoom(for: session, in: block)
        }
        setFrameDeadline(session)
    }

    /// The frame that has begun must fit behind what is there of it.
    private func makeRoom(for session: Session, in block: ReceiveBlock) {
        if session.input.isPaused { return }
        let waiting = UnsafeRawBufferPointer(rebasing: block.bytes[session.input.start..<session.input.end])
        let needed = max(neededBytes(of: waiting), waiting.count + 1)
        guard session.input.start + needed > block.bytes.count else { return }
        if needed <= block.bytes.count && block.isHeldOnce {
            block.bytes.copyMemory(from: waiting)
            session.input.begin(in: block, byteCount: waiting.count)
            return
        }
        guard let larger = receive.take(byteCount: needed) else { return pause(session, .memory) }
        larger.bytes.copyMemory(from: waiting)
        session.input.begin(in: larger, byteCount: waiting.count)
        receive.release(block)
    }

    /// Bytes of the frame that begins here, header and padding included, as far as they are known.
    private func neededBytes(of waiting: UnsafeRawBufferPointer) -> Int {
        guard waiting.count >= FrameHeader.byteCount, let header = try? FrameHeader.parse(waiting.baseAddress!) else {
            return FrameHeader.byteCount
        }
        return header.frameLength
    }

    private func setFrameDeadline(_ session: Session) {
        guard session.state.phase == .open else { return }
        if session.input.isPaused { return }
        if session.input.waitingBytes == 0 {
            setDeadline(of: session, 0)
        } else if session.deadlineNanoseconds == 0 {
            setDeadline(of: session, turnNanoseconds + limits.frameNanosecondsMax)
        }
    }

    // MARK: Frames

    /// Takes whole frames until one is not whole, has to wait or ends the connection; returns where it stopped.
    private func takeFrames(of session: Session, in block: ReceiveBlock, from start: Int, to end: Int) -> Int {
        var position = start
        session.input.isPaused = false
        session.input.isPausedForTurn = false
        while end - position >= FrameHeader.byteCount {
            let header: FrameHeader
            do throws(FrameError) {
                header = try FrameHeader.parse(block.bytes.baseAddress! + position)
            } catch {
                disconnect(session, .broken(error))
                return end
            }
            // Nobody gets memory for a long frame before hello.
            if session.state.phase == .awaitingHello && header.kind != .hello {
                perform(
                    session.state.frameArrived(header, body: .init(start: nil, count: 0), catalog: catalog, sequence: sequence),
                    for: session)
                return end
            }
            guard end - position >= header.frameLength else { break }
            guard turnFramesLeft > 0 && turnRowsLeft > 0 else {
                pause(session, .turn)
                break
            }
            turnFramesLeft -= 1
            let padded = UnsafeRawBufferPointer(
                start: block.bytes.baseAddress! + position + FrameHeader.byteCount, count: header.paddedBodyLength)
            guard take(header, padded, in: block, from: session) else { break }
            position += header.frameLength
            if session.isClosed || session.ending != .no { return end }
        }
        return position
    }

    /// False where the frame has to wait.
    private func take(
        _ header: FrameHeader, _ padded: UnsafeRawBufferPointer, in block: ReceiveBlock, from session: Session
    ) -> Bool {
        guard session.state.canTakeRequest && hasRoomToSend(to: session) else {
            pause(session, .itself)
            return false
        }
        if header.kind.isBatch && !canBeginRequest {
            pause(session, .requests)
            return false
        }
        let room = roomInLog(for: header)
        if room == .none {
            pause(session, .log)
            return false
        }
        do throws(FrameError) {
            try header.check(padded)
        } catch {
            giveBack(room)
            disconnect(session, .broken(error))
            return true
        }
        let body = UnsafeRawBufferPointer(rebasing: padded[..<header.bodyLength])
        if header.kind != .ping && header.kind != .pong { session.liveness.asked(nowNanoseconds: turnNanoseconds) }
        let isKept = header.kind == .schema || header.kind == .dictionary
        if isKept { allowKept(by: session) }
        let action = session.state.frameArrived(header, body: body, catalog: catalog, sequence: sequence)
        if case .submit(let channel, let mode) = action {
            submit(header, body, in: block, channel: channel, mode: mode, room, from: session)
        } else {
            giveBack(room)
            perform(action, for: session)
        }
        if isKept || header.kind == .close { countKept(by: session) }
        if header.kind == .hello { beginLiveness(of: session) }
        return true
    }

    private func submit(
        _ header: FrameHeader, _ body: UnsafeRawBufferPointer, in block: ReceiveBlock, channel: Channel, mode: BatchMode,
        _ room: LogRoom, from session: Session
    ) {
        if room == .full { return perform(session.state.refuse(header, .diskFull), for: session) }
        let request = freeRequests.removeLast()
        countActive(session)
        do throws(WireError) {
            let rows = try channel.reader!.read(message: body, scratch: &request.scratch, into: &request.columns)
            turnRowsLeft -= rows
            prepare(request, rows: rows, mode: mode, channel)
        } catch {
            countMemory(of: request)
            free(request)
            giveBack(room)
            metrics.badBatches += 1
            return perform(session.state.refuse(header, ErrorMessage(code: error.code, message: "\(error)")), for: session)
        }
        countMemory(of: request)
        request.mode = mode
        request.stageCount = catalog.stageCounts[request.stream]
        request.header = header
        request.session = session
        request.channel = channel
        if header.batchNumber != 0 { request.claim = session.state.claim }
        request.block = block
        receive.hold(block)
        if case .reserved(let bytes) = room {
            request.record.schema = channel.logged
            request.record.producer = request.claim?.producer.id ?? 0
            request.record.newestEventMicroseconds = newestEventMicroseconds(of: request.batch)
            request.record.message = body
            request.record.reservedBytes = bytes
        }
        request.times.computed = 0
        request.times.received = metrics.isNextSampled(nowNanoseconds: turnNanoseconds) ? session.input.receivedNanoseconds : 0
        session.state.batchSubmitted()
        append(request)
        if exchange.coreCount == 1 { advanceSequence() }
    }

    /// A batch can go into the sequence: there is a request for it, memory, and a place as far as is known, and the definitions
    /// are not about to change.
    var canBeginRequest: Bool {
        !freeRequests.isEmpty && waitingRequest == nil && requestBytesInFlight <= requestBytesMax && change == nil
    }

    /// The memory of a request changes only while it is prepared.
    func countMemory(of request: Request) {
        let held = request.heldBytes
        requestBytes += held - request.countedBytes
        requestBytesInFlight += held
        request.countedBytes = held
    }

    private func prepare(_ request: Request, rows: Int, mode: BatchMode, _ channel: Channel) {
        request.stream = channel.target.stream
        if mode == .lookUp { return prepareLookUp(request, rows: rows, target: channel.target) }
        request.record.receivedMicroseconds = exchange.configuration.time.wallMicroseconds()
        // What subscribers are to see must be computed, also where the sender doesn't ask for it.
        let isWatched = mode == .ingest && catalog.watchers(ofStream: request.stream) != 0
        request.batch.prepare(
            catalog.compiled, stream: request.stream, columns: request.columns, rowCount: rows,
            mode: isWatched ? .compute : mode, shardCount: exchange.coreCount, home: index,
            nowMicroseconds: request.record.receivedMicroseconds)
    }

    /// A row without a time asks for now: the clock, or the stream's newest event where time is an integer.
    private func prepareLookUp(_ request: Request, rows: Int, target: OpenTarget) {
        let given = request.columns[target.keys.count]
        let now = lookUpTime(stream: target.stream) ?? .max
        request.lookUpNow = now
        withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(rows, 1)) { times in
            let values = given.values.assumingMemoryBound(to: Int64.self)
            for row in 0..<rows {
                let isGiven = given.validity.map { $0[row >> 3] >> UInt8(row & 7) & 1 == 1 } ?? true
                times[row] = isGiven ? values[row] : now
            }
            request.batch.prepareLookUp(
                catalog.compiled, stream: target.stream,
                keys: target.keys.enumerated().map { (column: $1, view: request.columns[$0]) }, times: times.baseAddress!,
                rowCount: rows, shardCount: exchange.coreCount, home: index)
        }
    }

    /// nil where it is the newest event's at the look-up's place in the sequence.
    func lookUpTime(stream: Int) -> Int64? {
        switch catalog.plan.streams[stream].eventTime?.type {
        case .timestamp, .timestamptz: exchange.configuration.time.wallMicroseconds()
        case .date: exchange.configuration.time.wallMicroseconds() / 86_400_000_000
        default: nil
        }
    }

    // MARK: After the end

    /// What comes behind a goodbye is read and forgotten.
    private func discardInput(of session: Session) {
        let transfer = withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 8) { session.connection.read(into: $0) }
        switch transfer {
        case .bytes, .wouldBlock: return
        case .ended, .failed: close(session)
        }
    }
}
