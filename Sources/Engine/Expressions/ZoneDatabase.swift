import CKernels
import Values

/// The system's time zone database. Files are read when a plan is compiled, never while rows run.
enum ZoneDatabase {
    static let folder = "/usr/share/zoneinfo/"
    /// The largest zone has 3.5 KB.
    static let fileBytesMax = 64 << 10

    /// UTC and fixed offsets by themselves, other names from the database.
    static func rules(_ name: String) throws(ZoneError) -> ZoneRules {
        do throws(ZoneError) {
            return try ZoneRules.named(name)
        } catch {
            guard isSafe(name), let rules = ZoneRules(name: name, zoneFile: contents(folder + name)) else { throw error }
            return rules
        }
    }

    /// Names a file below the folder and no other.
    private static func isSafe(_ name: String) -> Bool {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        return isPlain && !name.isEmpty && !name.hasPrefix("/") && name.utf8.count <= 64
    }

    private static func contents(_ path: String) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: fileBytesMax) { buffer, count in
            count = millrace_read_file(path, buffer.baseAddress, buffer.count)
        }
    }
}
