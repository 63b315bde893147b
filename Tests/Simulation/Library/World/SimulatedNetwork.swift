import Linux

/// The network of one run: who listens, and the connections there are.
final class SimulatedNetwork: Network, @unchecked Sendable {
    // `@unchecked Sendable`: a run has one thread.
    unowned let world: Environment
    private var open: [OpenListener] = []
    private(set) var wires: [SimulatedWire] = []
    private var nextNumber: Int32 = 1 << 20
    /// Bytes that may be under way in one direction before a writer has to wait.
    let windowBytes: Int

    init(world: Environment) {
        self.world = world
        windowBytes = world.dice.permille(200) ? 2_000 + world.dice.number(0...6_000) : 1 << 20
    }

    func newNumber() -> Int32 {
        nextNumber += 1
        return nextNumber
    }

    // MARK: The server's side

    /// A listener is closed when nobody holds it any more.
    private struct OpenListener {
        weak var listener: SimulatedListener?
    }

    private var listeners: [SimulatedListener] { open.compactMap(\.listener) }

    func listen(on address: SocketAddress, sharesPort: Bool) throws(SystemError) -> any ConnectionListener {
        let listener = SimulatedListener(self, address, sharesPort: sharesPort)
        open.append(OpenListener(listener: listener))
        return listener
    }

    func poller(eventsMax: Int) throws(SystemError) -> any Poller { SimulatedPoller(self, eventsMax: eventsMax) }

    func listenerClosed(_ waiting: [SimulatedWire]) {
        open.removeAll { $0.listener == nil }
        for wire in waiting {
            lose(wire, serverNotices: 0, clientNotices: 0)
            wire.isServerClosed = true
        }
    }

    func wire(_ number: Int32) -> SimulatedWire? { wires.first { $0.number == number } }
    func listener(_ number: Int32) -> SimulatedListener? { listeners.first { $0.number == number } }

    // MARK: The clients' side

    /// nil where nobody listens.
    func connect() -> SimulatedWire? {
        let listeners = listeners
        guard !listeners.isEmpty, !world.dice.permille(world.rates.refusals) else {
            world.happened(.connectionRefused)
            return nil
        }
        let wire = SimulatedWire(number: newNumber())
        wires.append(wire)
        world.dice.pick(listeners).waiting.append(wire)
        return wire
    }

    // MARK: What happens on the way

    /// Moves some of what is under way on one of the connections.
    func deliverSome() {
        wires.removeAll { $0.isServerClosed && $0.isClientClosed }
        guard !wires.isEmpty else { return }
        let first = world.dice.index(wires.count)
        for index in 0..<wires.count {
            let wire = wires[(first + index) % wires.count]
            guard !wire.isReset, wire.toServer.canDeliver || wire.toClient.canDeliver else { continue }
            deliver(wire)
            if world.dice.permille(700) { return }
        }
    }

    /// Nothing is under way, and everything that arrived was read.
    var isIdle: Bool { !wires.contains(where: \.isBusy) }

    /// Connections on which something moves, for people.
    var busy: [String] {
        wires.filter(\.isBusy).map {
            "connection \($0.number): \($0.toServer.unread) bytes to the server, \($0.toClient.unread) to the client"
        }
    }

    private func deliver(_ wire: SimulatedWire) {
        if world.dice.permille(world.rates.delays) { return world.happened(.delay) }
        let isWhole = !world.dice.permille(world.rates.partialTransfers)
        if !isWhole { world.happened(.partialTransfer) }
        if wire.toServer.canDeliver {
            wire.toServer.deliver(isWhole ? .max : world.dice.number(0...wire.toServer.underWay))
        }
        if wire.toClient.canDeliver {
            wire.toClient.deliver(isWhole ? .max : world.dice.number(0...wire.toClient.underWay))
        }
    }

    /// Ends one of the connections: any number of the bytes under way arrive before that.
    func cutOne() {
        let candidates = wires.filter { !$0.isReset && !($0.isServerClosed || $0.isClientClosed) }
        guard !candidates.isEmpty else { return }
        let wire = world.dice.pick(candidates)
        let now = world.clock.nanoseconds
        func later() -> UInt64 { now + UInt64(world.dice.number(0...2_000)) * 1_000_000 }
        switch world.dice.index(4) {
        case 0, 1:
            world.happened(.connectionReset)
            lose(wire, serverNotices: now, clientNotices: now)
        case 2:
            // The server hears nothing more, and finds out by itself.
            world.happened(.connectionSilenced)
            lose(wire, serverNotices: .max, clientNotices: later())
        default:
            world.happened(.connectionReset)
            lose(wire, serverNotices: later(), clientNotices: later())
        }
    }

    private func lose(_ wire: SimulatedWire, serverNotices: UInt64, clientNotices: UInt64) {
        wire.toServer.deliver(world.dice.small(wire.toServer.underWay))
        wire.toClient.deliver(world.dice.small(wire.toClient.underWay))
        if wire.reset(serverNotices: serverNotices, clientNotices: clientNotices) > 0 { world.happened(.bytesLost) }
    }

    /// The server's process is gone, and with it its ends of all connections.
    func serverDied() {
        open = []
        for wire in wires where !wire.isServerClosed {
            // What the kernel had taken may still arrive.
            lose(wire, serverNotices: 0, clientNotices: world.clock.nanoseconds)
            wire.isServerClosed = true
        }
    }
}

final class SimulatedListener: ConnectionListener, @unchecked Sendable {
    private unowned let network: SimulatedNetwork
    let number: Int32
    let address: SocketAddress
    var waiting: [SimulatedWire] = []

    init(_ network: SimulatedNetwork, _ address: SocketAddress, sharesPort: Bool) {
        self.network = network
        self.address = address
        number = network.newNumber()
    }

    deinit { network.listenerClosed(waiting) }

    func accept() -> AcceptedConnection {
        guard !waiting.isEmpty else { return .none }
        return .connection(SimulatedConnection(network, waiting.removeFirst()))
    }

    func unlinkPath() {}
}

/// The server's end of a connection.
final class SimulatedConnection: Connection, @unchecked Sendable {
    private unowned let network: SimulatedNetwork
    private let wire: SimulatedWire
    var number: Int32 { wire.number }

    init(_ network: SimulatedNetwork, _ wire: SimulatedWire) {
        self.network = network
        self.wire = wire
    }

    deinit { if !wire.isServerClosed { wire.serverClosed() } }

    private var isGone: Bool { wire.isReset && wire.serverNoticesNanoseconds <= network.world.clock.nanoseconds }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Transfer {
        let count = network.world.transferred(min(wire.toServer.arrived, buffer.count))
        if count > 0 {
            wire.toServer.read(count) { buffer.copyMemory(from: $0) }
            return .bytes(count)
        }
        if isGone { return .failed(SimulatedConnection.reset) }
        return wire.toServer.hasFinishArrived ? .ended : .wouldBlock
    }

    func write(_ buffer: UnsafeRawBufferPointer) -> Socket.Transfer {
        if isGone { return .failed(SimulatedConnection.reset) }
        let room = network.windowBytes - wire.toClient.unread
        guard room > 0 else { return .wouldBlock }
        let count = network.world.transferred(min(room, buffer.count))
        // Nobody will ever read what goes to a peer that is gone.
        if !wire.isReset { wire.toClient.write(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
        return .bytes(count)
    }

    func finishWriting() { wire.toClient.isFinished = true }

    /// ECONNRESET
    private static let reset: Int32 = 104
}
