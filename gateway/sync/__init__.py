"""Hands the posting log to sinks, each with its own watermark."""
