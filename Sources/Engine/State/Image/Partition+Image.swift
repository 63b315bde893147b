import Bytes

/// Keys of a partition, written into an image that is being taken.
extension Partition {
    /// From here on every key that there is now is written before it changes. Costs nothing a key. False: so many images and
    /// changes of definitions are unfinished that there is no number for another one.
    mutating func beginImage(_ image: ShardImage, state: Int) -> Bool {
        precondition(pendingCount == 0 && undo.isEmpty, "an image is of the state between two batches")
        if index.count == 0 { return true }
        if outdated.steps.count == OutdatedKeys.stepsMax { return false }
        let step = OutdatedKeys.ImageStep(
            image: image.number, state: state, blockRows: code.imageRows(bytes: image.blockBytes))
        outdated.append(OutdatedKeys.Step(work: .image(step), count: index.count - outdated.count), flags: flags)
        outdated.retire()
        flags &+= 2
        return true
    }

    /// Writes a key as it is, where its image is the one that is being taken; of one with many rows, what it has beside them.
    func writeImage(_ granule: UInt32, by kernel: PartitionKernel, _ step: OutdatedKeys.ImageStep, memory: inout ShardMemory) {
        guard let image = memory.image, image.number == step.image else { return }
        let record = KeyRecord(memory.arena.address(granule))
        let texts = kernel.code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        if record.count > step.blockRows || kernel.hasManyGivenUp(record, max: step.blockRows, memory.arena.base) {
            let key = KeyImage(
                state: step.state, granule: granule, rows: record.head..<record.tail, blockRows: step.blockRows)
            kernel.beginImage(of: record, base: memory.arena.base, texts, valuesMax: step.blockRows, to: key)
            record.isBeingImaged = true
            image.begin(key)
        } else {
            record.isBeingImaged = false
            let output = image.output(state: step.state)
            let before = output.pointee.count
            kernel.writeImage(of: record, base: memory.arena.base, texts, to: &output.pointee)
            image.wrote(output.pointee.count - before, to: output)
        }
        memory.abandonOverfullImage()
    }
}

extension PartitionKernel {
    fileprivate func hasManyGivenUp(_ record: KeyRecord, max: Int, _ base: UnsafeMutableRawPointer) -> Bool {
        if !code.hasGivenUpValues { return false }
        for number in 0..<code.inputCount where code.inputs[number].givenUp >= 0 {
            if GivenUpValues(record, code.inputs[number], base).count > max { return true }
        }
        return false
    }
}

/// Keys that were begun: before rows of theirs move or go, they are written.
extension Partition {
    /// What is being written of the key; nil where all is.
    @inline(__always)
    func keyImage(of record: KeyRecord, memory: borrowing ShardMemory) -> KeyImage? {
        record.isBeingImaged ? knownImage(of: record, memory: memory) : nil
    }

    @inline(never)
    private func knownImage(of record: KeyRecord, memory: borrowing ShardMemory) -> KeyImage? {
        if let image = memory.image?.key(UInt32((record.raw - memory.arena.base) / Arena.granuleBytes)) { return image }
        // The image was abandoned.
        record.isBeingImaged = false
        return nil
    }

    /// The next step of a key that was begun: a block of rows, or of values of given-up ones.
    func carryOn(_ key: KeyImage, visits: inout Int, memory: inout ShardMemory) {
        // As many rows of several keys count.
        visits -= max(1, key.blockRows / 64)
        if let block = key.firstBlockLeft {
            write(block, of: key, memory: &memory)
        } else if let values = key.firstValuesLeft {
            write(values: values, slotsMax: 2 * key.blockRows, of: key, memory: &memory)
        }
    }

