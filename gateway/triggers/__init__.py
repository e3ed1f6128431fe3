"""Versioned rules: from an event to a trigger attributed to device, order and operation."""
