/// Frames, protocol tables and Arrow batches.
