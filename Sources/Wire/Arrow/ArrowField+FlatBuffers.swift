import CFlatBuffers

/// Numbers of Arrow's Type union.
private enum TypeNumber {
    static let null: UInt8 = 1
    static let int: UInt8 = 2
    static let floatingPoint: UInt8 = 3
    static let utf8: UInt8 = 5
    static let bool: UInt8 = 6
    static let decimal: UInt8 = 7
    static let date: UInt8 = 8
    static let timestamp: UInt8 = 10
    static let interval: UInt8 = 11
    static let list: UInt8 = 12
    static let union: UInt8 = 14
    static let duration: UInt8 = 18
    static let largeUtf8: UInt8 = 20

    /// Name and buffers of the types that are only stepped over.
    static let others: [UInt8: (name: String, bufferCount: Int)] = [
        4: ("binary", 3), 9: ("time", 2), 13: ("struct", 1), 15: ("fixed_size_binary", 2),
        16: ("fixed_size_list", 1), 17: ("map", 2), 19: ("large_binary", 3), 21: ("large_list", 2),
        22: ("run_end_encoded", 0), 25: ("list_view", 3), 26: ("large_list_view", 3),
    ]
    static let views: [UInt8: String] = [23: "binary_view", 24: "string_view"]
}

extension ArrowField {
    init(_ field: millrace_field) throws(WireError) {
        let name = try String(field.name, in: "a column's name")
        self.init(
            name: name, type: try ArrowType(field, column: name), isNullable: field.is_nullable,
            children: try ArrowSchema.decode(field.children))
        guard field.is_dictionary else { return }
        guard [8, 16, 32, 64].contains(field.index_bit_width) else {
            throw .malformed(what: "column \"\(name)\"", why: "its indices have \(field.index_bit_width) bits")
        }
        dictionary = ArrowDictionary(
            id: field.dictionary_id, indexBits: Int(field.index_bit_width), isIndexSigned: field.is_index_signed)
    }

    static func build(_ fields: [ArrowField], in table: borrowing TableBuilder) -> millrace_offset {
        // Arrow's readers want a vector of children, be it empty.
        var places: [millrace_offset] = []
        for field in fields { places.append(field.build(in: table)) }
        return table.list(places)
    }

    private func build(in table: borrowing TableBuilder) -> millrace_offset {
        var field = type.numbers
        field.is_nullable = isNullable
        if let dictionary {
            field.is_dictionary = true
            field.dictionary_id = dictionary.id
            field.index_bit_width = Int32(dictionary.indexBits)
            field.is_index_signed = dictionary.isIndexSigned
        }
        var timeZonePlace: millrace_offset = 0
        if case .timestamp(_, let timeZone?) = type { timeZonePlace = table.requiredText(timeZone) }
        return millrace_field_build(
            table.builder, &field, table.requiredText(name), timeZonePlace, Self.build(children, in: table))
    }
}

extension ArrowType {
    fileprivate init(_ field: millrace_field, column: String) throws(WireError) {
        switch field.type {
        case TypeNumber.null: self = .null
        case TypeNumber.bool: self = .boolean
        case TypeNumber.int where [8, 16, 32, 64].contains(field.bit_width):
            self = .integer(bits: Int(field.bit_width), isSigned: field.is_signed)
        case TypeNumber.floatingPoint where (0...2).contains(field.unit): self = .floating(bits: 16 << Int(field.unit))
        case TypeNumber.decimal where [32, 64, 128, 256].contains(field.bit_width) && (1...76).contains(field.precision):
            self = .decimal(bits: Int(field.bit_width), precision: Int(field.precision), scale: Int(field.scale))
        case TypeNumber.utf8: self = .utf8
        case TypeNumber.largeUtf8: self = .largeUtf8
        case TypeNumber.date where (0...1).contains(field.unit): self = field.unit == 0 ? .date32 : .date64
        case TypeNumber.timestamp:
            let timeZone = try String(field.time_zone, in: "the time zone of column \"\(column)\"")
            self = .timestamp(try TimeUnit(field.unit, column: column), timeZone: timeZone.isEmpty ? nil : timeZone)
        case TypeNumber.duration: self = .duration(try TimeUnit(field.unit, column: column))
        case TypeNumber.interval where (0...2).contains(field.unit):
            self = [.yearMonthInterval, .dayTimeInterval, .monthDayNanoInterval][Int(field.unit)]
        case TypeNumber.list: self = .list
        case TypeNumber.union: self = .other(name: "union", bufferCount: field.unit == 1 ? 2 : 1)
        default: self = try ArrowType(other: field, column: column)
        }
    }

    private init(other field: millrace_field, column: String) throws(WireError) {
        if let view = TypeNumber.views[field.type] {
            // Their number of buffers differs from batch to batch.
            throw .unsupported(what: "column \"\(column)\" of type \(view)", remedy: "cast it to string, or leave it out")
        }
        guard let other = TypeNumber.others[field.type] else {
            throw .malformed(what: "column \"\(column)\"", why: "type number \(field.type) is unknown or incomplete")
        }
        self = .other(name: other.name, bufferCount: other.bufferCount)
    }

    /// The type's part of a field to be written.
    fileprivate var numbers: millrace_field {
        var field = millrace_field()
        switch self {
        case .null: field.type = TypeNumber.null
        case .boolean: field.type = TypeNumber.bool
        case .integer(let bits, let isSigned):
            field.type = TypeNumber.int
            field.bit_width = Int32(bits)
            field.is_signed = isSigned
        case .floating(let bits):
            field.type = TypeNumber.floatingPoint
            field.unit = bits == 16 ? 0 : bits == 32 ? 1 : 2
        case .decimal(let bits, let precision, let scale):
            field.type = TypeNumber.decimal
            field.bit_width = Int32(bits)
            field.precision = Int32(precision)
            field.scale = Int32(scale)
        case .utf8: field.type = TypeNumber.utf8
        case .largeUtf8: field.type = TypeNumber.largeUtf8
        case .date32, .date64:
            field.type = TypeNumber.date
            field.unit = self == .date32 ? 0 : 1
        case .timestamp(let unit, _):
            field.type = TypeNumber.timestamp
            field.unit = unit.rawValue
        case .duration(let unit):
            field.type = TypeNumber.duration
            field.unit = unit.rawValue
        case .yearMonthInterval, .dayTimeInterval, .monthDayNanoInterval:
            field.type = TypeNumber.interval
            field.unit = self == .yearMonthInterval ? 0 : self == .dayTimeInterval ? 1 : 2
        case .list: field.type = TypeNumber.list
        case .other(let name, _): preconditionFailure("columns of type \(name) are read over, never written")
        }
        return field
    }
}

extension ArrowType.TimeUnit {
    fileprivate init(_ number: Int16, column: String) throws(WireError) {
        guard let unit = ArrowType.TimeUnit(rawValue: number) else {
            throw .malformed(what: "column \"\(column)\"", why: "time unit \(number) is unknown")
        }
        self = unit
    }
}
