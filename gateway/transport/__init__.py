"""What drivers and sinks speak through: connections and what keeps them up, TLS and back-off."""
