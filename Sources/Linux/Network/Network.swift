/// The seam between a server and its network: listeners give connections, a poller says which of them are ready.
///
///     Network ──listen──► ConnectionListener ──accept──► Connection ──read, write──► bytes
///        └─────poller──► Poller ◄──add (number, interest, token)──────┘
///
/// One call per turn of a loop, per read and per write, none per row: `SystemNetwork` is the machine's own, and a simulator
/// brings one in which delays, cuts and partial transfers are drawn from a seed. Readiness is level-triggered: what is not
/// read is reported again.
public protocol Network: Sendable {
    /// Throws where nobody can listen there. `sharesPort`: several listeners of one address, among which connections spread.
    func listen(on address: SocketAddress, sharesPort: Bool) throws(SystemError) -> any ConnectionListener
    /// Reports at most `eventsMax` events at one time.
    func poller(eventsMax: Int) throws(SystemError) -> any Poller
}

/// Where connections come in.
public protocol ConnectionListener: AnyObject, Sendable {
    /// What a poller knows it by.
    var number: Int32 { get }
    /// With the port that the system chose where 0 was asked for.
    var address: SocketAddress { get }
    /// Takes one waiting connection; does not block.
    func accept() -> AcceptedConnection
    /// Takes the name of a Unix socket out of the file system.
    func unlinkPath()
}

public enum AcceptedConnection {
    case connection(any Connection)
    /// Nobody is waiting.
    case none
    /// The process or the system has no descriptor left.
    case outOfDescriptors
}

/// An accepted stream of bytes in both directions; neither reads nor writes block. It closes with its last reference.
public protocol Connection: AnyObject, Sendable {
    /// What a poller knows it by.
    var number: Int32 { get }
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Socket.Transfer
    func write(_ buffer: UnsafeRawBufferPointer) -> Socket.Transfer
    /// Tells the peer that nothing more will come, while its last bytes can still be read.
    func finishWriting()
}

/// Says what is ready. Belongs to one thread.
public protocol Poller: AnyObject {
    func add(_ number: Int32, _ interest: EventPoll.Interest, token: UInt64) throws(SystemError)
    func change(_ number: Int32, to interest: EventPoll.Interest, token: UInt64) throws(SystemError)
    func remove(_ number: Int32)
    /// Waits at most `timeoutMilliseconds` (negative: for ever, 0: not at all) and calls `body` for each event.
    func wait(timeoutMilliseconds: Int32, _ body: (EventPoll.Event) -> Void)
}
