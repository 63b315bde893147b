import Millrace
import Wire

/// Applies one set of definitions after the other, each until it is known to be in force.
final class Operator: PeerOwner {
    private unowned let world: Environment
    private let history: History
    let peer: Peer
    private var changes: [Int]
    private var request: UInt64?
    private var nextNanoseconds: UInt64 = 0

    var isDone: Bool { changes.isEmpty }

    init(_ world: Environment, _ history: History, changes: [Int]) {
        self.world = world
        self.history = history
        self.changes = changes
        peer = Peer(world, name: "operator")
        peer.owner = self
    }

    func step() {
        peer.step()
        guard let variant = changes.first, peer.isReady, request == nil, world.clock.nanoseconds >= nextNanoseconds else {
            return
        }
        let sources = SimulatedDefinitions.all[variant].sources.map { Apply.Source(name: $0.name, text: $0.text) }
        let body = ControlMessage.apply(Apply(sources: sources)).encode()
        world.note("operator applies set \(variant)")
        request = peer.submit(.init(kind: .apply, channel: 0, body: body, expectation: .control(.applied), isChange: true))
    }

    func introduction() -> (hello: Hello, sentUpTo: UInt64, receivedUpTo: UInt64) { (Hello(clientName: peer.name), 0, 0) }
    func connected(_ welcome: Welcome) {}

    func finished(_ id: UInt64, _ frames: [ConnectionStateMachine.Frame]) {
        request = nil
        guard case .applied(let applied)? = try? frames[0].control() else {
            return world.violated("an apply is answered by \(frames[0].header.kind)")
        }
        if applied.hasErrors { return world.violated("good definitions are refused: \(applied.report)") }
        history.defined(changes.removeFirst(), version: applied.definitions)
        world.happened(.definitionsChanged)
        nextNanoseconds = world.clock.nanoseconds + UInt64(world.dice.number(0...100)) * 1_000_000
    }

    func failed(_ id: UInt64, _ error: MillraceError) { request = nil }

    func refused(_ id: UInt64, _ error: MillraceError) {
        request = nil
        if !error.isRetryable { world.violated("an apply is refused: \(error)") }
    }

    func pushed(_ frame: ConnectionStateMachine.Frame) { world.violated("the operator is pushed a \(frame.header.kind)") }
    func disconnected(_ error: MillraceError, tookWhatItDidNotAnswer: Bool) { request = nil }
}
