"""Pure renderings of a posting."""
