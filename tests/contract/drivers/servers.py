"""Real protocol servers, each showing a counter `good` beside a boot id, that a test can start, stop and break."""

import asyncio
import json
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import paho.mqtt.publish
from asyncua import Server, ua
from asyncua.crypto.validator import CertificateValidator
from asyncua.server.internal_server import InternalServer
from asyncua.server.user_managers import UserManager
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer, ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.harness.ports import free_port
from tests.harness.required import required

COUNTER = {"counts": "good", "modulus": 65536, "max_rate": "20/s", "epoch": "boot"}


class QuickServer(InternalServer):
    """The standard nodes take seconds to build; here each process builds them once."""

    _standard: ClassVar[dict[Any, Any]] = {}

    async def load_standard_address_space(self, shelf_file: Path | None = None) -> None:
        if not self._standard:
            await super().load_standard_address_space(shelf_file)
            self._standard.update(self.aspace._nodes)
        self.aspace._nodes = dict(self._standard)

    async def _set_current_time_loop(self) -> None:
        """Keep no clock, so that nothing has to wait for its last tick."""


class OpcUaBench:
    """An asyncua server; `broken` gives the counter a bad status."""

    kind = "opcua"
    impatient: ClassVar = {"freshness": "200ms", "timeout": "300ms"}

    def __init__(self, _folder: Path) -> None:
        self.port = free_port()
        self.good, self.boot = 100, 1
        self.server: Server | None = None
        self.user_manager: UserManager | None = None
        self.certificate: tuple[Path, Path] | None = None
        self.application_uri = "urn:test:server"
        self.policies = [ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
        self.believes: CertificateValidator | None = None  # which clients

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
        self.server = Server(QuickServer(user_manager=self.user_manager))
        await self.server.init()
        self.server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/")
        if self.certificate:
            await self.server.set_application_uri(self.application_uri)
            await self.server.load_certificate(str(self.certificate[0]))
            await self.server.load_private_key(str(self.certificate[1]), format="pem")
            self.server.set_security_policy(self.policies)
            self.server.iserver.certificate_validator = self.believes
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
    impatient: ClassVar = {"freshness": "200ms", "timeout": "300ms"}

    def __init__(self, _folder: Path) -> None:
        self.tls: dict[str, Any] = {}
        self.port = free_port()
        self.good, self.boot = 100, 1
        self.exception = 0
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

    async def _answer(self, _function: int, _start: int, address: int, count: int, registers: list[int], _new: Any):
        self.requests.append((address, count))
        high, low = struct.unpack(">HH", struct.pack(">I", self.good))
        registers[:3] = [low, high, self.boot]
        return ExcCodes(self.exception) if self.exception else None

    async def stop(self) -> None:
        if self.server:
            await self.server.shutdown()
            self.server = None

    async def show(self, *, good: int | None = None, boot: int | None = None) -> None:
        self.good = self.good if good is None else good
        self.boot = self.boot if boot is None else boot

    async def break_good(self) -> None:
        self.exception = 4

    async def mend_good(self) -> None:
        self.exception = 0


class MqttBench:
    """Mosquitto with persistence; the counter and the boot id are one retained message."""

    kind = "mqtt"
    impatient: ClassVar = {"keepalive": "3s", "timeout": "300ms"}

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
        program = required("mosquitto")
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

    async def publish_all(self, documents: list[tuple[str, object]]) -> None:
        """Publish many over one connection, each acknowledged by the broker."""
        messages = [(topic, json.dumps(document), 1, False) for topic, document in documents]
        await asyncio.to_thread(
            paho.mqtt.publish.multiple, messages, hostname="127.0.0.1", port=self.port, **self.publishing
        )

    async def break_good(self) -> None:
        await self.publish("filler/state", b'{"good": NaN, "boot": 1}')

    async def mend_good(self) -> None:
        await self.show()


BENCHES = {bench.kind: bench for bench in (OpcUaBench, ModbusBench, MqttBench)}
