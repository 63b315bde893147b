import CFlatBuffers

/// A FlatBuffer being built, from its leaves to its root.
struct TableBuilder: ~Copyable {
    /// Owned; freed once, here.
    let builder: OpaquePointer

    init() { builder = millrace_builder_create() }

    deinit { millrace_builder_destroy(builder) }

    /// The place of a string; absent where it is empty, which reads back as empty.
    func text(_ string: String) -> millrace_offset {
        string.isEmpty ? 0 : requiredText(string)
    }

    /// The place of a string, however short.
    func requiredText(_ string: String) -> millrace_offset {
        var string = string
        return string.withUTF8 { millrace_builder_text(builder, $0.baseAddress, $0.count) }
    }

    /// The place of some bytes; absent where there are none.
    func bytes(_ bytes: [UInt8]) -> millrace_offset {
        bytes.isEmpty ? 0 : millrace_builder_bytes(builder, bytes, bytes.count)
    }

    func list(_ items: [millrace_offset]) -> millrace_offset {
        millrace_builder_vector(builder, items, items.count)
    }

    func texts(_ strings: [String]) -> millrace_offset {
        list(strings.map { requiredText($0) })
    }

    consuming func finish(_ root: millrace_offset) -> [UInt8] {
        var count = 0
        let bytes = millrace_builder_finish(builder, root, &count)
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}

extension String {
    /// Text from outside, which has to be UTF-8.
    init(_ text: millrace_text, in what: String) throws(WireError) {
        let bytes = UnsafeBufferPointer(start: text.bytes, count: text.count)
        guard let string = String(validating: bytes, as: UTF8.self) else {
            throw .malformed(what: what, why: "a string in it is not UTF-8")
        }
        self = string
    }
}
