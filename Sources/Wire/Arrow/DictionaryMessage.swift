import CFlatBuffers

/// What a dictionary batch says of itself, without its entries.
public struct DictionaryMessage: Hashable, Sendable {
    public var id: Int64
    /// Its entries are added to those that the dictionary has; otherwise they replace them.
    public var isDelta: Bool

    /// - Parameter message: one encapsulated dictionary batch, at a multiple of 8. Its entries are not looked at.
    public init(_ message: UnsafeRawBufferPointer) throws(WireError) {
        let parts = try EncapsulatedMessage(message)
        var batch = millrace_batch()
        let kind = UInt8(millrace_message_dictionary)
        try check(millrace_batch_read(parts.metadata.baseAddress, parts.metadata.count, kind, &batch), "the dictionary batch")
        id = batch.dictionary_id
        isDelta = batch.is_delta
    }
}

extension ArrowSchema {
    /// A column, or an element of one, is encoded as indices into a dictionary.
    public var hasDictionaries: Bool { fields.contains { $0.hasDictionaries } }
}

extension ArrowField {
    fileprivate var hasDictionaries: Bool { dictionary != nil || children.contains { $0.hasDictionaries } }
}
