import Bounds
import CFlatBuffers
import Values

/// The columns of a stream of record batches.
public struct ArrowSchema: Hashable, Sendable {
    public var fields: [ArrowField]

    public init(arrowFields: [ArrowField]) { fields = arrowFields }

    /// The schema that Millrace writes for columns of these types.
    public init(fields: [Field]) {
        self.fields = fields.map { ArrowField($0.name, $0.type, isNullable: $0.isNullable) }
    }

    /// The columns in SQL's types, each the narrowest that holds all its values; throws at a column that has none.
    public func valueFields() throws(WireError) -> [Field] {
        var columns: [Field] = []
        for field in fields {
            guard let type = field.valueType else {
                throw .schema(
                    column: field.name, expected: "a type that SQL has", found: field.typeDescription,
                    remedy: "leave the column out or cast it")
            }
            columns.append(Field(name: field.name, type: type, isNullable: field.isNullable))
        }
        return columns
    }
}

extension ArrowSchema {
    /// Reads one encapsulated schema message. Nothing in the result points into it.
    public static func decode(message: UnsafeRawBufferPointer) throws(WireError) -> ArrowSchema {
        let parts = try EncapsulatedMessage(message)
        var fields = millrace_fields()
        let result = millrace_schema_read(parts.metadata.baseAddress, parts.metadata.count, &fields)
        try check(result, "the schema message")
        guard parts.body.isEmpty else {
            throw .malformed(what: "the schema message", why: "\(parts.body.count) bytes follow it")
        }
        return ArrowSchema(arrowFields: try decode(fields))
    }

    static func decode(_ list: millrace_fields) throws(WireError) -> [ArrowField] {
        guard list.count <= Bounds.columnsMax else {
            throw .tooLarge(what: "the number of columns", found: list.count, limit: Bounds.columnsMax)
        }
        var fields: [ArrowField] = []
        for index in 0..<list.count {
            var field = millrace_field()
            millrace_fields_at(list, index, &field)
            fields.append(try ArrowField(field))
        }
        return fields
    }

    /// One encapsulated schema message.
    public func encode() -> [UInt8] {
        let table = TableBuilder()
        let root = millrace_schema_message_build(table.builder, build(in: table))
        return EncapsulatedMessage.encapsulate(table.finish(root))
    }

    func build(in table: borrowing TableBuilder) -> millrace_offset {
        millrace_schema_build(table.builder, ArrowField.build(fields, in: table))
    }
}

/// Turns what the C side found into the error to throw.
func check(_ result: millrace_arrow_result, _ what: String) throws(WireError) {
    switch result {
    case millrace_arrow_ok: return
    case millrace_arrow_version:
        throw .unsupported(what: "the metadata version of \(what)", remedy: "write it with Arrow 1.0 or later")
    case millrace_arrow_kind: throw .malformed(what: what, why: "it is another kind of Arrow message")
    case millrace_arrow_outside: throw .malformed(what: what, why: "a buffer lies outside its body")
    case millrace_arrow_compression:
        throw .unsupported(what: "the body compression of \(what)", remedy: "compress with zstd or not at all")
    case millrace_arrow_endian:
        throw .unsupported(what: "a big-endian schema", remedy: "convert to little-endian before sending")
    default: throw .malformed(what: what, why: "its FlatBuffers metadata does not hold together")
    }
}
