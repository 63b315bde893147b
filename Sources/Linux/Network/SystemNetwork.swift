/// The machine's sockets and epoll.
public struct SystemNetwork: Network {
    public init() {}

    public func listen(on address: SocketAddress, sharesPort: Bool) throws(SystemError) -> any ConnectionListener {
        SystemListener(try Listener(address, sharesPort: sharesPort))
    }

    public func poller(eventsMax: Int) throws(SystemError) -> any Poller {
        SystemPoller(try EventPoll(eventsMax: eventsMax))
    }
}

private final class SystemListener: ConnectionListener {
    private let listener: Listener
    var number: Int32 { listener.number }
    var address: SocketAddress { listener.address }

    init(_ listener: consuming Listener) { self.listener = listener }

    func accept() -> AcceptedConnection {
        switch listener.accept() {
        case .socket(let socket): .connection(SystemConnection(socket))
        case .none: .none
        case .outOfDescriptors: .outOfDescriptors
        }
    }

    func unlinkPath() { listener.unlinkPath() }
}

private final class SystemConnection: Connection {
    private let socket: Socket
    var number: Int32 { socket.number }

    /// Answers are small and awaited, and peers may vanish without a word.
    init(_ socket: consuming Socket) {
        self.socket = socket
        self.socket.sendWithoutDelay()
        self.socket.detectDeadPeer(idleSeconds: 60, unacknowledgedSeconds: 60)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Transfer { socket.read(into: buffer) }
    func write(_ buffer: UnsafeRawBufferPointer) -> Socket.Transfer { socket.write(buffer) }
    func finishWriting() { socket.finishWriting() }
}

private final class SystemPoller: Poller {
    private let poll: EventPoll

    init(_ poll: consuming EventPoll) { self.poll = poll }

    func add(_ number: Int32, _ interest: EventPoll.Interest, token: UInt64) throws(SystemError) {
        try poll.add(number, interest, token: token)
    }
    func change(_ number: Int32, to interest: EventPoll.Interest, token: UInt64) throws(SystemError) {
        try poll.change(number, to: interest, token: token)
    }
    func remove(_ number: Int32) { poll.remove(number) }
    func wait(timeoutMilliseconds: Int32, _ body: (EventPoll.Event) -> Void) {
        poll.wait(timeoutMilliseconds: timeoutMilliseconds, body)
    }
}
