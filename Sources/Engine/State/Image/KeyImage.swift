import Bytes
import Values

/// A key with many rows on its way into an image. What it has beside its rows is written at once; its rows follow in blocks, in
/// any order, each before the first change to one of them, and all others when the sweep comes to them.
///
///     positions     rows.lowerBound                                          rows.upperBound
///                   ├─ block 0 ─┼─ block 1 ─┼─ block 2 ─┼─  …  ─┼─ the last ─┤ rows behind the mark …
///     given up, once written ──►                        ◄── late rows move those behind them: written before
///
///     block         ends of the columns in it (4 bytes each) │ a column's bytes │ the next one's │ …
///     key           front ─ column 0 of all blocks ─ front ─ column 1 of all blocks ─ … ─ front
///
/// What rows have of a column follows from the rows themselves and from differences to the next row, so it is the same whenever it
/// is written, as long as no row before the block's end has moved. Values that given-up rows left behind, where they are many, are
/// written in the order of their table's slots, without those that came behind the mark; a table grows only when they are all written.
///
/// The parts become one when somebody asks for the piece's bytes (`ImagePiece`), which is not the shard's core.
final class KeyImage {
    let state: Int
    let granule: UInt32
    /// Positions at the mark.
    let rows: Range<Int>
    let blockRows: Int

    /// All but the columns, from the piece's header on.
    private var front = ImageOutput()
    private var keyBegin = 0
    /// What stands between parts of `front`: at `place` all of a column, or values of given-up rows.
    private struct Insert {
        let place: Int
        /// Of `columns` where it is not negative; else of `values`: -1 is the first.
        let number: Int
    }
    private var inserts: [Insert] = []
    private(set) var columns: [ImageColumn] = []
    private(set) var values: [ValuesImage] = []
    /// About.
    private var bytesPerRow = 0

    struct ValuesImage {
        let input: InputCode
        /// Slots before this are written.
        var slot = 0
        /// Slots from there on whose values came behind the mark.
        var fresh: Set<Int> = []
        var isWritten = false
        fileprivate var parts: [UnsafeMutableRawBufferPointer] = []
    }

    private var blocks: [UnsafeMutableRawBufferPointer?]
    private var blocksLeft: Int
    private var valuesLeft = 0
    /// No block before this one is left.
    private var nextBlock = 0
    /// Of the piece, as far as it is written.
    private(set) var byteCount = 0

    init(state: Int, granule: UInt32, rows: Range<Int>, blockRows: Int) {
        (self.state, self.granule, self.rows, self.blockRows) = (state, granule, rows, blockRows)
        blocksLeft = (rows.count + blockRows - 1) / blockRows
        blocks = Array(repeating: nil, count: blocksLeft)
    }

    deinit {
        front.deallocate()
        for block in blocks { block?.deallocate() }
        for values in values { for part in values.parts { part.deallocate() } }
    }

    var isWritten: Bool { blocksLeft == 0 && valuesLeft == 0 }

    // MARK: Beginning

    func add(_ column: ImageColumn, at place: Int) {
        inserts.append(Insert(place: place, number: columns.count))
        columns.append(column)
        bytesPerRow += column.bytesPerRow
    }

    func add(givenUp input: InputCode, at place: Int) {
        inserts.append(Insert(place: place, number: -1 - values.count))
        values.append(ValuesImage(input: input))
        valuesLeft += 1
    }

    func begun(_ front: ImageOutput, keyBegin: Int) {
        (self.front, self.keyBegin) = (front, keyBegin)
        byteCount = front.count
    }

    // MARK: Blocks

    var blockCount: Int { blocks.count }
    func block(of position: Int) -> Int { (position - rows.lowerBound) / blockRows }
    func rows(of block: Int) -> Range<Int> {
        let start = rows.lowerBound + block * blockRows
        return start..<min(start + blockRows, rows.upperBound)
    }
    func isWritten(block: Int) -> Bool { blocks[block] != nil }

    /// The first block that is not written.
    var firstBlockLeft: Int? {
        if blocksLeft == 0 { return nil }
        while blocks[nextBlock] != nil { nextBlock += 1 }
        return nextBlock
    }

    /// - Parameter put: writes a column's part.
    @inline(__always)
    func write(block: Int, _ put: (ImageColumn, inout ImageOutput) -> Void) {
        assert(blocks[block] == nil, "a block is written once")
        var output = ImageOutput()
        output.reserve(4 * columns.count + bytesPerRow * rows(of: block).count)
        for _ in columns { output.put(UInt32(0)) }
        for (number, column) in columns.enumerated() {
            put(column, &output)
            output.start!.storeBytes(of: UInt32(output.count), toByteOffset: 4 * number, as: UInt32.self)
        }
        blocks[block] = UnsafeMutableRawBufferPointer(start: output.start, count: output.count)
        blocksLeft -= 1
        byteCount += output.count - 4 * columns.count
    }

    // MARK: Values of given-up rows

    var firstValuesLeft: Int? { valuesLeft == 0 ? nil : values.firstIndex { !$0.isWritten } }
    func values(of input: InputCode) -> Int? { values.firstIndex { !$0.isWritten && $0.input.givenUp == input.givenUp } }

    /// A value has come behind the mark.
    func cameBehind(_ number: Int, slot: Int) {
        if slot >= values[number].slot { values[number].fresh.insert(slot) }
    }

    /// Values of the next slots, up to `end`.
    func write(values number: Int, end: Int, isLast: Bool, _ put: (ValuesImage, inout ImageOutput) -> Void) {
        var output = ImageOutput()
        put(values[number], &output)
        values[number].slot = end
        if output.count > 0 {
            values[number].parts.append(UnsafeMutableRawBufferPointer(start: output.start, count: output.count))
        }
        byteCount += output.count
        if !isLast { return }
        values[number].isWritten = true
        values[number].fresh = []
        valuesLeft -= 1
    }

    // MARK: The piece

    /// All is written: the header and the key's length are put before it.
    func finish(_ header: ImageHeader) {
        front.endKey(keyBegin, more: byteCount - front.count)
        header.write(to: front.start!, pieceBytes: byteCount)
    }

    /// All parts, one behind the other. Takes tens of milliseconds for 100 MB.
    func joined() -> UnsafeMutableRawBufferPointer {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        var target = piece.baseAddress!
        func append(_ source: UnsafeRawPointer, _ count: Int) {
            target.copyMemory(from: source, byteCount: count)
            target += count
        }
        var place = 0
        for insert in inserts {
            append(front.start! + place, insert.place - place)
            place = insert.place
            if insert.number < 0 {
                for part in values[-1 - insert.number].parts { append(part.baseAddress!, part.count) }
                continue
            }
            for block in blocks {
                let ends = block!.baseAddress!.assumingMemoryBound(to: UInt32.self)
                let start = insert.number == 0 ? 4 * columns.count : Int(ends[insert.number - 1])
                append(block!.baseAddress! + start, Int(ends[insert.number]) - start)
            }
        }
        append(front.start! + place, front.count - place)
        assert(target == piece.baseAddress! + byteCount)
        return piece
    }
}
