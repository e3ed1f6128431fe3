"""Real protocol servers, each showing a counter `good` beside a boot id, that a test can start, stop and break."""

import asyncio
import json
import os
import shutil
import socket
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import paho.mqtt.publish
import pytest
from asyncua import Server, ua
from asyncua.server.user_managers import UserManager
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

COUNTER = {"counts": "good", "modulus": 65536, "max_rate": "20/s", "epoch": "boot"}


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class OpcUaBench:
    """An asyncua server; `broken` gives the counter a bad status."""

    kind = "opcua"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.good, self.boot = 100, 1
        self.server: Server | None = None
        self.user_manager: UserManager | None = None
        self.certificate: tuple[Path, Path] | None = None
        self.application_uri = "urn:test:server"

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return {
            "kind": "opcua",
            "endpoint": f"opc.tcp://127.0.0.1:{port or self.port}/",
            "security_policy": "None",
            "sampling_interval": "50ms",
            "signals": {
                "good": {"node": "ns=2;s=Good", "counter": COUNTER},
                "boot": {"node": "nsu=urn:test:plc;s=Boot"},
            },
        }

    async def start(self) -> None:
        self.server = Server(user_manager=self.user_manager)
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/")
        if self.certificate:
            await self.server.set_application_uri(self.application_uri)
            await self.server.load_certificate(str(self.certificate[0]))
            await self.server.load_private_key(str(self.certificate[1]))
            self.server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        index = await self.server.register_namespace("urn:test:plc")
        objects = self.server.nodes.objects
        self._good = await objects.add_variable(ua.NodeId("Good", index), "Good", self.good, ua.VariantType.UInt16)
        self._boot = await objects.add_variable(ua.NodeId("Boot", index), "Boot", self.boot, ua.VariantType.UInt32)
        await self.server.start()

    async def stop(self) -> None:
        if self.server:
            await self.server.stop()
            self.server = None

    async def show(self, *, good: int | None = None, boot: int | None = None) -> None:
        if boot is not None:
            self.boot = boot
            await self.write(self._boot, boot, ua.VariantType.UInt32)
        if good is not None:
            self.good = good
            await self.write(self._good, good, ua.VariantType.UInt16)

    async def write(self, node: Any, value: Any, kind: ua.VariantType, status: int = 0) -> None:
        variant = ua.Variant(value, kind)
        await node.write_value(ua.DataValue(variant, ua.StatusCode(status), SourceTimestamp=datetime.now(UTC)))

    async def break_good(self) -> None:
        await self.write(self._good, 0, ua.VariantType.UInt16, ua.StatusCodes.BadSensorFailure)

    async def mend_good(self) -> None:
        await self.show(good=self.good)


