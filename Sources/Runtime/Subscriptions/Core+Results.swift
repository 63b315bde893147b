import Engine
import Wire

/// Results of watched views go into their feeds, and from there to subscribers.
extension Core {
    /// Longest message of one entry of a feed, more or less: a long batch is cut up, so that nobody is sent much at once.
    static let resultBytesWanted = 128 << 10

    /// The entry is complete: everyone who watches a view of its stream may see it.
    func publish(_ request: Request) {
        // A feed that begins now has this entry.
        if catalog.watchGeneration != watchGeneration { findWatchedViews(behind: sequence - 1) }
        for watch in watchesByStream[request.stream] {
            guard let index = catalog.views[watch.feed.view].indices[request.stream] else { continue }
            // It was prepared when nobody watched yet, and its features are not computed.
            if request.batch.mode == .ingest {
                assert(!watch.isWhole, "batches of a watched stream are computed")
                watch.feed.skip(to: Place(sequence: sequence), missingRows: 0)
            } else {
                publish(request, index: index, to: watch.feed)
            }
        }
    }

    private func publish(_ request: Request, index: Int, to feed: ViewFeed) {
        let selection = request.batch.selection(view: index)
        if publishAnswer(of: request, selection: selection, to: feed) { return }
        var first = 0
        while first < selection.count {
            // As many rows as make a message of about the length wanted, going by those before.
            let count = min(selection.count - first, max(1, Core.resultBytesWanted / max(feed.bytesPerRow, 1)))
            publish(request, index: index, part: first..<first + count, selection: selection, to: feed)
            first += count
        }
    }

    /// The sender has been answered with just this message, which still stands in its send buffer: the entry is appended from
    /// there. False where it was not, or is too long for one entry.
    private func publishAnswer(
        of request: Request, selection: UnsafeBufferPointer<UInt32>, to feed: ViewFeed
    ) -> Bool {
        guard request.core == self.index, let session = request.session, !session.isClosed, !selection.isEmpty,
            let frame = answered.first(where: { $0.view == feed.view })?.frame,
            let byteCount = session.output.body(ofFrameAt: frame)?.count,
            byteCount <= min(Core.resultBytesWanted, feed.entryBytesMax)
        else { return false }
        feed.bytesPerRow = byteCount / selection.count + 1
        // Who is told that entries are gone may be the sender itself, and its buffer move.
        feed.makeRoom(byteCount)
        guard let message = session.output.body(ofFrameAt: frame) else { return false }
        feed.append(
            message, sequence: sequence, definitions: catalog.version, rowCount: selection.count, firstRow: selection[0],
            lastRow: selection[selection.count - 1])
        return true
    }

    private func publish(
        _ request: Request, index: Int, part: Range<Int>, selection: UnsafeBufferPointer<UInt32>, to feed: ViewFeed
    ) {
        resultMessage.removeAll()
        do throws(WireError) {
            try request.batch.write(view: index, part: part, writer: writers[feed.view], into: &resultMessage)
        } catch {
            resultMessage.removeAll()
        }
        let isWritten = resultMessage.count > 0 && resultMessage.count <= feed.entryBytesMax
        if !isWritten && part.count > 1 {
            let middle = part.lowerBound + part.count / 2
            publish(request, index: index, part: part.lowerBound..<middle, selection: selection, to: feed)
            publish(request, index: index, part: middle..<part.upperBound, selection: selection, to: feed)
            return
        }
        guard isWritten else {
            metrics.resultsTooLarge += 1
            return feed.skip(to: Place(sequence: sequence, rows: selection[part.lowerBound] + 1), missingRows: 1)
        }
        feed.bytesPerRow = resultMessage.count / part.count + 1
        feed.append(
            resultMessage.bytes, sequence: sequence, definitions: catalog.version, rowCount: part.count,
            firstRow: selection[part.lowerBound], lastRow: selection[part.upperBound - 1])
    }

    // MARK: Sending

    /// Its subscriptions may have more to send than was sent in this turn.
    func mayPump(_ session: Session) {
        guard !session.isPumping, session.output.unsentBytes <= subscriberUnsentBytes, session.ending == .no,
            session.subscribers.contains(where: { !$0.isLive })
        else { return }
        session.isPumping = true
        pumping.append(session)
    }

    /// Once a turn for each connection, so that nobody who catches up holds up the others.
    func pumpSubscribers() {
        guard !pumping.isEmpty else { return }
        let sessions = pumping
        pumping.removeAll(keepingCapacity: true)
        for session in sessions {
            session.isPumping = false
            guard !session.isClosed && session.ending == .no else { continue }
            for subscriber in session.subscribers { subscriber.group.feed.pump(subscriber) }
        }
    }
}

extension Session: SubscriberOutlet {
    var unsentBytes: Int { output.unsentBytes }

    func send(_ header: FrameHeader, body: UnsafeRawBufferPointer) {
        guard !isClosed && ending == .no else { return }
        var header = header
        header.epoch = core.epoch
        output.appendFrame(header, isChecked: state.wantsBodyChecksums, body: body)
        core.markDirty(self)
    }

    func end(_ error: ErrorMessage) { core.disconnect(self, error) }
}

/// A view's result frame of the entry that is being completed, by its place in the sender's send buffer.
struct AnsweredView {
    var view: Int
    var frame: Int
}
