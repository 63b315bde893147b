import Values
import Wire

/// Keys that a subscriber follows: hashed once, looked up by row.
struct KeySet: Hashable {
    /// Indices into the view's columns, in the order of their names.
    let columns: [Int]
    private let fields: [Field]
    let keys: Set<RowKey>

    /// - Parameter fields: the view's columns.
    init(_ sent: Subscribe.Keys, fields: [Field], view: String) throws(ErrorMessage) {
        do throws(WireError) {
            let (schema, batch) = (AlignedBytes(sent.schema), AlignedBytes(sent.batch))
            let source = try ArrowSchema.decode(message: schema.bytes)
            var wanted: [Int] = []
            for field in source.fields {
                guard let column = fields.firstIndex(where: { $0.name == field.name }), !wanted.contains(column) else {
                    throw WireError.malformed(
                        what: "the keys", why: "view \(view) has no column \"\(field.name)\", or it is given twice")
                }
                if case .array = fields[column].type {
                    throw WireError.malformed(what: "the keys", why: "column \"\(field.name)\" is an array")
                }
                wanted.append(column)
            }
            guard !wanted.isEmpty else { throw WireError.malformed(what: "the keys", why: "they have no column") }
            columns = wanted.sorted { fields[$0].name < fields[$1].name }
            let types = columns.map { fields[$0] }
            self.fields = types
            let reader = try BatchReader(target: types, source: source)
            var scratch = ScratchBuffer()
            var views: [ColumnView] = []
            let rowCount = try reader.read(message: batch.bytes, scratch: &scratch, into: &views)
            var found = RowKeys()
            found.find(in: views, rowCount: rowCount)
            keys = Set(found.keys)
        } catch {
            throw ErrorMessage(code: error.code, message: "the keys of this subscription cannot be used: \(error)")
        }
    }

    private init(columns: [Int], fields: [Field], keys: Set<RowKey>) {
        self.columns = columns
        self.fields = fields
        self.keys = keys
    }

    /// The same for a view whose columns have changed, but not these.
    func adapted(to all: [Field], view: String) throws(ErrorMessage) -> KeySet {
        var columns: [Int] = []
        for field in fields {
            guard let column = all.firstIndex(where: { $0.name == field.name && $0.type == field.type }) else {
                throw .badRequest(
                    "view \(view) has no column \(field.name) of type \(field.type) any more, by which keys were chosen")
            }
            columns.append(column)
        }
        return KeySet(columns: columns, fields: fields, keys: keys)
    }
}

/// Bytes at a multiple of 8, as Arrow messages need them.
private final class AlignedBytes {
    let memory: UnsafeMutableRawBufferPointer
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(memory) }

    init(_ source: [UInt8]) {
        memory = .allocate(byteCount: source.count, alignment: 16)
        memory.copyBytes(from: source)
    }

    deinit { memory.deallocate() }
}
