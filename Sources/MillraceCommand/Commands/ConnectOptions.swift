import ArgumentParser
import Millrace

/// Which server a command talks to.
struct ConnectOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("The server: HOST:PORT or unix:PATH.", valueName: "address"),
        transform: { text in
            guard ServerAddress(text) != nil else {
                throw ValidationError("\"\(text)\" is no address; write HOST:PORT or unix:PATH")
            }
            return text
        })
    var connect: String = "127.0.0.1:7400"

    @Option(help: "What the server asks its clients for, if it asks for anything.")
    var token: String = ""

    /// - Parameter producer: Of commands that send batches.
    func client(named name: String, producer: ProducerIdentity = .none) async throws -> MillraceClient {
        try await MillraceClient.connect(to: connect, options: ClientOptions(token: token, name: name, producer: producer))
    }
}
