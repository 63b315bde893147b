import Bytes

/// Keys of a partition, written into an image that is being taken.
extension Partition {
    /// From here on every key that there is now is written before it changes. Costs nothing a key. False: so many images and
    /// changes of definitions are unfinished that there is no number for another one.
    mutating func beginImage(_ image: OutdatedKeys.ImageStep) -> Bool {
        precondition(pendingCount == 0 && undo.isEmpty, "an image is of the state between two batches")
        if index.count == 0 { return true }
        if outdated.steps.count == OutdatedKeys.stepsMax { return false }
        outdated.append(OutdatedKeys.Step(work: .image(image), count: index.count - outdated.count), flags: flags)
        outdated.retire()
        flags &+= 2
        return true
    }

    /// Writes a key as it is, where its image is the one that is being taken.
    func writeImage(_ granule: UInt32, by kernel: PartitionKernel, _ step: OutdatedKeys.ImageStep, memory: inout ShardMemory) {
        guard let image = memory.image, image.number == step.image else { return }
        let output = image.output(state: step.state)
        let before = output.pointee.count
        let texts = kernel.code.hasTexts ? memory.texts.table(memory.arena) : .nothing
        kernel.writeImage(
            of: KeyRecord(memory.arena.address(granule)), base: memory.arena.base, texts, to: &output.pointee)
        image.wrote(output.pointee.count - before, to: output)
        if image.isOverfull { memory.abandonImage(.tooMuchWaits(bytes: image.waitingBytes)) }
    }
}
