import Values

extension KernelFrame {
    /// PostgreSQL's output format of each type.
    func toText(_ objects: ProgramObjects, _ arena: inout TextArena) {
        let form = TextForm(rawValue: step.variant)!
        let immediate = Int(step.immediate)
        switch form {
        case .boolean: write(&arena) { (x: UInt8, text) in text.append(x != 0 ? "true" : "false") }
        case .smallint, .integer, .bigint: write(&arena) { (x: Int64, text) in text.append(integer: x) }
        case .real: write(&arena) { (x: Double, text) in text.append(real: Float(x)) }
        case .double: write(&arena) { (x: Double, text) in text.append(double: x) }
        case .numeric: write(&arena) { (x: Int128, text) in text.append(decimal: x, scale: immediate) }
        case .date: write(&arena) { (x: Int64, text) in text.append(daysSince1970: x) }
        case .timestamp: write(&arena) { (x: Int64, text) in text.append(timestamp: x) }
        case .timestamptz:
            let rules = objects.zones.isEmpty ? ZoneRules.utc : objects.zones[immediate]
            write(&arena) { (x: Int64, text) in text.append(timestamp: x, zone: rules) }
        case .interval: write(&arena) { (x: Interval, text) in text.append(interval: x) }
        }
    }

    @inline(__always) private func write<A>(_ arena: inout TextArena, _ append: (A, inout ShortText) -> Void) {
        var text = ShortText()
        unaryOfValues { (x: A) -> TextReference? in
            text.removeAll()
            append(x, &text)
            guard let target = arena.reserve(text.count) else { return nil }
            text.copy(to: target)
            return TextReference(bytes: target, count: text.count)
        }
    }

    /// Text that is no value of the type fails.
    func fromText(_ objects: ProgramObjects) {
        let (scale, precision) = (Int(step.immediate), Int(step.limit))
        switch TextForm(rawValue: step.variant)! {
        case .boolean: read { TextValues.boolean($0).map { UInt8($0 ? 1 : 0) } }
        case .smallint: read { Int16($0).map { Int64($0) } }
        case .integer: read { Int32($0).map { Int64($0) } }
        case .bigint: read { Int64($0) }
        case .real: read { TextValues.real($0).map { Double($0) } }
        case .double: read { TextValues.double($0) }
        case .numeric: read { decimal($0, precision: precision, scale: scale) }
        case .date:
            read { text in
                TimestampText(text).map { floorDivide($0.localMicroseconds, Timestamps.dayMicroseconds) }
            }
        case .timestamp: read { TimestampText($0)?.localMicroseconds }
        case .timestamptz:
            let rules = objects.zones[scale]
            read { text -> Int64? in
                guard let moment = TimestampText(text) else { return nil }
                guard let offset = moment.offsetSeconds else { return rules.utc(local: moment.localMicroseconds) }
                return moment.localMicroseconds - offset * 1_000_000
            }
        case .interval: read { Interval($0) }
        }
    }

    private func decimal(_ text: String, precision: Int, scale: Int) -> Int128? {
        guard let number = NumericText(text),
            let value = Decimals.rescaled(number.unscaled, from: number.scale, to: scale),
            value.magnitude < Decimals.powersOfTen[precision].magnitude
        else { return nil }
        return value
    }

    @inline(__always) private func read<R>(_ parse: (String) -> R?) {
        unaryOfValues { (x: TextReference) -> R? in
            parse(TextValues.trimmed(String(decoding: x.buffer, as: UTF8.self)))
        }
    }
}
