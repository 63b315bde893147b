import NIOCore
import NIOPosix
import Wire

extension Session {
    /// Connects, and shakes hands. The hello may name a producer, that has sent and received so much.
    static func connect(
        to address: ServerAddress, hello: Hello, sentUpTo: UInt64 = 0, receivedUpTo: UInt64 = 0, pingInterval: Duration,
        group: any EventLoopGroup, onEnd: @escaping OnEnd = { _, _ in }
    ) async throws(MillraceError) -> (Session, Welcome) {
        let session: Session
        do {
            session = try await open(address, group, onEnd)
        } catch {
            throw MillraceError(
                code: .connectionFailed, message: "cannot connect to \(address): \(error)",
                detail: "is `millrace serve` running and listening there?", isRetryable: true)
        }
        do throws(MillraceError) {
            let welcome = try await session.handshake(hello, sentUpTo: sentUpTo, receivedUpTo: receivedUpTo)
            session.beginPulse(interval: pingInterval)
            return (session, welcome)
        } catch {
            session.close()
            throw error
        }
    }

    private static func open(
        _ address: ServerAddress, _ group: any EventLoopGroup, _ onEnd: @escaping OnEnd
    ) async throws -> Session {
        let bootstrap = ClientBootstrap(group: group)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connectTimeout(.seconds(5))
        let attach: @Sendable (any Channel) -> EventLoopFuture<Session> = { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = Session(channel: channel, onEnd: onEnd)
                let handler = FrameHandler(session: session)
                try channel.pipeline.syncOperations.addHandler(handler)
                return session
            }
        }
        return switch address {
        case .tcp(let host, let port):
            try await bootstrap.channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .connect(host: host, port: port, channelInitializer: attach)
        case .unix(let path):
            try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: attach)
        }
    }
}
