import Wire

/// What the server does for its connections: how its cores spend their turns, what waits where, and how full each bound is.
extension StatusReport {
    func serving() -> [StatusReply.Entry] { connections() + producing() + cores() + queues() }

    private func connections() -> [StatusReply.Entry] {
        [
            entry("connections_max", "", Double(limits.connectionsMax)),
            entry("connections_paused", "", sum { UInt64($0.pausedConnections) }),
            entry("pauses", "", sum { $0.metrics.pauses }),
            entry("credits", "", Double(parts.map(\.credits).min() ?? 0)),
            entry("pings", "", sum { $0.metrics.pings }),
            entry("silent_peers_ended", "", sum { $0.metrics.silentPeers }),
            entry("slow_peers_ended", "", sum { $0.metrics.slowPeersEnded }),
            entry("idle_peers_ended", "", sum { $0.metrics.idleClosed }),
            entry("sent", "bytes", sum { $0.metrics.sentBytes }),
        ]
    }

    private func producing() -> [StatusReply.Entry] {
        [
            entry("producers", "", Double(producers.known)),
            entry("producers_max", "", Double(limits.producers.producersMax)),
            entry("producers_forgotten", "", Double(producers.forgotten)),
            entry("resends_answered", "", Double(producers.resendsAnswered)),
            entry("kept_replies", "bytes", Double(producers.keptBytes)),
            entry("kept_replies_bound", "bytes", Double(limits.producers.replyBytesTotalMax)),
        ]
    }

    private func cores() -> [StatusReply.Entry] {
        parts.sorted { $0.core < $1.core }.flatMap { part in
            let label = "core \(part.core)"
            return [
                entry("connections", "", label: label, Double(part.connections)),
                entry("turns", "", label: label, Double(part.metrics.turns)),
                entry("turns_empty", "", label: label, Double(part.metrics.emptyTurns)),
                entry("sleeps", "", label: label, Double(part.metrics.sleeps)),
            ]
        }
    }

    private func queues() -> [StatusReply.Entry] {
        let bound = { (name: String, bytes: Int) in entry(name, "bytes", Double(bytes)) }
        return [
            entry("sequence_capacity", "", Double(sequenceCapacity)),
            entry("sequence_fill", "", Double(parts.map(\.sequenceFill).max() ?? 0)),
            entry("sequence_fill_max", "", Double(parts.map(\.metrics.sequenceFillMax).max() ?? 0)),
            entry("receive_memory", "bytes", sum { UInt64($0.receiveBytes) }),
            bound("receive_memory_bound", limits.receiveBytesMax),
            entry("batch_memory", "bytes", sum { UInt64($0.requestBytes) }), bound("batch_memory_bound", limits.requestBytesMax),
            entry("send_memory", "bytes", sum { UInt64($0.sendBytes) }), bound("send_memory_bound", limits.sendBytesMax),
            entry("kept_memory", "bytes", sum { UInt64($0.keptBytes) }), bound("kept_memory_bound", limits.keptBytesTotalMax),
        ]
    }
}
