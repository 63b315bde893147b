import ArgumentParser

@main struct MillraceCommand: ParsableCommand {}
