import NIOCore
import NIOPosix
import Wire

extension Session {
    /// Connects, and shakes hands.
    static func connect(
        to address: ServerAddress, hello: Hello, pingInterval: Duration, group: any EventLoopGroup
    ) async throws(MillraceError) -> (Session, Welcome) {
        let session: Session
        do {
            session = try await open(address, group)
        } catch {
            throw MillraceError(
                code: .connectionFailed, message: "cannot connect to \(address): \(error)",
                detail: "is `millrace serve` running and listening there?", isRetryable: true)
        }
        do throws(MillraceError) {
            let welcome = try await session.handshake(hello)
            session.beginPulse(interval: pingInterval)
            return (session, welcome)
        } catch {
            session.close()
            throw error
        }
    }

    private static func open(_ address: ServerAddress, _ group: any EventLoopGroup) async throws -> Session {
        let bootstrap = ClientBootstrap(group: group)
            .channelOption(.socketOption(.so_keepalive), value: 1)
            .connectTimeout(.seconds(5))
        let attach: @Sendable (any Channel) -> EventLoopFuture<Session> = { channel in
            channel.eventLoop.makeCompletedFuture {
                let session = Session(channel: channel)
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
