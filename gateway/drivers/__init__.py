"""One file a protocol, each owning its settings model; a module's PLUGIN makes it known."""
