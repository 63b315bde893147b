import Bounds
import Values

/// Text functions; results are slices of their arguments where they can be, else bytes of the batch's arena.
extension KernelFrame {
    func textLength() { unaryOfValues { (x: TextReference) in Int64(x.codePointCount) } }
    func octetLength() { unaryOfValues { (x: TextReference) in Int64(x.count) } }

    func startsWith() {
        binaryOfValues { (x: TextReference, y: TextReference) in UInt8(x.hasPrefix(y) ? 1 : 0) }
    }

    /// 1 for the first code point; 0 where it does not occur.
    func position() {
        binaryOfValues { (x: TextReference, y: TextReference) -> Int64? in
            if y.count == 0 { return 1 }
            guard let offset = x.firstOffset(of: y) else { return 0 }
            return Int64(x.slice(0..<offset).codePointCount + 1)
        }
    }

    func like(_ objects: ProgramObjects) {
        if step.immediate >= 0 {
            let pattern = objects.patterns[Int(step.immediate)]
            unaryOfValues { (x: TextReference) in pattern.isMalformed ? nil : UInt8(pattern.matches(x) ? 1 : 0) }
            return
        }
        let escapes = step.c >= 0 ? c.texts : nil
        combineNulls()
        if step.c >= 0 { for row in 0..<count { output.nulls[row] |= c.nulls[row] } }
        for row in 0..<count where output.nulls[row] == NullByte.value {
            let escape = escapes.map { Array($0[row].buffer) } ?? [UInt8(ascii: "\\")]
            let pattern = TextPattern(b.texts[row].buffer, escape: escape, caseInsensitive: step.variant == 1)
            output.booleans[row] = pattern.matches(a.texts[row]) ? 1 : 0
            if pattern.isMalformed { output.nulls[row] = NullByte.failure }
        }
    }

    // MARK: Slices

    func left() {
        binaryOfValues { (x: TextReference, n: Int64) in
            let length = n >= 0 ? Int(clamping: n) : max(0, x.codePointCount &+ Int(clamping: n))
            return x.slice(0..<x.offset(ofCodePoint: length))
        }
    }

    func right() {
        binaryOfValues { (x: TextReference, n: Int64) in
            let skipped = n > 0 ? max(0, x.codePointCount &- Int(clamping: n)) : n == 0 ? x.count : Int(clamping: 0 &- n)
            return x.slice(x.offset(ofCodePoint: skipped)..<x.count)
        }
    }

    /// substring(a from b for c): positions count from 1 and may lie before the text; a negative length fails.
    func substring() {
        let lengths = step.c >= 0 ? c : nil
        combineNulls()
        if let lengths { for row in 0..<count { output.nulls[row] |= lengths.nulls[row] } }
        for row in 0..<count where output.nulls[row] == NullByte.value {
            let (text, start) = (a.texts[row], b.integers[row])
            var end = Int64.max
            if let length = lengths?.integers[row] {
                if length < 0 {
                    output.nulls[row] = NullByte.failure
                    continue
                }
                let (sum, overflow) = start.addingReportingOverflow(length)
                end = overflow ? .max : sum
            }
            let from = text.offset(ofCodePoint: Int(clamping: max(1, start) - 1))
            let to = end == .max ? text.count : text.offset(ofCodePoint: Int(clamping: max(1, end) - 1))
            output.texts[row] = text.slice(from..<max(from, to))
        }
    }

    /// The nth part between delimiters, from the end where n is negative; empty where there is none.
    func splitPart() {
        combineNulls()
        for row in 0..<count { output.nulls[row] |= c.nulls[row] }
        for row in 0..<count where output.nulls[row] == NullByte.value {
            if c.integers[row] == 0 {
                output.nulls[row] = NullByte.failure
            } else {
                output.texts[row] = part(c.integers[row], of: a.texts[row], between: b.texts[row])
            }
        }
    }

    private func part(_ number: Int64, of text: TextReference, between delimiter: TextReference) -> TextReference {
        if delimiter.count == 0 { return number == 1 || number == -1 ? text : .empty }
        var wanted = number
        if number < 0 {
            var parts: Int64 = 1
            var offset = 0
            while let next = text.firstOffset(of: delimiter, from: offset) {
                parts += 1
                offset = next + delimiter.count
            }
            wanted = parts &+ 1 &+ number
            if wanted <= 0 { return .empty }
        }
        var start = 0
        while let end = text.firstOffset(of: delimiter, from: start) {
            wanted -= 1
            if wanted == 0 { return text.slice(start..<end) }
            start = end + delimiter.count
        }
        return wanted == 1 ? text.slice(start..<text.count) : .empty
    }

