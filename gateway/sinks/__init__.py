"""One file a destination, each owning its settings model; a module's PLUGIN makes it known."""
