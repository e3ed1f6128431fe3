"""Everything that the gateway and the simulators import, also what they import late; no loop, thread or store."""

from pathlib import Path

from asyncua.server.address_space import AddressSpace, NodeManagementService
from asyncua.server.internal_server import InternalServer
from asyncua.server.standard_address_space.standard_address_space import fill_address_space

import simulators.__main__
from gateway.cli.app import app
from gateway.cli.run import run
from gateway.runtime import plugins

assert all((simulators.__main__, app, run, plugins.drivers(), plugins.sinks()))

_standard = AddressSpace()  # of an OPC UA server: takes seconds to fill, and each process has a copy of its own
fill_address_space(NodeManagementService(_standard))


async def _take_standard_nodes(server: InternalServer, shelf_file: Path | None = None) -> None:
    del shelf_file
    server.aspace._nodes = _standard._nodes


InternalServer.load_standard_address_space = _take_standard_nodes
