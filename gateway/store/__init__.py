"""SQLite: one writer, one transaction a batch, a posting log read by watermark, a hash chain over it."""
