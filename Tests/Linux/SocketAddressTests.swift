import Linux
import Testing

@Suite struct `A socket address` {
    @Test(arguments: [
        ("127.0.0.1:7400", SocketAddress.tcp(host: "127.0.0.1", port: 7400)),
        ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("[::1]:65535", .tcp(host: "::1", port: 65535)),
        ("unix:/tmp/a socket", .unix(path: "/tmp/a socket")),
    ])
    func `is written as it is read`(text: String, address: SocketAddress) throws {
        #expect(try SocketAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        ("", "it has no port"),
        ("localhost", "it has no port"),
        ("localhost:", "the port is not a number from 0 to 65535"),
        ("localhost:65536", "the port is not a number from 0 to 65535"),
        ("localhost:-1", "the port is not a number from 0 to 65535"),
        (":7400", "the host is empty (0.0.0.0 is every address)"),
        ("::1:7400", "an IPv6 address stands in brackets"),
        ("unix:", "the path is empty"),
        ("unix:/" + String(repeating: "x", count: 200), "the path is longer than 107 bytes"),
    ])
    func `says why it is none`(text: String, reason: String) {
        #expect {
            _ = try SocketAddress(parsing: text)
        } throws: { error in
            (error as? SocketAddress.ParseError)?.reason == reason
        }
    }
}
