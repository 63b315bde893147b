/// Stands where Codable asks for a container that a cell or a row cannot be: whatever is done with it throws the error.
struct RefusedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol, UnkeyedEncodingContainer, SingleValueEncodingContainer {
    let error: MillraceError
    var codingPath: [any CodingKey] { [] }
    var count: Int { 0 }

    func encodeNil() throws { throw error }
    func encodeNil(forKey key: Key) throws { throw error }
    func encode<Value: Encodable>(_ value: Value) throws { throw error }
    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws { throw error }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(RefusedContainer<Nested>(error: error))
    }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(RefusedContainer<Nested>(error: error))
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { self }
    func superEncoder() -> any Encoder { RefusedEncoder(error: error) }
    func superEncoder(forKey key: Key) -> any Encoder { RefusedEncoder(error: error) }
}

private struct RefusedEncoder: Encoder {
    let error: MillraceError
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RefusedContainer<Key>(error: error))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusedContainer<RefusedKey>(error: error) }
    func singleValueContainer() -> any SingleValueEncodingContainer { RefusedContainer<RefusedKey>(error: error) }
}

/// For containers that have no keys.
enum RefusedKey: CodingKey {
    case none
}
