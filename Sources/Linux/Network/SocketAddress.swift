import CLinux
import Glibc

/// Where a server listens or a client connects: `HOST:PORT`, `[V6]:PORT` or `unix:PATH`.
public enum SocketAddress: Hashable, Sendable {
    /// A name or numeric address; port 0 lets the system choose when listening.
    case tcp(host: String, port: UInt16)
    case unix(path: String)

    public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        public let text: String
        public let reason: String
        public var description: String {
            "\"\(text)\" is not an address: \(reason); expected HOST:PORT, [IPV6]:PORT or unix:PATH"
        }
    }

    public init(parsing text: String) throws(ParseError) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard !path.isEmpty else { throw ParseError(text: text, reason: "the path is empty") }
            guard path.utf8.count <= SocketAddress.unixPathBytesMax else {
                throw ParseError(text: text, reason: "the path is longer than \(SocketAddress.unixPathBytesMax) bytes")
            }
            self = .unix(path: path)
            return
        }
        guard let colon = text.lastIndex(of: ":") else { throw ParseError(text: text, reason: "it has no port") }
        guard let port = UInt16(text[text.index(after: colon)...]) else {
            throw ParseError(text: text, reason: "the port is not a number from 0 to 65535")
        }
        var host = String(text[..<colon])
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            throw ParseError(text: text, reason: "an IPv6 address stands in brackets")
        }
        guard !host.isEmpty else { throw ParseError(text: text, reason: "the host is empty (0.0.0.0 is every address)") }
        self = .tcp(host: host, port: port)
    }

    /// `sun_path` less its terminating zero.
    static let unixPathBytesMax = 107
}

extension SocketAddress: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A socket address as the system calls take it.
struct RawSocketAddress {
    var storage = sockaddr_storage()
    var length: socklen_t = 0

    var family: Int32 { Int32(storage.ss_family) }

    /// Looks the address up; a name may have several.
    static func resolve(_ address: SocketAddress) throws(SystemError) -> [RawSocketAddress] {
        switch address {
        case .unix(let path): return [unix(path)]
        case .tcp(let host, let port): return try tcp(host: host, port: port)
        }
    }

    private static func unix(_ path: String) -> RawSocketAddress {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { target in
            // The parser has checked that the path and its zero fit; the structure starts zeroed.
            for (index, byte) in path.utf8.prefix(SocketAddress.unixPathBytesMax).enumerated() { target[index] = byte }
        }
        var raw = RawSocketAddress()
        withUnsafeMutableBytes(of: &raw.storage) { $0.storeBytes(of: address, as: sockaddr_un.self) }
        raw.length = socklen_t(MemoryLayout<sockaddr_un>.size)
        return raw
    }

    private static func tcp(host: String, port: UInt16) throws(SystemError) -> [RawSocketAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0, let first = list else {
            let reason = String(cString: gai_strerror(code))
            throw SystemError("look up \(host)", code: code == EAI_SYSTEM ? errno : ENOENT, remedy: reason)
        }
        defer { freeaddrinfo(first) }
        var found: [RawSocketAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let entry = next?.pointee {
            var raw = RawSocketAddress()
            raw.length = entry.ai_addrlen
            withUnsafeMutableBytes(of: &raw.storage) {
                $0.copyMemory(from: UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen)))
            }
            found.append(raw)
            next = entry.ai_next
        }
        return found
    }

    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafeBytes(of: storage) { bytes in
            body(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), length)
        }
    }

    /// The address a socket is bound to, numeric.
    static func bound(to number: Int32) -> SocketAddress? {
        var raw = RawSocketAddress()
        raw.length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let code = withUnsafeMutableBytes(of: &raw.storage) { bytes in
            getsockname(number, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &raw.length)
        }
        guard code == 0 else { return nil }
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(NI_MAXHOST)) { host in
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { service in
                let code = raw.withPointer {
                    getnameinfo(
                        $0, $1, host.baseAddress, socklen_t(host.count), service.baseAddress, socklen_t(service.count),
                        NI_NUMERICHOST | NI_NUMERICSERV)
                }
                guard code == 0, let port = UInt16(String(cString: service.baseAddress!)) else { return nil }
                return .tcp(host: String(cString: host.baseAddress!), port: port)
            }
        }
    }
}