    /// Writes rows at the old end that are to be given up, those before `position`, and gives back before which they may be.
    ///
    /// - Parameter blocksLeft: no more than so many blocks; then what is left of it.
    @inline(__always)
    func imageRows(
        _ record: KeyRecord, before position: Int, blocksLeft: inout Int, memory: inout ShardMemory
    ) -> Int {
        guard let key = keyImage(of: record, memory: memory) else { return .max }
        return imageRows(of: key, from: record.head, before: position, blocksLeft: &blocksLeft, memory: &memory)
    }

    @inline(never)
    private func imageRows(
        of key: KeyImage, from head: Int, before position: Int, blocksLeft: inout Int, memory: inout ShardMemory
    ) -> Int {
        if head >= key.rows.upperBound { return .max }
        for block in key.block(of: head)..<key.blockCount {
            let start = key.rows(of: block).lowerBound
            if start >= position { return start }
            if key.isWritten(block: block) { continue }
            if blocksLeft == 0 { return start }
            blocksLeft -= 1
            write(block, of: key, memory: &memory)
            if memory.image == nil { break }
        }
        return .max
    }

    /// Writes rows that are to move, those from `position` on.
    func imageRows(_ record: KeyRecord, from position: Int, memory: inout ShardMemory) {
        guard let key = keyImage(of: record, memory: memory), position < key.rows.upperBound else { return }
        for block in key.block(of: position)..<key.blockCount where !key.isWritten(block: block) && memory.image != nil {
            write(block, of: key, memory: &memory)
        }
    }

    /// Writes all that is left of a key, which is to go.
    func imageRest(_ record: KeyRecord, memory: inout ShardMemory) {
        guard let key = keyImage(of: record, memory: memory) else { return }
        while memory.image != nil, let block = key.firstBlockLeft { write(block, of: key, memory: &memory) }
        imageGivenUpValues(of: key, memory: &memory)
    }

    /// Writes what is left of the values of given-up rows, which are to move or to go.
    func imageGivenUpValues(_ record: KeyRecord, memory: inout ShardMemory) {
        guard let key = keyImage(of: record, memory: memory) else { return }
        imageGivenUpValues(of: key, memory: &memory)
    }

    private func imageGivenUpValues(of key: KeyImage, memory: inout ShardMemory) {
        while memory.image != nil, let values = key.firstValuesLeft {
            write(values: values, slotsMax: .max, of: key, memory: &memory)
        }
    }

    // MARK: Writing

    private func write(_ block: Int, of key: KeyImage, memory: inout ShardMemory) {
        let record = KeyRecord(memory.arena.address(key.granule))
        assert(!record.isPending, "rows are stored before others move")
        let log = kernel.logView(record, memory.arena.base)
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        let (rows, before) = (key.rows(of: block), key.byteCount)
        key.write(block: block) { column, output in
            kernel.put(column, rows: rows, record, log, texts, to: &output)
        }
        wrote(key.byteCount - before, of: key, record, memory: &memory)
    }

    private func write(values number: Int, slotsMax: Int, of key: KeyImage, memory: inout ShardMemory) {
        let record = KeyRecord(memory.arena.address(key.granule))
        let values = GivenUpValues(record, key.values[number].input, memory.arena.base)
        let texts = code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        let start = key.values[number].slot
        let end = slotsMax < values.slotCount - start ? start + slotsMax : values.slotCount
        let before = key.byteCount
        key.write(values: number, end: end, isLast: end == values.slotCount) { part, output in
            values.writeImage(slots: start..<end, texts, to: &output) { !part.fresh.contains($0) }
        }
        wrote(key.byteCount - before, of: key, record, memory: &memory)
    }

    private func wrote(_ bytes: Int, of key: KeyImage, _ record: KeyRecord, memory: inout ShardMemory) {
        if key.isWritten { record.isBeingImaged = false }
        memory.image?.wrote(bytes, to: key)
        memory.abandonOverfullImage()
    }
}

extension ShardMemory {
    fileprivate mutating func abandonOverfullImage() {
        if let image, image.isOverfull { abandonImage(.tooMuchWaits(bytes: image.waitingBytes)) }
    }
}
