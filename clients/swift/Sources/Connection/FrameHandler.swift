import NIOCore
import Wire

/// Cuts what the socket delivers into frames and hands them to the session. Lives on the channel's event loop.
final class FrameHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var decoder = FrameDecoder()
    /// The body that the decoder is filling.
    private var body: UnsafeMutableRawBufferPointer?
    private var session: Session?

    init(session: Session) { self.session = session }

    deinit { body?.deallocate() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        session?.heard()
        do throws(FrameError) {
            try unwrapInboundIn(data).withUnsafeReadableBytes { bytes throws(FrameError) in try take(bytes) }
        } catch {
            session?.disconnected(MillraceError(code: .protocolViolation, message: "the server sent no frame: \(error)"))
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws(FrameError) {
        var rest = bytes
        while true {
            switch try decoder.push(&rest) {
            case .starved:
                return
            case .bodyNeeded(_, let byteCount):
                // Freed when the frame is whole, or with the handler.
                let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
                body = buffer
                decoder.provideBody(buffer)
            case .frame(let header, let whole):
                session?.received(header, body: Array(whole))
                body?.deallocate()
                body = nil
            }
        }
    }

    func channelInactive(context: ChannelHandlerContext) { end("the connection to the server ended") }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        end("the connection to the server ended: \(error)")
        context.close(promise: nil)
    }

    private func end(_ message: String) {
        session?.disconnected(MillraceError(code: .connectionLost, message: message, isRetryable: true))
        session = nil
    }
}

/// Appends a frame as it travels: header, body, zeros up to a multiple of 8.
func append(_ header: FrameHeader, _ body: [UInt8], to buffer: inout ByteBuffer) {
    buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: FrameHeader.byteCount) { bytes in
        // NIO made room for the whole header.
        header.write(to: bytes.baseAddress!)
        return FrameHeader.byteCount
    }
    buffer.writeBytes(body)
    buffer.writeRepeatingByte(0, count: header.paddedBodyLength - header.bodyLength)
}
