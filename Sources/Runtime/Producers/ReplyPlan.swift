import Wire

/// How a kept reply leaves on a channel: which parts, where to, and what the client has to be told around it, because the channel's views or their
/// columns are others now than they were.
///
///     opened, schemas of then (request_id 0) ─► the answer ─► opened, schemas of now (request_id 0)
///
/// These are the frames that tell of changed definitions: whoever understands those reads an answer from before a change as well.
struct ReplyPlan {
    private(set) var before: [OutgoingFrame] = []
    let parts: [KeptReply.Part]
    /// By part.
    let channels: [UInt32]
    private(set) var after: [OutgoingFrame] = []

    /// Throws why the channel cannot be answered.
    init(
        _ reply: KeptReply, answering request: FrameHeader, on channel: Channel, state: inout SessionState
    ) throws(ErrorMessage) {
        if reply.kind == .ingest || reply.isAsAnswered(by: channel.views) {
            parts = reply.parts
            channels = parts.enumerated().map { $1.kind == .result ? channel.views[$0].channel : request.channel }
            return
        }
        parts = reply.parts(for: channel.open)
        guard !parts.isEmpty else { throw .viewsNotAnswered(request.batchNumber) }
        let known = Dictionary(uniqueKeysWithValues: channel.views.map { ($0.name, $0) })
        var views: [Opened.View] = []
        for part in parts {
            let number = if let view = known[part.view] { view.channel } else { try state.newResultChannel() }
            views.append(Opened.View(name: part.view, channel: number))
        }
        // An error is about the request, and stands on its channel.
        channels = zip(parts, views).map { $0.kind == .result ? $1.channel : request.channel }
        tellThen(views, known, on: channel)
        tellNow(on: channel)
    }

    private mutating func tellThen(_ views: [Opened.View], _ known: [String: Channel.View], on channel: Channel) {
        var then = channel.opened
        then.views = views
        if then != channel.opened {
            before.append(OutgoingFrame(.opened, channel: channel.number, body: ControlMessage.opened(then).encode()))
            after.append(
                OutgoingFrame(.opened, channel: channel.number, body: ControlMessage.opened(channel.opened).encode()))
        }
        for (part, view) in zip(parts, views) where part.kind == .result && known[part.view]?.schemaMessage != part.schema {
            before.append(OutgoingFrame(.schema, channel: view.channel, body: part.schema))
        }
    }

    /// A view that was not among those of then the client is told all anew.
    private mutating func tellNow(on channel: Channel) {
        for view in channel.views {
            let then = parts.first { $0.view == view.name }
            if then == nil || then!.kind == .result && then!.schema != view.schemaMessage {
                after.append(OutgoingFrame(.schema, channel: view.channel, body: view.schemaMessage))
            }
        }
    }
}

extension KeptReply {
    /// It has what a batch is answered with on a channel of these views now.
    fileprivate func isAsAnswered(by views: [Channel.View]) -> Bool {
        guard parts.count == views.count else { return false }
        for (part, view) in zip(parts, views) {
            if part.view != view.name || part.kind == .result && part.schema != view.schemaMessage { return false }
        }
        return true
    }
}
