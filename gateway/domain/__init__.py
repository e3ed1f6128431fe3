"""The shop floor's nouns as frozen dataclasses, and exact numbers. No I/O, no clock."""
