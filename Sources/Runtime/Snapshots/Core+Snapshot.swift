import Engine
import Storage

/// One core's part in a snapshot (`SnapshotRun`): its shard passes the mark and is imaged, a slice a turn.
///
/// A turn costs nothing while there is none, and while there is one a slice of `SnapshotLimits.sliceNanosecondsMax` at most.
extension Core {
    /// Keys looked at between two readings of the clock.
    private static let visitsPerReading = 16

    // MARK: The mark

    /// Called on every turn of the core that is to give the mark its place, until it has.
    func appendMark() {
        guard let run = markToAppend else { return }
        // A change of definitions that is coming would have every shard drop its image.
        if change != nil && !run.isAbandoned { run.abandon("a change of definitions was under way") }
        if run.isAbandoned {
            run.drop()
            markToAppend = nil
            return
        }
        let entry = Entry.snapshot(number: run.number)
        guard exchange.ring.append(entry, phase: EntryRing<Entry>.barrier, slowestKnown: &slowestKnown) != nil else { return }
        markToAppend = nil
        exchange.wake(exchange.allCores, except: index)
    }

    /// Every stage of every entry before the mark is done by this shard, and nothing behind it.
    var standsAtMark: Bool {
        guard exchange.snapshots?.isUnderWay == true else { return false }
        let position = stageCursors[0]
        guard stageCursors[stageCursors.count - 1] == position,
            exchange.ring.phase(at: position) == EntryRing<Entry>.barrier,
            case .snapshot = exchange.ring.entry(at: position)
        else { return false }
        return true
    }

    /// Passes the mark with all stages, if they stand at it. Its completion passes later, when all shards have.
    func passMark() -> Bool {
        guard standsAtMark, let snapshots = exchange.snapshots, let run = snapshots.run else { return false }
        dropImage()
        if !run.isAbandoned {
            // Where it cannot be begun, the first slice finds why.
            shard.beginImage(waitingBytesMax: snapshots.limits.imageBytesMax / exchange.coreCount)
            imaging = run
        }
        let position = stageCursors[0]
        for stage in stageCursors.indices { stageCursors[stage] = position + 1 }
        if run.pass() {
            exchange.ring.enter(phase: EntryRing<Entry>.complete, at: position)
            exchange.wakeForProgress(exchange.allCores, except: index)
            exchange.wakeJournal()
        }
        return true
    }

    /// Completion passes the mark, when all shards have: what follows is answered behind it.
    func completeMark() {
        exchange.producers.passedMark(at: completionCursor)
        exchange.snapshots?.run?.complete(
            at: SnapshotRun.Place(
                sequence: computedSequence, definitionsVersion: catalog.version,
                wallMicroseconds: exchange.configuration.time.wallMicroseconds()))
        exchange.snapshots?.signal.raise()
    }

    // MARK: The image

    /// Something can be done for the image now.
    var hasImageWork: Bool { imaging.map { $0.hasRoom || $0.isAbandoned } ?? false }

    /// Takes a slice of the image and hands over what is filled; called on every turn while there is one.
    func carryOnImage(hasWorked: Bool) {
        guard let run = imaging, let snapshots = exchange.snapshots else { return }
        if run.isAbandoned { return dropImage() }
        if run.hasRoom && shard.isImaging { takeSlice(hasWorked: hasWorked, snapshots.limits) }
        switch shard.imageProgress {
        case .abandoned(let reason):
            // Keys were used faster than the disk takes them, or there was no memory, or definitions changed.
            run.abandon("core \(index): \(reason)")
            imaging = nil
            snapshots.signal.raise()
        case .taking:
            if handOver(to: run) { snapshots.signal.raise() }
        case .taken:
            guard run.hasRoom else { return }
            _ = handOver(to: run)
            imaging = nil
            run.finish()
            snapshots.signal.raise()
        case .none: preconditionFailure("an image is under way until it is taken or abandoned")
        }
    }

    private func takeSlice(hasWorked: Bool, _ limits: SnapshotLimits) {
        let time = exchange.configuration.time
        let start = time.monotonicNanoseconds()
        let sliceMax = limits.sliceNanosecondsMax
        // Beside work, a quarter of what the turn took for it.
        let slice = hasWorked ? min(sliceMax, max(sliceMax / 8, (start &- turnNanoseconds) / 4)) : sliceMax
        var visitsLeft = limits.sliceVisitsMax
        repeat {
            shard.takeImage(visits: Core.visitsPerReading)
            visitsLeft -= Core.visitsPerReading
        } while shard.isImaging && visitsLeft > 0 && time.monotonicNanoseconds() &- start < slice
    }

    /// Hands over whatever is filled, if anything is: past the bound of the queue by no more than one shard has waiting.
    private func handOver(to run: SnapshotRun) -> Bool {
        guard run.hasRoom else { return false }
        var hasHanded = false
        shard.drainImage { piece in
            run.hand(piece)
            hasHanded = true
        }
        return hasHanded
    }

    /// What has been taken is of no use any more.
    func dropImage() {
        guard imaging != nil else { return }
        shard.abandonImage()
        imaging = nil
    }
}
