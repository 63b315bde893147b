import CFlatBuffers

extension ControlMessage {
    /// The kind of frame that carries it.
    public var kind: FrameKind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .open: .open
        case .opened: .opened
        case .accepted: .accepted
        case .subscribe: .subscribe
        case .subscribed: .subscribed
        case .gap: .gap
        case .statusReply: .statusReply
        case .error: .error
        case .goodbye: .goodbye
        case .credit: .credit
        case .apply: .apply
        case .applied: .applied
        }
    }

    /// The frame's body: one FlatBuffer.
    public func encode() -> [UInt8] {
        let table = TableBuilder()
        let root = build(in: table)
        return table.finish(root)
    }

    private func build(in table: borrowing TableBuilder) -> millrace_offset {
        let builder = table.builder
        switch self {
        case .hello(let hello): return hello.build(in: table)
        case .welcome(let welcome): return welcome.build(in: table)
        case .open(let open):
            return millrace_open_build(
                builder, open.mode.rawValue, table.text(open.table), table.texts(open.views), table.texts(open.keyColumns))
        case .opened(let opened):
            let views = opened.views.map { millrace_opened_view_build(builder, table.text($0.name), $0.channel) }
            return millrace_opened_build(builder, table.text(opened.table), table.list(views), table.text(opened.eventTime))
        case .accepted(let accepted):
            return millrace_accepted_build(builder, accepted.rows, accepted.late, accepted.refused)
        case .subscribe(let subscribe):
            return subscribe.build(in: table)
        case .subscribed(let subscribed): return subscribed.build(in: table)
        case .gap(let gap): return gap.build(in: table)
        case .statusReply(let reply): return reply.build(in: table)
        case .error(let error):
            return millrace_error_build(
                builder, table.text(error.code), table.text(error.message), table.text(error.detail), error.retry)
        case .goodbye(let goodbye): return millrace_goodbye_build(builder, table.text(goodbye.reason))
        case .credit(let credit): return millrace_credit_build(builder, credit.credits)
        case .apply(let apply):
            let sources = apply.sources.map {
                millrace_source_text_build(builder, table.text($0.name), table.text($0.text))
            }
            return millrace_apply_build(builder, table.list(sources), apply.isDryRun)
        case .applied(let applied):
            return millrace_applied_build(
                builder, applied.isApplied, applied.definitions, table.text(applied.report), applied.hasErrors,
                applied.memoryBytesBefore, applied.memoryBytesAfter)
        }
    }
}

extension Hello {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        var fields = millrace_hello(
            version_min: versionMin, version_max: versionMax, wants_body_checksums: wantsBodyChecksums,
            answers_no_pings: answersNoPings, credits_wanted: creditsWanted, producer_id: producerID)
        return millrace_hello_build(table.builder, &fields, table.text(token), table.text(clientName))
    }
}

extension Welcome {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        var fields = millrace_welcome(
            version: version, epoch: epoch, credits: credits, frame_body_bytes_max: frameBodyBytesMax,
            batch_rows_max: batchRowsMax, definitions: definitions, sequence: sequence, received_up_to: receivedUpTo)
        return millrace_welcome_build(table.builder, &fields, table.text(serverName), table.text(serverVersion))
    }
}

extension Subscribe {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        var fields = millrace_subscribe(
            from_sequence: from?.sequence ?? 0, from_row: from?.rows ?? 0, buffer_bytes: bufferBytes,
            notify_milliseconds: notifyMilliseconds, on_full: onFull.rawValue, resume: from != nil)
        return millrace_subscribe_build(
            table.builder, &fields, table.text(view), table.text(predicate), table.bytes(keys?.schema ?? []),
            table.bytes(keys?.batch ?? []))
    }
}

extension Subscribed {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        var fields = millrace_subscribed(
            sequence: sequence, channel: channel, buffer_bytes: bufferBytes, notify_milliseconds: notifyMilliseconds,
            on_full: onFull.rawValue)
        return millrace_subscribed_build(table.builder, &fields, table.texts(keyColumns))
    }
}

extension Gap {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        var fields = millrace_gap(
            rows: rows, from_sequence: from.sequence, to_sequence: to.sequence, from_row: from.rows, to_row: to.rows,
            cause: cause.rawValue)
        return millrace_gap_build(table.builder, &fields)
    }
}

extension StatusReply {
    fileprivate func build(in table: borrowing TableBuilder) -> millrace_offset {
        let places = entries.map {
            millrace_status_entry_build(
                table.builder, table.text($0.name), table.text($0.label), table.text($0.unit), $0.value)
        }
        return millrace_status_reply_build(table.builder, table.text(serverVersion), table.list(places))
    }
}
