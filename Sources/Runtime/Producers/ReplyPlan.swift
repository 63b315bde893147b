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
    private(set) var channels: [UInt32]
    private(set) var after: [OutgoingFrame] = []

    /// Throws why the channel cannot be answered.
    init(
        _ reply: KeptReply, answering request: FrameHeader, on channel: Channel, state: inout SessionState
    ) throws(ErrorMessage) {
        parts = reply.parts(for: channel.open)
        channels = []
        if reply.kind == .ingest {
            channels = parts.map { _ in request.channel }
            return
        }
        guard !parts.isEmpty else { throw .viewsNotAnswered(request.batchNumber) }
        var views: [Opened.View] = []
        var isOther = parts.count != channel.views.count
        for (index, part) in parts.enumerated() {
            // Nearly always the views are those of now, in their order.
            let known =
                index < channel.views.count && channel.views[index].name == part.view
                ? channel.views[index] : channel.views.first { $0.name == part.view }
            isOther = isOther || known == nil || known != channel.views[index]
            let number = if let known { known.channel } else { try state.newResultChannel() }
            // An error is about the request, and stands on its channel.
            channels.append(part.kind == .error ? request.channel : number)
            views.append(Opened.View(name: part.view, channel: number))
            guard part.kind == .result, known?.schemaMessage != part.schema else { continue }
            before.append(OutgoingFrame(.schema, channel: number, body: part.schema))
        }
        for view in channel.views {
            let then = parts.first { $0.view == view.name }
            // To one that was not among the views of then the client is told all anew.
            if then == nil || then!.kind == .result && then!.schema != view.schemaMessage {
                after.append(OutgoingFrame(.schema, channel: view.channel, body: view.schemaMessage))
            }
        }
        guard isOther else { return }
        var then = channel.opened
        then.views = views
        before.insert(OutgoingFrame(.opened, channel: channel.number, body: ControlMessage.opened(then).encode()), at: 0)
        after.insert(
            OutgoingFrame(.opened, channel: channel.number, body: ControlMessage.opened(channel.opened).encode()), at: 0)
    }
}
