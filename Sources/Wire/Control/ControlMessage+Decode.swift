import CFlatBuffers

extension ControlMessage {
    /// Reads the body of a control frame. Nothing in the result points into `body`.
    /// - Parameter body: at any address.
    public static func decode(kind: FrameKind, body: UnsafeRawBufferPointer) throws(WireError) -> ControlMessage {
        precondition(kind.body == .control, "a \(kind) frame has no control body")
        guard UInt(bitPattern: body.baseAddress) & 7 == 0 else { return try decodeCopy(kind: kind, body: body) }
        let reader = ControlReader(kind: kind, body: body)
        switch kind {
        case .hello: return .hello(try reader.hello())
        case .welcome: return .welcome(try reader.welcome())
        case .open: return .open(try reader.open())
        case .opened: return .opened(try reader.opened())
        case .accepted: return .accepted(try reader.accepted())
        case .subscribe: return .subscribe(try reader.subscribe())
        case .subscribed: return .subscribed(try reader.subscribed())
        case .gap: return .gap(try reader.gap())
        case .statusReply: return .statusReply(try reader.statusReply())
        case .error: return .error(try reader.error())
        case .goodbye: return .goodbye(try reader.goodbye())
        case .credit: return .credit(try reader.credit())
        case .apply: return .apply(try reader.apply())
        case .applied: return .applied(try reader.applied())
        default: preconditionFailure("a \(kind) frame has no control body")
        }
    }

    private static func decodeCopy(kind: FrameKind, body: UnsafeRawBufferPointer) throws(WireError) -> ControlMessage {
        let aligned = UnsafeMutableRawBufferPointer.allocate(byteCount: body.count, alignment: 8)
        defer { aligned.deallocate() }
        aligned.copyMemory(from: body)
        return try decode(kind: kind, body: UnsafeRawBufferPointer(aligned))
    }
}

/// One control body; each function verifies it as its table and copies the fields out.
private struct ControlReader {
    let kind: FrameKind
    let body: UnsafeRawBufferPointer

    private var what: String { "the body of this \(kind) frame" }

    private func check(_ isVerified: Bool) throws(WireError) {
        guard isVerified else { throw .malformed(what: what, why: "it is not the FlatBuffer that its kind says") }
    }

    private func string(_ text: millrace_text) throws(WireError) -> String { try String(text, in: what) }

    private func strings(_ list: millrace_list) throws(WireError) -> [String] {
        var strings: [String] = []
        for index in 0..<list.count { strings.append(try string(millrace_list_text(list, index))) }
        return strings
    }

    func hello() throws(WireError) -> Hello {
        var fields = millrace_hello()
        var token = millrace_text()
        var clientName = millrace_text()
        try check(millrace_hello_read(body.baseAddress, body.count, &fields, &token, &clientName))
        return Hello(
            versionMin: fields.version_min, versionMax: fields.version_max, token: try string(token),
            clientName: try string(clientName), producerID: fields.producer_id,
            wantsBodyChecksums: fields.wants_body_checksums, creditsWanted: fields.credits_wanted,
            answersNoPings: fields.answers_no_pings)
    }

    func welcome() throws(WireError) -> Welcome {
        var fields = millrace_welcome()
        var serverName = millrace_text()
        var serverVersion = millrace_text()
        try check(millrace_welcome_read(body.baseAddress, body.count, &fields, &serverName, &serverVersion))
        return Welcome(
            version: fields.version, serverName: try string(serverName), serverVersion: try string(serverVersion),
            epoch: fields.epoch, sequence: fields.sequence, credits: fields.credits,
            frameBodyBytesMax: fields.frame_body_bytes_max, batchRowsMax: fields.batch_rows_max,
            definitions: fields.definitions, receivedUpTo: fields.received_up_to)
    }

    func open() throws(WireError) -> Open {
        var mode: UInt8 = 0
        var table = millrace_text()
        var views = millrace_list()
        var keyColumns = millrace_list()
        try check(millrace_open_read(body.baseAddress, body.count, &mode, &table, &views, &keyColumns))
        guard let mode = Open.Mode(rawValue: mode) else { throw .malformed(what: what, why: "mode \(mode) is unknown") }
        return Open(mode: mode, table: try string(table), views: try strings(views), keyColumns: try strings(keyColumns))
    }

    func opened() throws(WireError) -> Opened {
        var table = millrace_text()
        var list = millrace_list()
        var eventTime = millrace_text()
        try check(millrace_opened_read(body.baseAddress, body.count, &table, &list, &eventTime))
        var views: [Opened.View] = []
        for index in 0..<list.count {
            var name = millrace_text()
            var channel: UInt32 = 0
            millrace_opened_view(list, index, &name, &channel)
            views.append(Opened.View(name: try string(name), channel: channel))
        }
        return Opened(table: try string(table), views: views, eventTime: try string(eventTime))
    }

