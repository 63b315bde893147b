/// Values that given-up rows left behind, in an image: varint of how many there are; then each of them, texts as texts, all others as
/// the 8 or 16 bytes that they are told apart by.
extension GivenUpValues {
    /// Writes values of some slots; their number stands before them.
    @inline(__always)
    func writeImage(slots: Range<Int>, _ texts: TextTable, to output: inout ImageOutput, where isWanted: (Int) -> Bool) {
        for slot in slots where tags[slot] != 0 && isWanted(slot) {
            let identity = load(slot)
            if isText {
                output.put(text: texts.text(UInt32(truncatingIfNeeded: identity.low)))
            } else {
                output.put(identity.low)
                if isWide { output.put(identity.high) }
            }
        }
    }

    /// Into a record that has none.
    func load(_ reader: inout ImageReader, _ memory: inout ShardMemory) throws(ImageFault) {
        let count = try reader.takeCount(max: reader.left, "the number of values given up")
        for _ in 0..<count {
            guard reserve(in: &memory.arena) else { throw .memoryFull }
            if isText {
                let number = try reader.takeStoredText(&memory)
                if number == TextInterner.none { throw ImageFault("a text is NULL that cannot be") }
                // The set has uses of its own.
                insert(ValueIdentity(low: UInt64(number), high: 0), memory: memory)
                memory.texts.release(number, in: &memory.arena)
            } else {
                let low = try reader.take(UInt64.self)
                let high = isWide ? try reader.take(UInt64.self) : 0
                insert(ValueIdentity(low: low, high: high), memory: memory)
            }
        }
    }
}
