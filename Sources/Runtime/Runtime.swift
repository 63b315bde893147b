/// Reactor, sequence, shards and sessions.
