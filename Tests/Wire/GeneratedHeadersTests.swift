import Testing

@Suite struct GeneratedHeadersTests {
    @Test(arguments: ["arrow", "protocol"])
    func `the committed header is what flatc makes of its schema`(name: String) throws {
        let directory = try TemporaryDirectory()
        let schema = "\(Python.projectRoot)/schemas/\(name).fbs"
        #expect(Python.spawn(["flatc", "--cpp", "-o", directory.path, schema]) == 0)
        let header = "\(name)_generated.h"
        #expect(
            try directory.read(header) == readFile("\(Python.projectRoot)/Sources/CFlatBuffers/generated/\(header)"),
            "run: flatc --cpp -o Sources/CFlatBuffers/generated schemas/\(name).fbs")
    }
}
