import Linux
import Wire

/// One thread that drives all connections: sends what is due, reads what has come, and sleeps in between where it may.
///
///     warm-up ──► measured ──────────────► draining: nothing is sent any more, answers are waited for
///     0           warmUpNanoseconds        end                                    at most drainNanosecondsMax
final class LoadLoop {
    struct Options {
        var pace: Pace
        var warmUpNanoseconds: UInt64
        var durationNanoseconds: UInt64
        /// Never sleeps: for latencies of a few microseconds, with a core to spare.
        var spins = false
        var drainNanosecondsMax: UInt64 = 10_000_000_000
    }

    /// What became of a load.
    struct Outcome {
        var recorder: Recorder
        /// Requests without an answer.
        var lost = 0
        /// Requests whose time had come and that were never sent.
        var unsent = 0
        /// What the server or the network did to connections.
        var broken: [String] = []
        var measuredSeconds = 0.0
    }

    let plan: LoadPlan
    let options: Options
    let log: AnswerLog?
    let connections: [LoadConnection]
    private(set) var senders: [LoadConnection]
    var clock: LoadClock
    var recorder = Recorder()
    var broken: [String] = []
    var pushes = PushTimes()
    let statuses: StatusReader
    private var onSecond: (Recorder.Second) -> Void
    private let poll: EventPoll
    /// Memory that every connection's bytes are read into.
    private let shared = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
    private var schedule: OpenSchedule?
    private var nextSender = 0
    private var start: UInt64 = 0
    private var now: UInt64 = 0
    private var nextSecond: UInt64 = 0

    /// - Parameters:
    ///   - connections: opened for all of the plan's sources.
    ///   - log: takes requests and answers from the first one on; nil: none.
    ///   - onSecond: called once a second.
    init(
        _ plan: LoadPlan, _ options: Options, connections: [LoadConnection], clock: LoadClock, log: AnswerLog?,
        onSecond: @escaping (Recorder.Second) -> Void
    ) throws {
        self.plan = plan
        self.options = options
        self.log = log
        self.connections = connections
        self.clock = clock
        self.onSecond = onSecond
        senders = connections.filter { !$0.isSubscriber }
        statuses = StatusReader()
        poll = try EventPoll(eventsMax: 1_024)
        for connection in connections { try poll.add(connection.socket.number, .read, token: UInt64(connection.number)) }
    }

    deinit { shared.deallocate() }

    private var end: UInt64 { start + options.warmUpNanoseconds + options.durationNanoseconds }

    func run() throws -> Outcome {
        start = SystemClock.monotonicNanoseconds()
        now = start
        nextSecond = start + 1_000_000_000
        if case .open(let requestsPerSecond) = options.pace {
            schedule = OpenSchedule(start: start, requestsPerSecond: requestsPerSecond)
        }
        var unsent = 0
        while now < end && senders.contains(where: { !$0.isGone }) {
            offer()
            try turn(until: end)
        }
        // What came due while this thread was not running is sent now, where there is room.
        if schedule != nil { offer() }
        unsent = schedule?.waiting(at: min(now, end) - 1) ?? 0
        let ended = now
        let drained = now + options.drainNanosecondsMax
        while now < drained && underWay > 0 { try turn(until: drained) }
        if !connections.allSatisfy(\.isGone), pushes.isAwaiting { try settlePushes() }
        recorder.secondEnded(underWay: underWay, waiting: unsent)
        var outcome = Outcome(recorder: recorder, lost: connections.reduce(0) { $0 + $1.pending.count }, broken: broken)
        outcome.unsent = unsent
        outcome.measuredSeconds =
            Double(max(ended, start + options.warmUpNanoseconds + 1) - start - options.warmUpNanoseconds) / 1e9
        return outcome
    }

    private var underWay: Int { connections.reduce(0) { $0 + $1.pending.count } }

    // MARK: Sending

    /// Begins what is due now.
    private func offer() {
        if schedule != nil { return offerDue() }
        for connection in senders { refill(connection) }
    }

    private func offerDue() {
        while schedule!.next <= now && schedule!.next < end {
            guard let connection = nextFreeSender() else { return }
            send(on: connection, intended: schedule!.take())
            connection.flush()
            waitToWrite(connection)
        }
    }

    /// Connections take turns; one that is full is passed over. nil where all are.
    private func nextFreeSender() -> LoadConnection? {
        for _ in senders.indices {
            let connection = senders[nextSender]
            nextSender = nextSender + 1 == senders.count ? 0 : nextSender + 1
            if connection.hasRoom { return connection }
        }
        return nil
    }

