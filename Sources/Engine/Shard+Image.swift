import Bounds
import Bytes

/// An image of the shard's state at one place of the sequence, taken while batches go on: the state itself is not copied, its
/// keys are written one after the other, each before anything about it changes (`ShardImage`).
///
///     let begun = shard.beginImage()                  at the mark, between two entries of the sequence
///     shard.apply(batch, stage: 0) …                  writes the keys that it uses
///     shard.takeImage(visits: 64)                     writes others, a few at a time
///     shard.drainImage { queue.append($0) }           until `imageProgress` is `.taken`, and once more
///
/// Pieces of all shards, of one mark, make up the whole; any number of shards loads them (`Shard+Load`).
extension Shard {
    /// Begins an image of the state as it is now, which takes as long for a million keys as for one. All stages stand at the same
    /// place of the sequence, as at a change of definitions; an image that is under way, or not drained to its end, is
    /// abandoned.
    ///
    /// - Parameters:
    ///   - waitingBytesMax: keys that are used are written whether or not anybody drains; where more than that waits, beside the
    ///     largest key, the image is abandoned. The sweep pauses at half of it.
    ///   - blockBytes: of a key with many rows as many are written at one time as it takes to copy so many bytes, about. What a key's
    ///     first use behind the mark waits for follows from it.
    /// - Returns: false where so many changes of definitions and abandoned images are unfinished that there is no room for
    ///   another one: later there is.
    @discardableResult
    public mutating func beginImage(
        waitingBytesMax: Int = Bounds.imageWaitingBytesMax, blockBytes: Int = Bounds.imageBlockBytes
    ) -> Bool {
        memory.image = nil
        memory.imageNumber += 1
        var fingerprints: [UInt64] = []
        for number in 0..<partitionCount { fingerprints.append(partitions[number].code.fingerprint) }
        for number in 0..<joinTableCount { fingerprints.append(joinTables[number].fingerprint) }
        let image = ShardImage(
            number: memory.imageNumber, shard: index, of: count, fingerprints: fingerprints, stateCount: partitionCount,
            waitingBytesMax: waitingBytesMax, blockBytes: blockBytes)
        // Whatever has begun goes on as an abandoned one's would.
        hasChanged = false
        memory.imageProgress = .abandoned(.tooManyUnfinished)
        for number in 0..<partitionCount {
            guard partitions[number].beginImage(image, state: number) else { return false }
        }
        for number in 0..<joinTableCount {
            guard joinTables[number].beginImage() else { return false }
        }
        image.addBeginning { writeBeginning(to: &$0) }
        memory.image = image
        memory.imageProgress = .taking
        return true
    }

    private func writeBeginning(to output: inout ImageOutput) {
        output.put(UInt32(partitionCount))
        output.put(UInt32(joinTableCount))
        for number in 0..<partitionCount { output.put(UInt64(partitions[number].index.count)) }
        for number in 0..<joinTableCount { output.put(UInt64(joinTables[number].index.count)) }
        output.put(UInt32(newest.count))
        for time in newest { output.put(time) }
        output.put(UInt32(admission.shardCount))
        output.put(UInt32(admission.marks.count))
        for mark in admission.marks { output.put(mark) }
    }

    /// Whether keys are still to be written.
    public var isImaging: Bool { memory.imageProgress == .taking }
    public var imageProgress: ImageProgress { memory.imageProgress }
    /// Bytes that wait to be drained, outside of the bound on the shard's memory.
    public var imageBytes: Int { memory.image?.waitingBytes ?? 0 }

    /// Writes some keys: looks at about `visits` of them, and at fewer where they have many rows; of one with very many a block. Pauses
    /// while too much waits.
    public mutating func takeImage(visits: Int) {
        guard isImaging, let image = memory.image, !image.isSweepPaused else { return }
        var left = visits
        repeat {
            if let key = image.oldestKey {
                partitions[key.state].carryOn(key, visits: &left, memory: &memory)
            } else if image.sweep < partitionCount {
                let number = image.sweep
                guard partitions[number].bringSomeUpToDate(left: &left, memory: &memory) else {
                    return memory.abandonImage(.memoryFull)
                }
                if partitions[number].outdated.isEmpty { image.sweep += 1 }
            } else if image.sweep < partitionCount + joinTableCount {
                let number = image.sweep - partitionCount
                joinTables[number].sweepImage(visits: &left, table: number, memory: &memory)
                if joinTables[number].waiting == 0 { image.sweep += 1 }
            } else {
                image.finish()
                memory.imageProgress = .taken
                hasChanged = !isChanging
            }
        } while left > 0 && isImaging
    }

    /// Hands out what is finished, oldest first. Of a taken image, all of it.
    public mutating func drainImage(_ take: (ImagePiece) -> Void) {
        guard let image = memory.image else { return }
        for piece in image.drain() { take(piece) }
        if image.isTaken { memory.image = nil }
    }

    /// Gives up an image that is under way, and what was not drained of it. The state goes on.
    public mutating func abandonImage() {
        if isImaging || imageProgress == .taken { memory.abandonImage(.asked) }
    }
}

extension ShardMemory {
    mutating func abandonImage(_ reason: ImageAbandonment) {
        image = nil
        imageProgress = .abandoned(reason)
    }
}
