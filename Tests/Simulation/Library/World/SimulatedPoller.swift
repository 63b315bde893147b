import Linux

/// Says what is ready, in any order and sometimes later than it could.
final class SimulatedPoller: Poller {
    private unowned let network: SimulatedNetwork
    private let eventsMax: Int
    private var registered: [(number: Int32, interest: EventPoll.Interest, token: UInt64)] = []

    init(_ network: SimulatedNetwork, eventsMax: Int) {
        self.network = network
        self.eventsMax = eventsMax
    }

    func add(_ number: Int32, _ interest: EventPoll.Interest, token: UInt64) throws(SystemError) {
        registered.append((number, interest, token))
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
        for (number, interest, token) in registered {
            let state = readiness(number)
            let event = EventPoll.Event(
                token: token, isReadable: state.readable && interest.contains(.read),
                isWritable: state.writable && interest.contains(.write))
            guard event.isReadable || event.isWritable else { continue }
            if events.count < eventsMax && !world.dice.permille(world.rates.lateEvents) { events.append(event) }
        }
        world.dice.shuffle(&events)
        for event in events { body(event) }
    }

    private func readiness(_ number: Int32) -> (readable: Bool, writable: Bool) {
        if let wire = network.wire(number) {
            let isGone = wire.isReset && wire.serverNoticesNanoseconds <= network.world.clock.nanoseconds
            return (wire.toServer.hasNews || isGone, isGone || network.windowBytes > wire.toClient.unread)
        }
        if let listener = network.listener(number) { return (!listener.waiting.isEmpty, false) }
        // Doorbells: on one thread nobody sleeps while another rings.
        return (false, false)
    }
}
