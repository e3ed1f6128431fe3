"""Bootstrap, supervision, clocks, systemd, logs and metrics."""
