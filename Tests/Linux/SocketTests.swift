import Linux
import Testing

@Suite struct `Sockets` {
    static func temporaryPath(_ name: String) -> String {
        "/tmp/millrace-test-\(SystemClock.monotonicNanoseconds())-\(name)"
    }

    private func exchange(over listener: borrowing Listener) throws {
        let client = try Socket.connect(to: listener.address)
        guard case .socket(let server) = accepted(from: listener) else {
            Issue.record("nobody was accepted")
            return
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 8, alignment: 8)
        defer { buffer.deallocate() }
        #expect(server.read(into: buffer) == .wouldBlock)
        let sent: [UInt8] = [1, 2, 3, 4, 5]
        #expect(sent.withUnsafeBytes { client.write($0) } == .bytes(5))
        let (head, tail) = (
            UnsafeMutableRawBufferPointer(rebasing: buffer[..<2]), UnsafeMutableRawBufferPointer(rebasing: buffer[2...])
        )
        #expect(server.read(into: head, then: tail) == .bytes(5))
        #expect(Array(buffer[..<5]) == sent)
        client.finishWriting()
        #expect(server.read(into: buffer) == .ended)
    }

    private func accepted(from listener: borrowing Listener) -> Listener.Accepted {
        for _ in 0..<1_000 {
            switch listener.accept() {
            case .socket(let socket): return .socket(socket)
            case .outOfDescriptors: return .outOfDescriptors
            case .none: Processors.spinHint()
            }
        }
        return .none
    }

    @Test func `carry bytes over TCP, on a port the system chose`() throws {
        let listener = try Listener(.tcp(host: "127.0.0.1", port: 0), sharesPort: false)
        guard case .tcp("127.0.0.1", let port) = listener.address else {
            Issue.record("bound to \(listener.address)")
            return
        }
        #expect(port != 0)
        try exchange(over: listener)
    }

    @Test func `carry bytes over a Unix path, and take over a path that nobody answers on`() throws {
        let address = SocketAddress.unix(path: Sockets.temporaryPath("take-over"))
        for _ in 0..<2 {
            let listener = try Listener(address, sharesPort: false)
            try exchange(over: listener)
        }
        let last = try Listener(address, sharesPort: false)
        last.unlinkPath()
        #expect { _ = try Socket.connect(to: address) } throws: { ($0 as? SystemError)?.name == "ENOENT" }
    }

    @Test(arguments: [SocketAddress.tcp(host: "127.0.0.1", port: 0), .unix(path: temporaryPath("in-use"))])
    func `refuse an address in use, and say what to do`(address: SocketAddress) throws {
        let first = try Listener(address, sharesPort: true)
        let bound = first.address
        #expect {
            _ = try Listener(bound, sharesPort: false)
        } throws: { error in
            "\(error)" == "bind \(bound): Address already in use (EADDRINUSE); "
                + "another process listens there: stop it or choose another --listen address"
        }
        first.unlinkPath()
    }

    @Test func `say what failed and why`() {
        #expect {
            _ = try Socket.connect(to: .unix(path: "/nowhere/at/all"))
        } throws: { "\($0)" == "connect to unix:/nowhere/at/all: No such file or directory (ENOENT)" }
    }
}
