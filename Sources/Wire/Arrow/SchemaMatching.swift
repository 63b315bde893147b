import Values

/// A source's schema against the columns wanted.
struct SchemaMatching {
    var plans: [ColumnPlan] = []
    /// One per list that is wanted.
    var elementPlans: [ColumnPlan] = []
    /// Of a record batch of the source.
    var nodeCount = 0
    var bufferCount = 0
    /// One per dictionary-encoded column that is wanted.
    var dictionaries: [TextDictionary] = []
    var dictionaryIDs: Set<Int64> = []

    private struct Place {
        var field: ArrowField
        var node: Int
        var buffer: Int
    }

    init(target: [Field], source: ArrowSchema) throws(WireError) {
        var places: [String: Place] = [:]
        for field in source.fields {
            let place = Place(field: field, node: nodeCount, buffer: bufferCount)
            guard places.updateValue(place, forKey: field.name) == nil else {
                throw .schema(
                    column: field.name, expected: "one column of that name", found: "two", remedy: "rename one of them")
            }
            nodeCount += field.nodeCount
            bufferCount += field.bufferCount
            collectDictionaryIDs(field)
        }
        for field in target { plans.append(try plan(field, places[field.name])) }
    }

    private mutating func collectDictionaryIDs(_ field: ArrowField) {
        if let dictionary = field.dictionary { dictionaryIDs.insert(dictionary.id) }
        for child in field.children { collectDictionaryIDs(child) }
    }

    private mutating func plan(_ field: Field, _ place: Place?) throws(WireError) -> ColumnPlan {
        var plan = ColumnPlan(type: field.type, isNullable: field.isNullable, node: 0, buffer: 0, conversion: .allNull)
        guard let place else {
            guard field.isNullable else {
                throw .schema(
                    column: field.name, expected: "\(field.type) NOT NULL", found: "no such column",
                    remedy: "send the column, or declare it without NOT NULL")
            }
            return plan
        }
        plan.node = place.node
        plan.buffer = place.buffer
        plan.conversion = try conversion(field, place)
        if case .allNull = plan.conversion, !field.isNullable {
            throw .schema(
                column: field.name, expected: "\(field.type) NOT NULL", found: "a column of type null",
                remedy: "send values, or declare the column without NOT NULL")
        }
        return plan
    }

    private mutating func conversion(_ field: Field, _ place: Place) throws(WireError) -> Conversion {
        let source = place.field
        if let dictionary = source.dictionary {
            if field.type == .text, source.type == .utf8 || source.type == .largeUtf8 {
                dictionaries.append(TextDictionary(id: dictionary.id, isLarge: source.type == .largeUtf8))
                let layout = IntegerLayout(bits: dictionary.indexBits, isSigned: dictionary.isIndexSigned)
                return .dictionary(dictionaries.count - 1, layout)
            }
        } else if case .array(let element) = field.type, let elements = source.elements {
            let plan = try plan(
                Field(name: field.name, type: element.type),
                Place(field: elements, node: place.node + 1, buffer: place.buffer + source.type.bufferCount))
            elementPlans.append(plan)
            return .list(elementPlans.count - 1)
        } else if let conversion = Conversion(from: source.type, to: field.type) {
            return conversion
        }
        throw .schema(
            column: field.name, expected: "\(ArrowField(field.name, field.type).typeDescription) for \(field.type)",
            found: source.typeDescription,
            remedy: source.type == .list
                ? "send the elements as rows, or those that features need as columns of their own"
                : "cast the column before sending")
    }
}
