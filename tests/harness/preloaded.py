"""Everything that the gateway and the simulators import, also what they import late; no loop, thread or store."""

import simulators.__main__
from gateway.cli.app import app
from gateway.cli.run import run
from gateway.runtime import plugins

assert all((simulators.__main__, app, run, plugins.drivers(), plugins.sinks()))
