/// The log: everything that changes the server's state, in the one order in which it does, in files that are only written
/// at their end. State is a function of the log; what the server decided by its clock or its memory is written down, so that
/// reading the log decides nothing anew.
///
///     log/0000000007.log.zst   cold: the same bytes, compressed (`ColdSegment`)
///     log/0000000008.log       finished: ends in a record `end`, its file ends there
///     log/0000000009.log       in use: `capacity` bytes long, zeros behind the last record
///     log/0000000010.log       ready: `capacity` zeros, made before they are needed
///     log/….partial            on its way to one of these names; removed when the server starts
///
/// Numbers and sequences run on from file to file without a gap. A segment can be read without those before it: it says
/// again which definitions are in force, and states each schema and its dictionaries before the first batch that needs them.
///
///     segment = header, records …, zeros                       all numbers little-endian, all offsets from the segment's start
///
///     header, 64 bytes
///     0         8        10      12    16      24              32     36    40        48        60
///     MILLRLOG  version  length  salt  number  first_sequence  epoch  zero  capacity  zero …    crc32c of the 60 bytes
///
///     record: header, 40 bytes, and `length` bytes of body, a multiple of 8
///     0      4       8     9      10    12    16        24     28            32           36
///     magic  length  kind  flags  zero  salt  sequence  place  synced_up_to  body_crc32c  header_crc32c
///
/// - `sequence` of a `start`, `definitions`, `batch` or `admission` is its own, one more than that of the one before. Other
///   records, and definitions said again, carry that of the last one before them.
/// - `place` is the record's own offset and `salt` the segment's own number, chosen anew for each: bytes of a batch that look
///   like a record are none.
/// - `synced_up_to`: when this record was made, all bytes below this offset were known to be on the disk.
/// - Every byte of a record is under one of its two checksums, padding too. Bytes behind the last record are zero.
///
/// What is written when, and so what a crash can leave behind:
///
///     make the next file     N+1.partial: allocate, sync ─► rename ─► sync directory              (ahead of need, `prepareNext`)
///     append, flush, sync    records behind one another; zeros, parts and whole records in any order until `sync` returns
///     finish                 `end`, sync ─► cut the file there
///     begin                  header and definitions of N+1, sync ─► its first record
///
/// - A header that is not whole therefore belongs to a segment without records: nothing that was synced stood there.
/// - In a segment that another one follows, everything was synced: whatever is wrong in it is *damage*.
/// - In the newest one, bytes that are no record are a *torn tail* where nothing says that they were synced: they are cut off
///   and reported. Where a whole record header behind them says `synced_up_to` beyond their beginning, they were good once:
///   *damage*. Damage is never repaired in silence: reading stops and names segment, offset, what was expected and found.
/// - A file shorter than its `capacity` without `end` was cut by somebody else: damage.
///
/// `version` counts formats; a server reads its own and the one before (`versions`), and refuses others by number.
enum LogFormat {
    static let magic = Array("MILLRLOG".utf8)
    static let version: UInt16 = 1
    /// What this program can read. There is no version before 1.
    static let versions: ClosedRange<UInt16> = 1...1
    static let headerBytes = 64
    static let recordHeaderBytes = 40
    static let alignment = 8

    /// Up to the next multiple of 8.
    @inline(__always)
    static func padded(_ byteCount: Int) -> Int { (byteCount + alignment - 1) & ~(alignment - 1) }
}
