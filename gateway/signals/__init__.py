"""Readings as they come from a device, and how to read values out of bytes and payloads."""
