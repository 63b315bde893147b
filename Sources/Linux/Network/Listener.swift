import CLinux
import Glibc

/// A listening socket, non-blocking.
public struct Listener: ~Copyable, Sendable {
    public enum Accepted: ~Copyable {
        case socket(Socket)
        /// Nobody is waiting.
        case none
        /// The process or the system has no descriptor left.
        case outOfDescriptors
    }

    private let descriptor: FileDescriptor
    /// With the port that the system chose where 0 was asked for.
    public let address: SocketAddress
    public var number: Int32 { descriptor.number }

    /// `sharesPort`: several listeners of one address, among which the kernel spreads connections (SO_REUSEPORT); TCP only.
    ///
    /// A Unix path that nobody answers on any more is taken over; one that answers is an error.
    public init(_ address: SocketAddress, sharesPort: Bool, backlog: Int32 = 4_096) throws(SystemError) {
        let descriptor = try Listener.open(address, sharesPort: sharesPort, backlog: backlog)
        if case .tcp = address {
            self.address = RawSocketAddress.bound(to: descriptor.number) ?? address
        } else {
            self.address = address
        }
        self.descriptor = descriptor
    }

    private static func open(
        _ address: SocketAddress, sharesPort: Bool, backlog: Int32
    ) throws(SystemError) -> FileDescriptor {
        let raw = try RawSocketAddress.resolve(address)[0]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = Glibc.socket(raw.family, kind, 0)
        guard number >= 0 else { throw .last("socket for \(address)") }
        let descriptor = FileDescriptor(owning: number)
        if case .tcp = address {
            Socket.set(number, SOL_SOCKET, SO_REUSEADDR, 1)
            if sharesPort { Socket.set(number, SOL_SOCKET, SO_REUSEPORT, 1) }
        }
        try bind(number, raw, address)
        guard Glibc.listen(number, backlog) == 0 else { throw .last("listen on \(address)") }
        return descriptor
    }

    private static func bind(_ number: Int32, _ raw: RawSocketAddress, _ address: SocketAddress) throws(SystemError) {
        let remedy = "another process listens there: stop it or choose another --listen address"
        if raw.withPointer({ Glibc.bind(number, $0, $1) }) == 0 { return }
        guard errno == EADDRINUSE, case .unix(let path) = address else {
            throw .last("bind \(address)", remedy: errno == EADDRINUSE ? remedy : "")
        }
        // A socket file outlives its server. Only one that refuses connections is stale.
        let inUse = SystemError("bind \(address)", code: EADDRINUSE, remedy: remedy)
        do throws(SystemError) {
            _ = try Socket.connect(to: address)
            throw inUse
        } catch  where error.code == ECONNREFUSED {
            _ = unlink(path)
            guard raw.withPointer({ Glibc.bind(number, $0, $1) }) == 0 else { throw .last("bind \(address)") }
        } catch {
            throw inUse
        }
    }

    /// Takes one waiting connection; the socket does not block.
    public func accept() -> Accepted {
        while true {
            let number = clinux_accept(descriptor.number)
            if number >= 0 { return .socket(Socket(owning: FileDescriptor(owning: number))) }
            switch errno {
            case EINTR, ECONNABORTED, EPROTO: continue
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .outOfDescriptors
            default: return .none
            }
        }
    }

    /// Takes the name of a Unix socket out of the file system.
    public func unlinkPath() {
        if case .unix(let path) = address { _ = unlink(path) }
    }
}
