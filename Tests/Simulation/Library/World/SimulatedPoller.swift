import Linux

/// Says what is ready, in any order and sometimes later than it could.
final class SimulatedPoller: Poller {
    private unowned let network: SimulatedNetwork
    private let eventsMax: Int
    private var registered: [Registered] = []

    private struct Registered {
        let number: Int32
        var interest: EventPoll.Interest
        let token: UInt64
        let wire: SimulatedWire?
        weak var listener: SimulatedListener?
    }

    init(_ network: SimulatedNetwork, eventsMax: Int) {
        self.network = network
        self.eventsMax = eventsMax
    }

    func add(_ number: Int32, _ interest: EventPoll.Interest, token: UInt64) throws(SystemError) {
        registered.append(
            Registered(
                number: number, interest: interest, token: token, wire: network.wire(number), listener: network.listener(number)))
    }

    func change(_ number: Int32, to interest: EventPoll.Interest, token: UInt64) throws(SystemError) {
        guard let index = registered.firstIndex(where: { $0.number == number }) else {
            preconditionFailure("a connection is added before its interest is changed")
        }
        registered[index].interest = interest
    }

    func remove(_ number: Int32) { registered.removeAll { $0.number == number } }

    /// Never waits: who turns the loops decides when.
    func wait(timeoutMilliseconds: Int32, _ body: (EventPoll.Event) -> Void) {
        let world = network.world
        var events: [EventPoll.Event] = []
        for source in registered {
            let (isReadable, isWritable) = readiness(source)
            let event = EventPoll.Event(
                token: source.token, isReadable: isReadable && source.interest.contains(.read),
                isWritable: isWritable && source.interest.contains(.write))
            guard event.isReadable || event.isWritable else { continue }
            if events.count < eventsMax && !world.dice.permille(world.rates.lateEvents) { events.append(event) }
        }
        world.dice.shuffle(&events)
        for event in events { body(event) }
    }

    private func readiness(_ source: Registered) -> (readable: Bool, writable: Bool) {
        if let wire = source.wire {
            let isGone = wire.isReset && wire.serverNoticesNanoseconds <= network.world.clock.nanoseconds
            return (wire.toServer.hasNews || isGone, isGone || network.windowBytes > wire.toClient.unread)
        }
        // Doorbells: on one thread nobody sleeps while another rings.
        return (source.listener.map { !$0.waiting.isEmpty } ?? false, false)
    }
}
