/// The client library.
