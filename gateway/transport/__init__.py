"""What drivers and sinks share: TLS and back-off."""