class ModbusBench:
    """A pymodbus server: the counter in registers 0-1 (low word first), the boot id in register 2."""

    kind = "modbus"
    tls: ClassVar[dict[str, Any]] = {}

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.good, self.boot = 100, 1
        self.broken = False
        self.requests: list[tuple[int, int]] = []
        self.server: ModbusTcpServer | None = None

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return {
            "kind": "modbus",
            "controller": f"tcp://127.0.0.1:{port or self.port}",
            "poll_interval": "50ms",
            "signals": {
                "good": {
                    "register": "holding",
                    "address": 0,
                    "type": "uint32",
                    "byte_order": "CDAB",
                    "counter": COUNTER,
                },
                "boot": {"register": "holding", "address": 2},
            },
        }

    async def start(self) -> None:
        data = [SimData(0, values=[0, 0, 0], datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=data, action=self._answer)
        address = ("127.0.0.1", self.port)
        if self.tls:
            self.server = ModbusTlsServer(device, address=address, **self.tls)
        else:
            self.server = ModbusTcpServer(device, address=address)
        await self.server.serve_forever(background=True)

    async def _answer(self, _function: int, start: int, address: int, count: int, registers: list[int], _new: Any):
        self.requests.append((address, count))
        high, low = struct.unpack(">HH", struct.pack(">I", self.good))
        registers[:3] = [low, high, self.boot]
        return 4 if self.broken else None

    async def stop(self) -> None:
        if self.server:
            await self.server.shutdown()
            self.server = None

    async def show(self, *, good: int | None = None, boot: int | None = None) -> None:
        self.good = self.good if good is None else good
        self.boot = self.boot if boot is None else boot

    async def break_good(self) -> None:
        self.broken = True

    async def mend_good(self) -> None:
        self.broken = False


class MqttBench:
    """Mosquitto with persistence; the counter and the boot id are one retained message."""

    kind = "mqtt"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self.good, self.boot = 100, 1
        self.options: list[str] = ["allow_anonymous true"]
        self.publishing: dict[str, Any] = {}
        self.process: asyncio.subprocess.Process | None = None

    def settings(self, port: int | None = None) -> dict[str, Any]:
        return {
            "kind": "mqtt",
            "broker": f"mqtt://127.0.0.1:{port or self.port}",
            "keepalive": "1s",
            "signals": {
                "good": {"topic": "filler/state", "value": "$.good", "counter": COUNTER},
                "boot": {"topic": "filler/state", "value": "$.boot"},
                "case_sealed": {
                    "topic": "packer/case",
                    "event": {"id": "$.id", "sequence": "$.seq", "quantity": "$.units"},
                },
            },
        }

    async def start(self) -> None:
        await self.start_broker()
        await self.show()

    async def start_broker(self) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not Path(program).exists():
            (pytest.fail if os.environ.get("CI") else pytest.skip)("mosquitto is not installed")
        config = self.folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence true", f"persistence_location {self.folder}/"]
        lines += ["autosave_on_changes true", "autosave_interval 1", "max_queued_messages 0", "user root"]
        config.write_text("\n".join([*lines, *self.options, ""]))
        self.process = await asyncio.create_subprocess_exec(
            program, "-c", str(config), "-v", stderr=asyncio.subprocess.PIPE
        )
        assert self.process.stderr
        while b"running" not in (line := await self.process.stderr.readline()):
            assert line, "mosquitto did not start"
        self._drain = asyncio.create_task(self.process.stderr.read())

    async def stop(self) -> None:
        if self.process:
            self.process.terminate()
            await self.process.wait()
            await self._drain
            self.process = None

    async def show(self, *, good: int | None = None, boot: int | None = None) -> None:
        self.good = self.good if good is None else good
        self.boot = self.boot if boot is None else boot
        await self.publish("filler/state", {"good": self.good, "boot": self.boot}, retain=True)

    async def publish(self, topic: str, document: object, *, retain: bool = False) -> None:
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        await asyncio.to_thread(
            paho.mqtt.publish.single,
            topic,
            content,
            qos=1,
            retain=retain,
            hostname="127.0.0.1",
            port=self.port,
            **self.publishing,
        )

    async def break_good(self) -> None:
        await self.publish("filler/state", b'{"good": NaN, "boot": 1}')

    async def mend_good(self) -> None:
        await self.show()


BENCHES = {bench.kind: bench for bench in (OpcUaBench, ModbusBench, MqttBench)}


class Proxy:
    """Passes on to `upstream`, counts connections and what clients send, and can fall silent or hang up."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.sent = 0
        self.silent = False
        self.changed = asyncio.Event()

    async def __aenter__(self) -> "Proxy":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        self.changed.set()
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:
            writer.close()
            return
        self._writers.append(requests)
        for source, target, asks in ((reader, requests, True), (answers, writer, False)):
            task = asyncio.create_task(self._pass(source, target, asks=asks))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, *, asks: bool) -> None:
        try:
            while data := await source.read(65536):
                self.sent += asks
                self.changed.set()
                if not self.silent:
                    target.write(data)
        except OSError:
            pass
        target.close()
