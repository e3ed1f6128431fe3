"""What the configuration lets others read or forge: each an explicit exception, shown for as long as it stands."""

from gateway.settings.load import Config


def unsafe(config: Config) -> tuple[str, ...]:
    """Return a sentence each, of devices, sinks and the API; empty where everything is encrypted or stays here."""
    parts = {
        **{name: one.unsafe for name, one in config.devices.items()},
        **{f"sink {one.sink}": one.unsafe for one in config.gateway.sinks},
        "api": config.gateway.api.unsafe,
    }
    return tuple(f"{name}: {sentence}" for name, sentence in parts.items() if sentence)
