import Wire

/// Which views are watched by anybody: each core keeps their results, so that a subscription can be resumed on any.
extension Core {
    /// Smallest log that is of use.
    private static let resultLogBytesMin = 256 << 10

    private static let watchSweepNanoseconds: UInt64 = 250_000_000

    /// How long the core may sleep; -1: for ever.
    var millisecondsToNextTask: Int32 {
        var milliseconds = millisecondsToNextDeadline
        if let lookUp = millisecondsToNextLookUp { milliseconds = milliseconds < 0 ? lookUp : min(milliseconds, lookUp) }
        if shard.isChanging {
            let pause = Core.changePauseMilliseconds
            milliseconds = milliseconds < 0 ? pause : min(milliseconds, pause)
        }
        guard watches.contains(where: { $0 != nil }) else { return milliseconds }
        let sweep = Int32(Core.watchSweepNanoseconds / 1_000_000)
        return milliseconds < 0 ? sweep : min(milliseconds, sweep)
    }

    /// This core has a subscriber for the view, or is about to.
    func watch(_ view: Int) throws(ErrorMessage) {
        if watches[view] == nil { try openFeed(view, behind: sequence) }
        guard let watch = watches[view] else { return }
        watch.idleSinceNanoseconds = turnNanoseconds
        guard !watch.isOwn else { return }
        watch.isOwn = true
        catalog.addWatchers(ofView: view, 1 << UInt64(index))
        tellStreams()
        announceWatching()
        findWatchedViews(behind: sequence)
        askAll(watch)
    }

    /// Others may have prepared batches that they don't know to be watched.
    func askAll(_ watch: ViewWatch) {
        watch.acknowledged = 0
        watch.wholeFrom = nil
        watch.isWhole = false
        let question = WatchQuestion(core: index, view: watch.feed.view, definitions: catalog.version)
        watchQuestions.append(question)
        for core in 0..<exchange.coreCount where core != index { exchange.send(.watchAsked(question), to: core) }
        acknowledgeWatches()
    }

    /// What was prepared before the question has its place, unless it waits for one.
    func acknowledgeWatches() {
        guard !watchQuestions.isEmpty && waitingRequest == nil else { return }
        let questions = watchQuestions
        watchQuestions.removeAll()
        for question in questions {
            if question.core == index {
                watchAcknowledged(by: index, question)
            } else {
                exchange.send(.watchAcknowledged(by: index, question), to: question.core)
            }
        }
    }

    func watchAcknowledged(by core: Int, _ question: WatchQuestion) {
        // Whoever was not answered under former definitions has asked again.
        guard question.definitions == catalog.version, let watch = watches[question.view] else { return }
        watch.acknowledged |= 1 << UInt64(core)
        if watch.acknowledged == exchange.allCores && watch.wholeFrom == nil { watch.wholeFrom = exchange.ring.end }
    }

    func openFeed(_ view: Int, behind sequence: UInt64) throws(ErrorMessage) {
        let bytesMax = limits.subscriberBytesMax / 4 * 3 / exchange.coreCount
        // A log, and as much again for what conflation keeps; the more views are watched, the less each further one has.
        let used = watches.reduce(0) { $0 + 2 * ($1?.feed.log.capacity ?? 0) }
        let logBytes = min(limits.resultBytesMax, (bytesMax - used) / 4)
        guard logBytes >= Core.resultLogBytesMin else {
            throw ErrorMessage(
                code: ErrorCode.memoryFull,
                message: "the memory for subscribers, \(limits.subscriberBytesMax) bytes, is used up by other views; "
                    + "give the server more with --subscriber-memory, or follow fewer views",
                retry: true)
        }
        let described = catalog.views[view]
        watches[view] = ViewWatch(
            feed: ViewFeed(
                view: view, name: described.name, fields: described.columns, keyColumns: described.keys.columns,
                start: Place(sequence: sequence),
                limits: ViewFeed.Limits(logBytes: logBytes, unsentBytes: subscriberUnsentBytes)))
        arrangeWatches()
    }

    /// Somebody began to watch a view, or ceased to.
    ///
    /// - Parameter sequence: feeds that are made have everything behind it.
    func findWatchedViews(behind sequence: UInt64) {
        watchGeneration = catalog.watchGeneration
        for view in watches.indices {
            let isWatched = catalog.watchers(ofView: view) != 0
            if isWatched && watches[view] == nil {
                // What cannot be kept here cannot be resumed here, and is told as a gap.
                try? openFeed(view, behind: sequence)
            } else if !isWatched, let watch = watches[view] {
                retired = retired + watch.feed.counters
                watches[view] = nil
            }
        }
        arrangeWatches()
    }

    func arrangeWatches() {
        for stream in catalog.streams.indices {
            watchesByStream[stream] = watches.compactMap { $0 }.filter { catalog.views[$0.feed.view].answers(stream) }
        }
    }

    /// A stream's batches are computed while anybody watches one of its views.
    func tellStreams() {
        for stream in catalog.streams.indices {
            let isWatched = watches.contains { $0.map { $0.isOwn && catalog.views[$0.feed.view].answers(stream) } ?? false }
            catalog.setWatcher(ofStream: stream, core: index, isWatched)
        }
    }

    /// Called now and then: what nobody has followed for long is no longer kept.
    func sweepWatches() {
        nextWatchSweepNanoseconds = turnNanoseconds + Core.watchSweepNanoseconds
        for case let watch? in watches {
            watch.feed.tellProgress(now: Place(sequence: sequence))
            let isPending = pendingSubscriptions.contains { $0.request.view == watch.feed.view }
            guard watch.isOwn && watch.feed.subscriberCount == 0 && !isPending,
                turnNanoseconds &- watch.idleSinceNanoseconds >= limits.resultNanosecondsKept
            else { continue }
            watch.isOwn = false
            watch.isWhole = false
            tellStreams()
            catalog.removeWatcher(ofView: watch.feed.view, core: index)
            findWatchedViews(behind: sequence)
        }
    }
}
