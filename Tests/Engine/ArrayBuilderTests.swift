import Testing
import Values

@testable import Engine

@Suite struct ArrayBuilderTests {
    private func read(_ array: ArrayReference, _ element: ElementType) -> Scalar {
        var array = array
        var isNull: UInt8 = 0
        return withUnsafeMutableBytes(of: &array) { bytes in
            withUnsafeMutablePointer(to: &isNull) {
                cell(Vector(values: bytes.baseAddress!, nulls: $0), .array(element), 0)
            }
        }
    }

    @Test func `stored values of every form become the elements of an array, wherever it stands`() throws {
        func array<Stored>(_ element: ElementType, _ values: [Stored?]) throws -> Scalar {
            var output = TextArena()
            _ = output.reserve(3)
            var builder = try #require(ArrayBuilder(element.type.form, elements: values.count, textBytes: 0, in: &output))
            for value in values {
                guard let value else {
                    builder.appendNull()
                    continue
                }
                withUnsafeBytes(of: value) { builder.append(stored: $0.baseAddress!, texts: .nothing) }
            }
            return read(builder.array, element)
        }
        #expect(try array(.boolean, [UInt8(1), nil, 0]) == .array([.boolean(true), .null, .boolean(false)]))
        #expect(try array(.integer, [Int64(-5), nil]) == .array([.integer(-5), .null]))
        #expect(try array(.double, [nil, 0.25]) == .array([.null, .double(0.25)]))
        #expect(
            try array(.numeric(precision: 38, scale: 2), [Int128.max, nil, -1]) == .array([.decimal(.max), .null, .decimal(-1)]))
        let interval = Interval(months: 1, days: 2, microseconds: 3)
        #expect(try array(.interval, [nil, interval]) == .array([.null, .interval(interval)]))
        #expect(try array(.bigint, [Int64?]()) == .array([]))
    }

    @Test func `texts stand one after the other, empty ones and NULLs among them`() throws {
        var output = TextArena()
        var builder = try #require(ArrayBuilder(.text, elements: 4, textBytes: 5, in: &output))
        for text in ["für", "", nil, "x"] {
            guard let text else {
                builder.appendNull()
                continue
            }
            Array(text.utf8).withUnsafeBufferPointer {
                builder.append(TextReference(bytes: text.isEmpty ? nil : $0.baseAddress, count: $0.count))
            }
        }
        #expect(read(builder.array, .text) == .array([.text("für"), .text(""), .null, .text("x")]))
    }

    @Test func `an array that the batch has no memory left for is none`() {
        var output = TextArena()
        #expect(ArrayBuilder(.integer, elements: TextArena.bytesMax / 9 + 1, textBytes: 0, in: &output) == nil)
    }
}
