/// Owned, aligned, pooled memory.