    /// variant: bit 0 leading, bit 1 trailing.
    func trim() {
        let sets = step.b >= 0 ? b : nil
        copyNulls()
        if let sets { for row in 0..<count { output.nulls[row] |= sets.nulls[row] } }
        for row in 0..<count where output.nulls[row] == NullByte.value {
            let set = sets?.texts[row]
            output.texts[row] = trimmed(a.texts[row]) { character in
                set.map { $0.contains(codePoint: character) } ?? (character == 32)
            }
        }
    }

    private func trimmed(_ text: TextReference, _ isTrimmed: (UInt32) -> Bool) -> TextReference {
        var (start, end) = (0, text.count)
        while step.variant & 1 != 0, start < end {
            let (character, length) = text.codePoint(at: start)
            if !isTrimmed(character) { break }
            start += length
        }
        while step.variant & 2 != 0, start < end {
            var last = end - 1
            while text.bytes![last] & 0xC0 == 0x80 { last -= 1 }
            if !isTrimmed(text.codePoint(at: last).value) { break }
            end = last
        }
        return text.slice(start..<end)
    }

    // MARK: New text

    func lower(_ arena: inout TextArena) { mapCharacters(&arena, asciiFirst: 65, flip: 0x20) { $0.lowered } }
    func upper(_ arena: inout TextArena) { mapCharacters(&arena, asciiFirst: 97, flip: 0x20) { $0.uppered } }

    private func mapCharacters(
        _ arena: inout TextArena, asciiFirst: UInt8, flip: UInt8, _ map: (Unicode.Scalar) -> Unicode.Scalar
    ) {
        unaryOfValues { (x: TextReference) -> TextReference? in
            // A simple mapping makes at most three bytes of two.
            let capacity = x.count * 2
            guard let target = arena.reserve(capacity) else { return nil }
            var (offset, written) = (0, 0)
            while offset < x.count {
                let (character, length) = x.codePoint(at: offset)
                offset += length
                if character < 0x80 {
                    let byte = UInt8(character)
                    target[written] = byte >= asciiFirst && byte < asciiFirst + 26 ? byte ^ flip : byte
                    written += 1
                } else {
                    for byte in Unicode.UTF8.encode(map(Unicode.Scalar(character) ?? "\u{FFFD}")).unsafelyUnwrapped {
                        target[written] = byte
                        written += 1
                    }
                }
            }
            arena.shrinkLast(by: capacity - written)
            return TextReference(bytes: target, count: written)
        }
    }

    func concatenate(_ arena: inout TextArena) {
        binaryOfValues { (x: TextReference, y: TextReference) in joined(x, y, &arena) }
    }

    func concatenateIgnoringNulls(_ arena: inout TextArena) {
        for row in 0..<count {
            let left = a.nulls[row] == 0 ? a.texts[row] : .empty
            let right = step.b >= 0 && b.nulls[row] == 0 ? b.texts[row] : .empty
            if let text = joined(left, right, &arena) {
                output.texts[row] = text
                output.nulls[row] = NullByte.value
            } else {
                output.nulls[row] = NullByte.failure
            }
        }
    }

    private func joined(_ x: TextReference, _ y: TextReference, _ arena: inout TextArena) -> TextReference? {
        if y.count == 0 { return x }
        if x.count == 0 { return y }
        let count = x.count + y.count
        guard count <= Bounds.textBytesMax, let target = arena.reserve(count) else { return nil }
        target.update(from: x.bytes!, count: x.count)
        (target + x.count).update(from: y.bytes!, count: y.count)
        return TextReference(bytes: target, count: count)
    }

    func replace(_ arena: inout TextArena) {
        combineNulls()
        for row in 0..<count { output.nulls[row] |= c.nulls[row] }
        for row in 0..<count where output.nulls[row] == NullByte.value {
            if let text = replaced(a.texts[row], b.texts[row], with: c.texts[row], &arena) {
                output.texts[row] = text
            } else {
                output.nulls[row] = NullByte.failure
            }
        }
    }

    private func replaced(
        _ text: TextReference, _ from: TextReference, with to: TextReference, _ arena: inout TextArena
    ) -> TextReference? {
        if from.count == 0 { return text }
        var hits = 0
        var offset = 0
        while let hit = text.firstOffset(of: from, from: offset) {
            hits += 1
            offset = hit + from.count
        }
        if hits == 0 { return text }
        let count = text.count + hits * (to.count - from.count)
        guard count <= Bounds.textBytesMax, let target = arena.reserve(count) else { return nil }
        var (read, written) = (0, 0)
        func append(_ piece: TextReference) {
            if let bytes = piece.bytes { (target + written).update(from: bytes, count: piece.count) }
            written += piece.count
        }
        while let hit = text.firstOffset(of: from, from: read) {
            append(text.slice(read..<hit))
            append(to)
            read = hit + from.count
        }
        append(text.slice(read..<text.count))
        return TextReference(bytes: target, count: count)
    }
}
