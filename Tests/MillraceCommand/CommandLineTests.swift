import ArgumentParser
import Testing

@testable import MillraceCommand

/// What a person reads after a wrong command line; nil where it is right.
private func message(_ arguments: [String]) -> String? {
    do {
        _ = try MillraceCommand.parseAsRoot(arguments)
        return nil
    } catch {
        return MillraceCommand.message(for: error)
    }
}

@Test(arguments: [
    (["serve", "x.sql", "--listen", "nowhere"], "--listen"),
    (["serve", "x.sql", "--cores", "0"], "--cores must be from 1 to 64, not 0"),
    (["serve", "x.sql", "--poll", "busy"], "--poll"),
    (["serve", "x.sql", "--memory", "lots"], "--memory"),
    (["serve"], "<definitions>"),
    (["replay", "x.sql", "--output", "o.csv"], "--input"),
    (
        ["replay", "x.sql", "--input", "a.csv", "--output", "o.txt"],
        "--output o.txt: the name must end in .arrow, .arrows or .csv"
    ),
    (["replay", "x.sql", "--input", "-", "--input", "b=-", "--output", "o.csv"], "--input - is given twice"),
    (["replay", "x.sql", "--input", "a.csv", "--output", "o.csv", "--order", "random"], "--order"),
    (["send", "--input", "a.csv", "--view", "v"], "--view chooses what is written; it needs --output"),
    (["send", "--input", "a.csv", "--batch-rows", "0"], "--batch-rows must be from 1 to 65536, not 0"),
    (["send", "--input", "a.csv", "--connect", "here"], "--connect"),
    (["get", "v"], "--key"),
    (["get", "v", "--key", "card_id"], "--key"),
    (
        ["get", "v", "--key", "a=1", "--key", "a=2", "--key", "b=1"],
        "--key: every column needs as many values as the others (a 2, b 1)"
    ),
    (["get", "v", "--key", "a=1", "--at", "noon"], "--at 'noon' is no timestamp and no integer"),
    (["subscribe", "v", "--format", "xml"], "--format"),
    (["explain", "x.sql", "--keys", "0"], "--keys takes a number of at least 1, or columns=number, not 0"),
    (["check", "x.sql", "--data", "d"], "--data"),
])
func `a wrong command line is answered with the flag that is wrong`(arguments: [String], expected: String) throws {
    let text = try #require(message(arguments))
    #expect(text.contains(expected), "\(text)")
}

@Test(
    arguments: [
        ("512M", 512 << 20), ("4GiB", 4 << 30), ("16gb", 16 << 30), ("1000", 1_000), ("2k", 2_048), ("", nil), ("M", nil),
        ("0", nil),
        ("5X", nil), ("99999999999T", nil), ("1.5G", nil),
    ] as [(String, Int?)])
func `sizes in bytes`(text: String, bytes: Int?) {
    #expect(ByteSize(argument: text)?.bytes == bytes)
}

@Test(arguments: [(4 << 30, "4G"), (1_536 << 20, "1536M"), (1_000, "1000"), (0, "0")])
func `sizes in bytes are printed as they are written`(bytes: Int, text: String) {
    #expect("\(ByteSize(bytes: bytes))" == text)
}

@Test(
    arguments: [
        ("a.csv", nil, "a.csv"), ("payments=a.csv", "payments", "a.csv"), ("payments=-", "payments", "-"),
        ("dir/k=v/a.csv", nil, "dir/k=v/a.csv"),
        ("./x=y.csv", nil, "./x=y.csv"), ("t=a=b.csv", "t", "a=b.csv"),
    ] as [(String, String?, String)])
func `an input names its table before the first equals sign`(text: String, table: String?, path: String) {
    let argument = InputArgument(argument: text)
    #expect(argument?.table == table)
    #expect(argument?.path == path)
}

@Test func `an input finds its table`() throws {
    func resolve(_ text: String, _ tables: [String]) throws -> Int { try InputArgument(argument: text)!.resolve(tables: tables) }
    #expect(try resolve("anything.csv", ["only"]) == 0)
    #expect(try resolve("dir/b.2024.csv", ["a", "b"]) == 1)
    #expect(try resolve("a=x.csv", ["a", "b"]) == 0)
    #expect(throws: InputError("--input c=x.csv: there is no table \"c\"; the tables are a, b")) {
        try resolve("c=x.csv", ["a", "b"])
    }
    #expect(throws: InputError("--input x.csv: for which table? Write --input TABLE=x.csv; the tables are a, b")) {
        try resolve("x.csv", ["a", "b"])
    }
}

@Test func `progress shows what was taken and how fast`() {
    #expect(
        Progress.line(rows: 754_000, fraction: 0.43, seconds: 0.5)
            == "[##########··············]  43 %  754,000 rows  1,508,000 rows/s")
    #expect(Progress.line(rows: 1_000, fraction: nil, seconds: 2) == "1,000 rows  500 rows/s")
    #expect(Progress.line(rows: 5, fraction: 1.2, seconds: 1).contains("100 %"))
}
