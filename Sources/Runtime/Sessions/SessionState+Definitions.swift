import Values
import Wire

/// What other definitions mean for one connection. Names are what lasts: channels are for the same table and views as
/// before, wherever these stand now.
extension SessionState {
    /// Other definitions are in force from here on. Everything that was asked under those before has been answered.
    ///
    /// - Returns: What the client is told before it is answered by them: where a channel's views or event time changed, `opened`
    ///   again; the schemas of results that changed; the table's columns, where they did.
    mutating func definitionsChanged(_ targets: inout OpenTargets) -> [OutgoingFrame] {
        var frames: [OutgoingFrame] = []
        for (_, channel) in channels.sorted(by: { $0.key < $1.key }) {
            do throws(ErrorMessage) {
                let target = try targets.target(of: channel.open).get()
                frames += try takeOver(channel, target, targets.catalog)
                channel.problem = nil
            } catch {
                channel.problem = error
                channel.problem!.message += " since definitions version \(targets.catalog.version)"
            }
        }
        return frames
    }

    private mutating func takeOver(
        _ channel: Channel, _ target: OpenTarget, _ catalog: Catalog
    ) throws(ErrorMessage) -> [OutgoingFrame] {
        let known = Dictionary(uniqueKeysWithValues: channel.views.map { ($0.name, $0) })
        let added = target.views.count { known[catalog.views[$0].name] == nil }
        if added > 0 { try checkRoom(forChannels: added) }
        let views = target.views.map { number in
            if let view = known[catalog.views[number].name] {
                return Channel.View(number, of: catalog, channel: view.channel)
            }
            defer { nextResultChannel += 1 }
            return Channel.View(number, of: catalog, channel: nextResultChannel)
        }
        var frames: [OutgoingFrame] = []
        let opened = Opened(views, of: target, in: catalog)
        if opened != channel.opened {
            frames.append(OutgoingFrame(.opened, channel: channel.number, body: ControlMessage.opened(opened).encode()))
        }
        for view in views where known[view.name]?.schemaMessage != view.schemaMessage {
            frames.append(OutgoingFrame(.schema, channel: view.channel, body: view.schemaMessage))
        }
        if target.columns != channel.target.columns {
            frames.append(
                OutgoingFrame(.schema, channel: channel.number, body: ArrowSchema(fields: target.columns).encode()))
        }
        openViews += views.count - channel.views.count
        (channel.opened, channel.views) = (opened, views)
        channel.read(into: target, definitions: catalog.version)
        return frames
    }
}

extension Channel {
    /// Why batches cannot be read.
    var withoutReader: ErrorMessage { problem ?? schemaProblem ?? .noSchema(number) }

    /// Matches the client's schema with the columns that are wanted now.
    fileprivate func read(into target: OpenTarget, definitions: UInt32) {
        let fits = reader != nil && target.columns == self.target.columns
        self.target = target
        guard let schema, !fits else { return }
        do throws(WireError) {
            reader = try BatchReader(target: target.columns, source: schema, continuing: reader)
            schemaProblem = nil
        } catch {
            // A client whose schema was wrong from the start has been told so.
            if reader != nil || schemaProblem != nil {
                schemaProblem = ErrorMessage(
                    code: error.code,
                    message:
                        "what this channel sends does not fit \(opened.table) since definitions version \(definitions): \(error); "
                        + "then send a schema frame that fits")
            }
            reader = nil
        }
    }
}

extension Channel.View {
    init(_ number: Int, of catalog: Catalog, channel: UInt32) {
        let view = catalog.views[number]
        self.init(name: view.name, number: number, channel: channel, schemaMessage: view.schemaMessage)
    }
}

extension Opened {
    init(_ views: [Channel.View], of target: OpenTarget, in catalog: Catalog) {
        let stream = catalog.streams[target.stream]
        self.init(
            table: stream.table, views: views.map { Opened.View(name: $0.name, channel: $0.channel) },
            eventTime: stream.eventTime)
    }
}

extension SessionAction {
    /// Its answer is not known when it is carried out.
    var isRepliedLater: Bool {
        switch self {
        case .tellStatus, .apply, .subscribe, .awaitReply: true
        case .none, .send, .claim, .answerAgain, .fence, .submit, .unsubscribe, .finish, .disconnect: false
        }
    }
}
