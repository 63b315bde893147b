import CKernels
import Values

/// The system's time zone database: what tzdata installs, as the operating system keeps it up to date. Files are read when a
/// plan is compiled, never while rows run, so a server works by the version that it started with.
public enum ZoneDatabase {
    public static let folder = "/usr/share/zoneinfo/"
    /// The largest zone has 3.5 KB.
    static let fileBytesMax = 64 << 10

    /// `2025b`, as its source file tzdata.zi or the file +VERSION has it; nil where neither is there.
    public static var version: String? {
        let marks = [("tzdata.zi", "# version "), ("+VERSION", "")]
        for (file, mark) in marks {
            let line = contents(folder + file).prefix { $0 != UInt8(ascii: "\n") }
            guard !line.isEmpty, line.starts(with: mark.utf8) else { continue }
            return String(decoding: line.dropFirst(mark.utf8.count), as: UTF8.self)
        }
        return nil
    }

    /// Its folder and version, for people.
    public static var description: String {
        "time zone database \(folder.dropLast()), " + (version.map { "version \($0)" } ?? "of unknown version")
    }

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