    /// Closed loop: as many requests as may be under way.
    private func refill(_ connection: LoadConnection) {
        guard case .closed(let inFlightMax) = options.pace, now < end else { return }
        var isSending = false
        while connection.pending.count < inFlightMax && connection.hasRoom {
            send(on: connection, intended: now)
            isSending = true
        }
        guard isSending else { return }
        connection.flush()
        waitToWrite(connection)
    }

    private func send(on connection: LoadConnection, intended: UInt64) {
        let (kind, source) = plan.next()
        let batch = source.take()
        let rows = source.pool.rows(of: batch)
        var request = PendingRequest(kind: kind, intended: intended, rows: Int32(rows), channel: source.channel)
        let header = FrameHeader(kind: kind.frame, channel: source.channel, requestID: connection.pending.nextID)
        let frame = source.pool.prepare(batch, at: clock.next(rows: kind == .get ? 0 : rows), header: header)
        if let place = log?.sent(source, batch: batch, kind: kind) { request.logged = place }
        _ = connection.pending.add(request)
        connection.send(frame)
        recorder.sent += 1
        recorder.sentBytes += frame.count
    }

    /// Asks to be told when the socket takes more, for as long as there is more.
    private func waitToWrite(_ connection: LoadConnection) {
        let waits = connection.unsent.count > 0
        guard waits != connection.waitsToWrite else { return }
        connection.waitsToWrite = waits
        try? poll.change(connection.socket.number, to: waits ? [.read, .write] : .read, token: UInt64(connection.number))
    }

    // MARK: Waiting

    private func turn(until limit: UInt64) throws {
        if options.spins && connections.count == 1 {
            // What a poll would say is what reading says.
            try readable(connections[0])
            connections[0].flush()
        } else {
            var ready: [(Int, Bool, Bool)] = []
            poll.wait(timeoutMilliseconds: timeoutMilliseconds(until: limit)) { event in
                ready.append((Int(event.token), event.isReadable, event.isWritable))
            }
            for (number, isReadable, isWritable) in ready {
                if isWritable {
                    connections[number].flush()
                    waitToWrite(connections[number])
                }
                if isReadable { try readable(connections[number]) }
            }
        }
        now = SystemClock.monotonicNanoseconds()
        pushes.settle { nanoseconds, rows, intended in
            recorder.answerArrived(.subscribe, rows: rows, nanoseconds: nanoseconds, isMeasured: isMeasured(intended))
        }
        while now >= nextSecond {
            recorder.secondEnded(underWay: underWay, waiting: schedule?.waiting(at: min(now, end)) ?? 0)
            onSecond(recorder.seconds[recorder.seconds.count - 1])
            nextSecond += 1_000_000_000
        }
    }

    /// Sleeps no longer than until something is due; not at all for less than a millisecond, which is the unit of sleep.
    private func timeoutMilliseconds(until limit: UInt64) -> Int32 {
        if options.spins { return 0 }
        var wake = min(limit, nextSecond)
        // A full house is woken by answers.
        if let schedule, schedule.next < end, schedule.next > now || senders.contains(where: \.hasRoom) {
            wake = min(wake, schedule.next)
        }
        return wake <= now ? 0 : Int32(min((wake - now) / 1_000_000, 1_000))
    }

    func isMeasured(_ intended: UInt64) -> Bool {
        intended >= start + options.warmUpNanoseconds && intended < end
    }

    // MARK: Receiving

    private func readable(_ connection: LoadConnection) throws {
        guard !connection.isGone else { return }
        let arrived = SystemClock.monotonicNanoseconds()
        let receipt: LoadConnection.Receipt
        do {
            receipt = try connection.receive(shared: shared) { header, body in
                recorder.receivedBytes += header.frameLength
                try frameArrived(connection, header, body, at: arrived)
            }
        } catch {
            receipt = .ended("\(error)")
        }
        if case .ended(let why) = receipt {
            connection.isGone = true
            connection.isEnding = true
            broken.append(why)
            poll.remove(connection.socket.number)
            return
        }
        if case .bytes = receipt {
            now = arrived
            refill(connection)
        }
    }

    /// Pushes of requests that were answered last are still under way.
    private func settlePushes() throws {
        let until = SystemClock.monotonicNanoseconds() + 200_000_000
        while now < until { try turn(until: until) }
    }
}
