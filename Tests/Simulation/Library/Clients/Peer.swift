import Millrace
import Wire

/// One client connection after another: bytes of the simulated network on one side, the Swift client's state machine on the other.
///
/// What it does with answers is its owner's business (`PeerOwner`).
final class Peer {
    typealias Machine = ConnectionStateMachine

    unowned let world: Environment
    let name: String
    weak var owner: (any PeerOwner)?
    private var wire: SimulatedWire?
    private(set) var machine = Machine()
    private var received: [UInt8] = []
    private var unsent: [UInt8] = []
    private var heardNanoseconds: UInt64 = 0
    private var retryNanoseconds: UInt64 = 0
    private(set) var isReady = false

    init(_ world: Environment, name: String) {
        self.world = world
        self.name = name
    }

    /// Connected, and not only as far as it knows.
    var isLive: Bool { wire.map { !$0.isReset } ?? false }

    /// Moves what can be moved; connects where there is no connection, unless it is too early for that.
    func step() {
        guard let wire else { return connectIfDue() }
        write(to: wire)
        read(from: wire)
        guard self.wire != nil else { return }
        let silence = world.clock.nanoseconds - heardNanoseconds
        perform(machine.pulse(silence: .nanoseconds(Int64(silence)), interval: .seconds(10), isListening: true))
    }

    private func connectIfDue() {
        guard world.clock.nanoseconds >= retryNanoseconds, let owner else { return }
        retryNanoseconds = world.clock.nanoseconds + UInt64(world.dice.number(1...50)) * 1_000_000
        guard let wire = world.network.connect() else { return }
        self.wire = wire
        machine = Machine()
        received = []
        unsent = []
        heardNanoseconds = world.clock.nanoseconds
        world.note("\(name) connects (\(wire.number))")
        let (hello, sentUpTo, receivedUpTo) = owner.introduction()
        perform([machine.connected(hello, sentUpTo: sentUpTo, receivedUpTo: receivedUpTo)])
    }

    private func write(to wire: SimulatedWire) {
        guard !unsent.isEmpty, !wire.isReset else { return }
        unsent.withUnsafeBytes { wire.toServer.write($0) }
        unsent = []
    }

    private func read(from wire: SimulatedWire) {
        let count = world.transferred(wire.toClient.arrived)
        if count > 0 {
            heardNanoseconds = world.clock.nanoseconds
            wire.toClient.read(count) { received.append(contentsOf: $0) }
            takeFrames()
        } else if wire.isReset && wire.clientNoticesNanoseconds <= world.clock.nanoseconds || wire.toClient.hasFinishArrived {
            disconnect("the connection to the server ended")
        }
    }

    private func takeFrames() {
        var start = 0
        while received.count - start >= FrameHeader.byteCount, wire != nil {
            let (header, body): (FrameHeader, [UInt8]?)
            do throws(FrameError) {
                (header, body) = try nextFrame(at: start)
            } catch {
                return world.violated("\(name) is sent what is no frame: \(error)")
            }
            guard let body else { break }
            start += header.frameLength
            world.note("\(name) ◄ \(header.kind) request \(header.requestID) sequence \(header.sequence)")
            perform(machine.received(header, body: body))
        }
        received.removeFirst(min(start, received.count))
    }

    /// The body is nil where it isn't whole yet.
    private func nextFrame(at start: Int) throws(FrameError) -> (FrameHeader, [UInt8]?) {
        try received.withUnsafeBufferPointer { buffer throws(FrameError) in
            let bytes = UnsafeRawBufferPointer(buffer)
            let header = try FrameHeader.parse(bytes.baseAddress! + start)
            guard bytes.count - start >= header.frameLength else { return (header, nil) }
            let padded = UnsafeRawBufferPointer(
                rebasing: bytes[(start + FrameHeader.byteCount)...].prefix(header.paddedBodyLength))
            try header.check(padded)
            return (header, Array(padded.prefix(header.bodyLength)))
        }
    }

    /// The client lets the connection go, or finds it gone.
    func disconnect(_ reason: String) {
        guard let wire else { return }
        self.wire = nil
        isReady = false
        wire.clientClosed()
        world.note("\(name) disconnects: \(reason)")
        perform(machine.disconnected(MillraceError(code: .connectionLost, message: reason, isRetryable: true)))
    }

    // MARK: What the owner asks for

    func submit(_ request: Machine.Request) -> UInt64 {
        let (id, actions) = machine.submit(request)
        world.note("\(name) ► \(request.kind) request \(id)")
        perform(actions)
        return id
    }

    func abandon(_ id: UInt64) { perform(machine.abandon(id)) }
    func newChannel() -> UInt32 { machine.newChannel() }
    func sendDictionary(channel: UInt32, body: [UInt8]) { append(FrameHeader(kind: .dictionary, channel: channel), body) }
    func sendSchema(channel: UInt32, body: [UInt8]) { perform(machine.sendSchema(channel: channel, body: body)) }

    private func perform(_ actions: [Machine.Action]) {
        for action in actions {
            switch action {
            case .send(let header, let body): append(header, body)
            case .ready(let welcome):
                isReady = true
                owner?.connected(welcome)
            case .finished(let id, let frames): owner?.finished(id, frames)
            case .refused(let id, let error):
                world.note("\(name): request \(id) is refused: \(error)")
                owner?.refused(id, error)
            case .failed(let id, let error): owner?.failed(id, error)
            case .pushed(let frame): owner?.pushed(frame)
            case .end(let error, let tookWhatItDidNotAnswer):
                if error.code == .protocolViolation { world.violated("\(name) finds the protocol broken: \(error)") }
                disconnect("\(error)")
                owner?.disconnected(error, tookWhatItDidNotAnswer: tookWhatItDidNotAnswer)
            }
        }
    }

    private func append(_ header: FrameHeader, _ body: [UInt8]) {
        var header = header
        header.bodyLength = body.count
        let start = unsent.count
        unsent.append(contentsOf: repeatElement(0, count: header.frameLength))
        unsent.withUnsafeMutableBytes { bytes in
            header.write(to: bytes.baseAddress! + start)
            body.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: bytes[(start + FrameHeader.byteCount)...]).copyMemory(from: $0)
            }
        }
    }
}

/// Who uses a peer.
protocol PeerOwner: AnyObject {
    /// What it says first on a new connection, and how far its batches are.
    func introduction() -> (hello: Hello, sentUpTo: UInt64, receivedUpTo: UInt64)
    func connected(_ welcome: Welcome)
    func finished(_ id: UInt64, _ frames: [ConnectionStateMachine.Frame])
    /// The server answered with an error.
    func refused(_ id: UInt64, _ error: MillraceError)
    /// The connection ended before the answer came.
    func failed(_ id: UInt64, _ error: MillraceError)
    func pushed(_ frame: ConnectionStateMachine.Frame)
    /// It connects again by itself; every request has failed before.
    func disconnected(_ error: MillraceError, tookWhatItDidNotAnswer: Bool)
}
