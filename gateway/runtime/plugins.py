"""Finds the drivers and sinks: every module of those folders that declares a PLUGIN."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import gateway.drivers
import gateway.sinks
from gateway.ports import DriverPlugin, SinkPlugin


def drivers() -> dict[str, DriverPlugin[Any]]:
    """Return the protocols this installation speaks, by kind."""
    found = (import_module(f"gateway.drivers.{one.name}") for one in iter_modules(gateway.drivers.__path__))
    plugins = [module.PLUGIN for module in found if hasattr(module, "PLUGIN")]
    return {plugin.kind: plugin for plugin in plugins}


def sinks() -> dict[str, SinkPlugin[Any]]:
    """Return the destinations this installation delivers to, by kind."""
    found = (import_module(f"gateway.sinks.{one.name}") for one in iter_modules(gateway.sinks.__path__))
    plugins = [module.PLUGIN for module in found if hasattr(module, "PLUGIN")]
    return {plugin.kind: plugin for plugin in plugins}
