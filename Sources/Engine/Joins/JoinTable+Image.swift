import Bytes
import Values

/// A key of a join table as an image has it. All shards have all rows at the mark, so each writes its share of the keys; a shard
/// that loads takes all of them.
///
///     key      varint of its byte count, its encoding
///     rows     history table: varint, 8 bytes of time for each
///     then, for each row: bits of columns that are NULL, the values of the others; texts are texts
extension JoinTable {
    // MARK: Which rows are written

    /// From here on every key that there is now is written before it changes. False: so many images were abandoned, and not
    /// all keys seen since, that there is no version for another one.
    mutating func beginImage() -> Bool {
        if waiting == 0 { versionsBehind = 0 }
        if versionsBehind == JoinTable.versionsBehindMax { return false }
        versionsBehind += 1
        version &+= 1
        waiting = index.count
        return true
    }

    /// Before a key changes, or when its turn has come.
    mutating func writeImage(_ granule: UInt32, hash: UInt32, table: Int, memory: inout ShardMemory) {
        let block = memory.arena.address(granule)
        if (isHistory ? KeyHistory(block).version : layout.version(of: block)) == version { return }
        if isHistory { KeyHistory(block).version = version } else { layout.setVersion(version, of: block) }
        waiting -= 1
        guard let image = memory.image, image.owns(hash) else { return }
        let output = image.output(joinTable: table)
        let before = output.pointee.count
        write(block, base: memory.arena.base, to: &output.pointee)
        image.wrote(output.pointee.count - before, to: output)
        if image.isOverfull { memory.abandonImage(.tooMuchWaits(bytes: image.waitingBytes)) }
    }

    /// Goes on through the index; ends early when all keys are seen.
    mutating func sweepImage(visits: inout Int, table: Int, memory: inout ShardMemory) {
        while visits > 0 && waiting > 0 {
            visits -= 1
            let slot = index.advance(&imagePosition)
            if slot.record == 0 { continue }
            if isHistory { visits -= KeyHistory(memory.arena.address(slot.record)).count / 16 }
            writeImage(slot.record, hash: slot.hash, table: table, memory: &memory)
        }
    }

    // MARK: Writing

    private func write(_ block: UnsafeMutableRawPointer, base: UnsafeMutableRawPointer, to output: inout ImageOutput) {
        let begin = output.beginKey()
        let key = isHistory ? KeyHistory(block).key : layout.key(of: block)
        output.put(count: key.count)
        if let bytes = key.baseAddress { output.put(bytes: bytes, count: key.count) }
        if isHistory {
            let history = KeyHistory(block)
            let entries = history.entries(base)
            output.put(count: history.count)
            for number in 0..<history.count { output.put(entries[number].time) }
            for number in 0..<history.count {
                layout.writeImage(of: base + Int(entries[number].row) &* Arena.granuleBytes, to: &output)
            }
        } else {
            layout.writeImage(of: block, to: &output)
        }
        output.endKey(begin)
    }

    // MARK: Loading

    mutating func load(_ keyCount: Int, from reader: inout ImageReader, arena: inout Arena) throws(ImageFault) {
        let end = reader.end
        for _ in 0..<keyCount {
            let length = try reader.takeLength()
            let next = reader.next + length
            reader.end = next
            try loadKey(from: &reader, arena: &arena)
            if reader.left > 0 { throw ImageFault("a key has more bytes than it says") }
            reader.end = end
        }
        if reader.left > 0 { throw ImageFault("there is more in it than its keys") }
    }

    private mutating func loadKey(from reader: inout ImageReader, arena: inout Arena) throws(ImageFault) {
        let count = try reader.takeCount(max: reader.left, "the length of a key")
        let bytes = UnsafeRawBufferPointer(start: try reader.take(bytes: count), count: count)
        guard encoder.encode(bytes, keyForms) else { throw ImageFault("a key has not the bytes of its columns") }
        if slot(hash: encoder.hash, base: arena.base) != nil { throw ImageFault("a key is there twice") }
        guard index.reserve(hash: encoder.hash, in: &arena) else { throw .memoryFull }
        if !isHistory {
            let row = try layout.load(key: bytes, version: version, from: &reader, arena: &arena)
            index.insert(row, hash: encoder.hash)
            return countLoaded(rows: 1)
        }
        let rows = try reader.takeCount(max: reader.left / 8, "the number of rows")
        let times = try reader.take(bytes: rows &* 8)
        guard let key = KeyHistory.allocate(bytes, rows: rows, version: version, in: &arena) else { throw .memoryFull }
        let history = KeyHistory(arena.address(key))
        var last = Int64.min
        for number in 0..<rows {
            let time = times.loadUnaligned(fromByteOffset: number &* 8, as: Int64.self)
            if time < last { throw ImageFault("its rows are not in the order of their times") }
            last = time
            let row = try layout.load(key: .init(start: nil, count: 0), from: &reader, arena: &arena)
            history.append(row, time: time, base: arena.base)
        }
        index.insert(key, hash: encoder.hash)
        countLoaded(rows: rows)
    }
}

extension JoinRowLayout {
    fileprivate func writeImage(of block: UnsafeRawPointer, to output: inout ImageOutput) {
        output.put(bits: 0..<columns.count) { block.load(fromByteOffset: nulls + $0, as: UInt8.self) != 0 }
        for (place, column) in columns.enumerated() where block.load(fromByteOffset: nulls + place, as: UInt8.self) == 0 {
            if column.form != .text {
                output.put(bytes: block + column.offset, count: column.form.storedBytes)
                continue
            }
            let start = Int(block.load(fromByteOffset: column.offset, as: UInt32.self))
            let count = Int(block.load(fromByteOffset: column.offset + 4, as: UInt32.self))
            output.put(text: TextReference(bytes: (block + start).assumingMemoryBound(to: UInt8.self), count: count))
        }
    }

    /// A block that holds the row which the reader stands before.
    fileprivate func load(
        key: UnsafeRawBufferPointer, version: UInt8 = 0, from reader: inout ImageReader, arena: inout Arena
    ) throws(ImageFault) -> UInt32 {
        let bits = try reader.takeBits(columns.count)
        // Read twice: first for how many bytes its texts have.
        var ahead = reader
        var textBytes = 0
        for (place, column) in columns.enumerated() where !bits[place] {
            if column.form == .text {
                guard let text = try ahead.takeText() else { throw ImageFault("a text is NULL that is not") }
                textBytes += text.count
            } else {
                let value = try ahead.take(bytes: column.form.storedBytes)
                if column.form == .boolean && value.load(as: UInt8.self) > 1 {
                    throw ImageFault("a boolean is neither true nor false")
                }
            }
        }
        guard let granule = allocate(key: key, textBytes: textBytes, version: version, in: &arena) else { throw .memoryFull }
        let block = arena.address(granule)
        var end = fixedBytes + key.count
        for (place, column) in columns.enumerated() {
            block.storeBytes(of: bits[place] ? 1 : 0, toByteOffset: nulls + place, as: UInt8.self)
            if bits[place] { continue }
            if column.form == .text {
                guard let text = try reader.takeText() else { continue }
                store(text, column, at: &end, in: block)
            } else {
                let width = column.form.storedBytes
                (block + column.offset).copyMemory(from: try reader.take(bytes: width), byteCount: width)
            }
        }
        return granule
    }
}
