"""Edge gateway for backflush. The folders follow the data: drivers → signals → … → store → sync."""

__version__ = "0.1.0"
