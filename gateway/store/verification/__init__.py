"""The questions `verify` asks, by what they are about."""
