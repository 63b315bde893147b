import CLinux
import Glibc

/// A connected stream socket.
public struct Socket: ~Copyable, Sendable {
    /// What one call moved.
    public enum Transfer: Hashable, Sendable {
        case bytes(Int)
        /// Nothing now; `EventPoll` says when.
        case wouldBlock
        /// The peer has closed its side (reads only).
        case ended
        /// The connection is gone; `errno`.
        case failed(Int32)
    }

    private let descriptor: FileDescriptor
    public var number: Int32 { descriptor.number }

    public init(owning descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    public consuming func release() -> Int32 { descriptor.release() }

    /// Connects, blocking; the socket blocks in reads and writes as well.
    public static func connect(to address: SocketAddress) throws(SystemError) -> Socket {
        var failure = SystemError("connect to \(address)", code: ENOENT)
        for raw in try RawSocketAddress.resolve(address) {
            let number = Glibc.socket(raw.family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { throw .last("socket for \(address)") }
            let socket = Socket(owning: FileDescriptor(owning: number))
            if raw.withPointer({ Glibc.connect(number, $0, $1) }) == 0 {
                socket.sendWithoutDelay()
                return socket
            }
            failure = .last("connect to \(address)")
        }
        throw failure
    }

    /// Small answers leave at once (TCP_NODELAY); no effect on a Unix socket.
    public func sendWithoutDelay() { Socket.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1) }

    /// Lets the kernel find peers that vanished without a word: probes after `idleSeconds` of silence, and gives up on
    /// bytes that stay unacknowledged for `unacknowledgedSeconds`. No effect on a Unix socket.
    public func detectDeadPeer(idleSeconds: Int32, unacknowledgedSeconds: Int32) {
        Socket.set(number, SOL_SOCKET, SO_KEEPALIVE, 1)
        Socket.set(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, idleSeconds)
        Socket.set(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, max(1, idleSeconds / 3))
        Socket.set(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
        Socket.set(number, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, unacknowledgedSeconds * 1_000)
    }

    /// From now on reads and writes that would wait say `wouldBlock`.
    public func setNonBlocking() { _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) }

    public func setSendBuffer(bytes: Int32) { Socket.set(number, SOL_SOCKET, SO_SNDBUF, bytes) }
    public func setReceiveBuffer(bytes: Int32) { Socket.set(number, SOL_SOCKET, SO_RCVBUF, bytes) }

    /// Reads and writes of a blocking socket fail with EAGAIN (`wouldBlock`) after this time.
    public func setTimeout(seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    static func set(_ number: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // An option that a kind of socket lacks costs behaviour we can do without; the call cannot fail otherwise.
        setsockopt(number, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    public func read(into buffer: UnsafeMutableRawBufferPointer) -> Transfer {
        Socket.transfer(reads: true, retryingOnInterrupt { Glibc.recv(number, buffer.baseAddress, buffer.count, 0) })
    }

    /// Fills `first`, then `second`, with one call.
    public func read(
        into first: UnsafeMutableRawBufferPointer, then second: UnsafeMutableRawBufferPointer
    ) -> Transfer {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { parts in
            parts[0] = iovec(iov_base: first.baseAddress, iov_len: first.count)
            parts[1] = iovec(iov_base: second.baseAddress, iov_len: second.count)
            return Socket.transfer(reads: true, retryingOnInterrupt { Glibc.readv(number, parts.baseAddress, 2) })
        }
    }

    /// Never raises SIGPIPE.
    public func write(_ buffer: UnsafeRawBufferPointer) -> Transfer {
        let flags = Int32(MSG_NOSIGNAL)
        return Socket.transfer(reads: false, retryingOnInterrupt { Glibc.send(number, buffer.baseAddress, buffer.count, flags) })
    }

    /// Tells the peer that nothing more will come, while its last bytes can still be read.
    public func finishWriting() { _ = Glibc.shutdown(number, Int32(SHUT_WR)) }

    @inline(__always)
    private static func transfer(reads: Bool, _ result: Int) -> Transfer {
        if result > 0 { return .bytes(result) }
        if result == 0 { return reads ? .ended : .bytes(0) }
        return errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(errno)
    }
}
