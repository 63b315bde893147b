import Wire

/// What producers are told.
extension ErrorMessage {
    static func batchGap(expected: UInt64, found: UInt64) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.batchGap,
            message: "batch \(found) came where batch \(expected) is expected",
            detail: "a batch that is refused leaves its number to the next one: send from \(expected) on")
    }

    static func batchConfirmed(_ number: UInt64, receivedUpTo: UInt64) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.batchConfirmed,
            message: "batch \(number) was applied, and its answer is no longer kept: received_up_to has come to \(receivedUpTo)")
    }

    static func unconfirmed(_ found: Int, _ limit: Int, receivedUpTo: UInt64, last: UInt64) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.producerFull,
            message: "\(found) bytes of answers are kept for batches \(receivedUpTo + 1) to \(last), at most \(limit) are: "
                + "received_up_to is still \(receivedUpTo)",
            detail: "read the answers, and say in received_up_to which have come", retry: true)
    }

    static func noRoomForReplies(_ limit: Int) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.producerFull,
            message: "the answers that all producers have still to confirm take \(limit) bytes, the most there can be",
            detail: "send again when other producers have confirmed theirs", retry: true)
    }

    static func producerFenced(_ id: UInt64) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.producerFenced,
            message: "another connection has claimed producer \(producerName(id)): no further batch of this one is taken",
            detail: "a producer id is for one sender at a time")
    }

    static func producerUnknown(_ id: UInt64, sent: UInt64) -> ErrorMessage {
        ErrorMessage(
            code: ErrorCode.producerUnknown,
            message: "producer \(producerName(id)) says that it has sent batches up to \(sent), and is not known here: "
                + "whether they were applied cannot be told",
            detail: "begin anew by a hello with batch_number 0")
    }

    static func tooManyProducers(_ limit: Int) -> ErrorMessage {
        .overloaded(
            "this server knows \(limit) producers, the most there can be, and none that was gone for long; come again later")
    }

    static func notNumbered(_ kind: FrameKind) -> ErrorMessage {
        .badRequest("this \(kind) has no batch_number; the connection named a producer, whose batches are numbered from 1")
    }

    static func numbered(_ kind: FrameKind, _ number: UInt64) -> ErrorMessage {
        .badRequest(
            kind == .compute || kind == .ingest
                ? "this \(kind) has batch_number \(number); name a producer in hello, or send 0"
                : "this \(kind) has batch_number \(number); only compute and ingest are numbered")
    }

    static func otherKind(_ number: UInt64, was kind: FrameKind) -> ErrorMessage {
        .badRequest("batch \(number) was sent as \(kind) before; a batch that is sent again is sent as it was")
    }

    static func viewsNotAnswered(_ number: UInt64) -> ErrorMessage {
        .badRequest("batch \(number) was applied, and was not answered by any of the views that this channel was opened for")
    }

    private static func producerName(_ id: UInt64) -> String { String(id, radix: 16) }
}
