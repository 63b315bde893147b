import Millrace
import Wire

/// A subscriber that goes on where it was whenever its connection ends.
final class Follower: PeerOwner {
    private unowned let world: Environment
    let record: SubscriptionRecord
    let peer: Peer
    private let onFull: Subscribe.OnFull
    private let bufferBytes: UInt32
    private var request: UInt64?
    private var reader: AnswerReader?
    /// Reads nothing until then: a slow subscriber.
    private var pausedUntilNanoseconds: UInt64 = 0

    /// Its subscription stands and it reads.
    var isFollowing: Bool { peer.isLive && reader != nil && world.clock.nanoseconds >= pausedUntilNanoseconds }

    init(_ world: Environment, name: String, view: String) {
        self.world = world
        record = SubscriptionRecord(world, name: name, view: view)
        peer = Peer(world, name: name)
        onFull = world.dice.pick([.conflate, .drop])
        bufferBytes = world.dice.permille(500) ? 0 : 4_096
        peer.owner = self
    }

    func step() {
        guard world.clock.nanoseconds >= pausedUntilNanoseconds else { return }
        if world.dice.permille(world.rates.slowSubscribers) {
            pausedUntilNanoseconds = world.clock.nanoseconds + UInt64(world.dice.number(1...200)) * 1_000_000
        }
        peer.step()
        guard peer.isReady, request == nil else { return }
        let subscribe = Subscribe(view: record.view, from: record.place, onFull: onFull, bufferBytes: bufferBytes)
        request = peer.submit(
            .init(
                kind: .subscribe, channel: 0, body: ControlMessage.subscribe(subscribe).encode(), expectation: .subscribing,
                isChange: false))
    }

    func introduction() -> (hello: Hello, sentUpTo: UInt64, receivedUpTo: UInt64) { (Hello(clientName: peer.name), 0, 0) }
    func connected(_ welcome: Welcome) {}

    func finished(_ id: UInt64, _ frames: [ConnectionStateMachine.Frame]) {
        do {
            guard case .subscribed(let granted) = try frames[0].control() else { return }
            reader = try AnswerReader(view: record.view, channel: granted.channel, schema: try frames[1].schema())
            record.began(behind: granted.sequence)
        } catch {
            world.violated("\(peer.name) cannot read how its subscription begins: \(error)")
        }
    }

    func failed(_ id: UInt64, _ error: MillraceError) { request = nil }

    func refused(_ id: UInt64, _ error: MillraceError) {
        request = nil
        if !error.isRetryable { world.violated("\(peer.name) may not subscribe: \(error)") }
    }

    func pushed(_ frame: ConnectionStateMachine.Frame) {
        do {
            if frame.header.kind == .gap {
                guard case .gap(let gap) = try frame.control() else { return }
                world.note("\(peer.name): \(gap)")
                record.told(gap)
            } else if let reader {
                record.pushed(ObservedAnswer(try reader.adapted(to: frame).read(frame)))
            }
        } catch {
            world.violated("\(peer.name) cannot read a push: \(error)")
        }
    }

    func disconnected(_ error: MillraceError, tookWhatItDidNotAnswer: Bool) {
        request = nil
        reader = nil
    }
}