    func accepted() throws(WireError) -> Accepted {
        var accepted = Accepted(rows: 0)
        try check(
            millrace_accepted_read(body.baseAddress, body.count, &accepted.rows, &accepted.late, &accepted.refused))
        return accepted
    }

    private func onFull(_ value: UInt8) throws(WireError) -> Subscribe.OnFull {
        guard let onFull = Subscribe.OnFull(rawValue: value) else {
            throw .malformed(what: what, why: "on_full \(value) is unknown")
        }
        return onFull
    }

    private func bytes(_ text: millrace_text) -> [UInt8] { Array(UnsafeBufferPointer(start: text.bytes, count: text.count)) }

    func subscribe() throws(WireError) -> Subscribe {
        var fields = millrace_subscribe()
        var view = millrace_text()
        var predicate = millrace_text()
        var keySchema = millrace_text()
        var keys = millrace_text()
        try check(millrace_subscribe_read(body.baseAddress, body.count, &fields, &view, &predicate, &keySchema, &keys))
        let resumes = fields.resume || fields.from_sequence != 0
        return Subscribe(
            view: try string(view), predicate: try string(predicate),
            keys: keySchema.count == 0 && keys.count == 0
                ? nil : Subscribe.Keys(schema: bytes(keySchema), batch: bytes(keys)),
            from: resumes ? Place(sequence: fields.from_sequence, rows: fields.from_row) : nil,
            onFull: try onFull(fields.on_full), bufferBytes: fields.buffer_bytes,
            notifyMilliseconds: fields.notify_milliseconds)
    }

    func subscribed() throws(WireError) -> Subscribed {
        var fields = millrace_subscribed()
        var keyColumns = millrace_list()
        try check(millrace_subscribed_read(body.baseAddress, body.count, &fields, &keyColumns))
        return Subscribed(
            channel: fields.channel, sequence: fields.sequence, onFull: try onFull(fields.on_full),
            keyColumns: try strings(keyColumns), bufferBytes: fields.buffer_bytes,
            notifyMilliseconds: fields.notify_milliseconds)
    }

    func gap() throws(WireError) -> Gap {
        var fields = millrace_gap()
        try check(millrace_gap_read(body.baseAddress, body.count, &fields))
        guard let cause = Gap.Cause(rawValue: fields.cause) else {
            throw .malformed(what: what, why: "cause \(fields.cause) is unknown")
        }
        return Gap(
            cause: cause, rows: fields.rows, from: Place(sequence: fields.from_sequence, rows: fields.from_row),
            to: Place(sequence: fields.to_sequence, rows: fields.to_row))
    }

    func statusReply() throws(WireError) -> StatusReply {
        var version = millrace_text()
        var list = millrace_list()
        try check(millrace_status_reply_read(body.baseAddress, body.count, &version, &list))
        var entries: [StatusReply.Entry] = []
        for index in 0..<list.count {
            var name = millrace_text()
            var label = millrace_text()
            var unit = millrace_text()
            var value = 0.0
            millrace_status_entry(list, index, &name, &label, &unit, &value)
            entries.append(
                StatusReply.Entry(name: try string(name), label: try string(label), unit: try string(unit), value: value))
        }
        return StatusReply(serverVersion: try string(version), entries: entries)
    }

    func error() throws(WireError) -> ErrorMessage {
        var code = millrace_text()
        var message = millrace_text()
        var detail = millrace_text()
        var retry = false
        try check(millrace_error_read(body.baseAddress, body.count, &code, &message, &detail, &retry))
        return ErrorMessage(
            code: try string(code), message: try string(message), detail: try string(detail), retry: retry)
    }

    func goodbye() throws(WireError) -> Goodbye {
        var reason = millrace_text()
        try check(millrace_goodbye_read(body.baseAddress, body.count, &reason))
        return Goodbye(reason: try string(reason))
    }

    func credit() throws(WireError) -> Credit {
        var credit = Credit(credits: 0)
        try check(millrace_credit_read(body.baseAddress, body.count, &credit.credits))
        return credit
    }

    func apply() throws(WireError) -> Apply {
        var list = millrace_list()
        var isDryRun = false
        try check(millrace_apply_read(body.baseAddress, body.count, &list, &isDryRun))
        var sources: [Apply.Source] = []
        for index in 0..<list.count {
            var name = millrace_text()
            var text = millrace_text()
            millrace_source_text(list, index, &name, &text)
            sources.append(Apply.Source(name: try string(name), text: try string(text)))
        }
        return Apply(sources: sources, isDryRun: isDryRun)
    }

    func applied() throws(WireError) -> Applied {
        var applied = Applied(isApplied: false, definitions: 0)
        var report = millrace_text()
        try check(
            millrace_applied_read(
                body.baseAddress, body.count, &applied.isApplied, &applied.definitions, &report, &applied.hasErrors,
                &applied.memoryBytesBefore, &applied.memoryBytesAfter))
        applied.report = try string(report)
        return applied
    }
}
