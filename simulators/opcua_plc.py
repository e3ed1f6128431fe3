"""FILLER-1: a PLC on OPC UA with 16-bit good and reject counters, a boot id and the order."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any, cast

from asyncua import ua
from asyncua.common.callback import CallbackType
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.binary_server_asyncio import BinaryServer
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from asyncua.ua.status_codes import StatusCodes

from simulators.counters import Counted, Counters
from simulators.display import Display
from simulators.ledger import Ledger
from simulators.link import LOOPBACK, Link
from simulators.machine import Output

MODULUS = 1 << 16
ORDER = "100045"
NAMESPACE = "urn:backflush:simulator"
NODES = {
    # Boot first: a client must never see the new counters under the old boot id
    "boot": ("Filler.Boot", ua.VariantType.UInt32),
    "good": ("Filler.Good", ua.VariantType.UInt16),
    "reject": ("Filler.Reject", ua.VariantType.UInt16),
    "order": ("Filler.Order", ua.VariantType.String),
}


@dataclass(frozen=True, slots=True)
class FillerSettings:
    """How the filler starts. A certificate leaves only Basic256Sha256 SignAndEncrypt with the user."""

    port: int = 0
    good: int = 0  # initial counters, to come near a rollover
    reject: int = 0
    certificate: Path | None = None  # PEM or DER
    private_key: Path | None = None
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class OneUser(UserManager):
    """Admits a single user by password."""

    name: str
    password: str

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """Return the user, or None to refuse (called by asyncua)."""
        del iserver, certificate  # a password is all it takes
        if (username, password) != (self.name, self.password):
            return None
        return User(role=UserRole.User, name=username)


class FillerPlc:
    """Counts good and rejected bottles; writes a node only when its value changed."""

    device = "FILLER-1"

    def __init__(self, ledger: Ledger, settings: FillerSettings) -> None:
        self._settings = settings
        counted = tuple(Counted(signal, modulus=MODULUS) for signal in ("good", "reject"))
        initial = {"good": settings.good, "reject": settings.reject}
        self._counters = Counters(ledger, self.device, counted, initial=initial)
        self._read: set[str] = set()
        self._bad: set[str] = set()
        self._display = Display(self._counters)
        self._ahead = timedelta(0)  # of the PLC's clock
        self._writing = asyncio.Lock()
        self.link = Link(settings.port)

    @property
    def endpoint(self) -> str:
        """Where clients connect."""
        return f"opc.tcp://{LOOPBACK}:{self.link.port}/"

    @property
    def has_been_read(self) -> bool:
        """Whether a client has read Filler.Good or subscribed to it."""
        return "good" in self._read

    @property
    def all_read(self) -> bool:
        """Whether a client knows both counters."""
        return {"good", "reject"} <= self._read

    async def start(self) -> None:
        """Build the address space and listen."""
        self._server = await self._make_server()
        await self._server.init()
        self._server.set_endpoint(self.endpoint)
        self._server.socket_address = (LOOPBACK, 0)  # the link has the public port
        namespace = await self._server.register_namespace(NAMESPACE)
        await self._add_nodes(namespace)
        for event in (CallbackType.PostRead, CallbackType.ItemSubscriptionCreated):
            self._server.subscribe_server_callback(event, self._note_read)
        await self._server.start()
        await self.link.open((LOOPBACK, cast("BinaryServer", self._server.bserver).port))

    async def stop(self) -> None:
        """Stop listening."""
        await self.link.close()
        await self._server.stop()

    async def produce(self, output: Output) -> None:
        """Count what the machine made."""
        async with self._writing:
            for signal, made in (("good", output.good), ("reject", output.rejected)):
                if made:
                    self._counters.add(signal, made)
                    await self._write(signal)

    async def reset(self, *, retentive: bool = False) -> None:
        """Power cycle: boot + 1, the counters to 0 unless retentive."""
        async with self._writing:
            self._counters.restart(retentive=retentive)
            await self._write_all()

    async def preset(self, value: int, signal: str = "good") -> None:
        """Set a counter, as a technician does."""
        async with self._writing:
            self._counters.preset(signal, value)
            await self._write(signal)

    async def swap(self, value: int) -> None:
        """Put another PLC in its place."""
        async with self._writing:
            self._counters.swap(value)
            await self._write_all()

    async def bad_quality(self, seconds: float, signal: str = "good") -> None:
        """Report status Bad on a node for `seconds`; the machine goes on counting."""
        self._bad.add(signal)
        await self._write(signal)
        await asyncio.sleep(seconds)
        self._bad.discard(signal)
        await self._write(signal)

    async def stuck(self, seconds: float, signal: str = "good") -> None:
        """Show the same value for `seconds`; the machine goes on counting."""
        await self._display.show(seconds, signal)
        await self._write(signal)

    async def lie(self, value: int, seconds: float, signal: str = "good") -> None:
        """Show a value that was never counted for `seconds`; the machine goes on counting."""
        showing = asyncio.ensure_future(self._display.show(seconds, signal, value))
        await asyncio.sleep(0)
        await self._write(signal)
        await showing
        await self._write(signal)

    async def skew(self, seconds: float) -> None:
        """Set the PLC's clock ahead (or back) by so many seconds from the true time."""
        self._ahead = timedelta(seconds=seconds)
        await self._write_all()

    async def _make_server(self) -> Server:
        settings = self._settings
        if settings.certificate is None or settings.private_key is None:
            server = Server()
            server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
            return server
        server = Server(user_manager=OneUser(settings.user, settings.password))
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
        server.set_identity_tokens([ua.UserNameIdentityToken])
        await server.load_certificate(settings.certificate.read_bytes(), _encoding(settings.certificate))
        await server.load_private_key(settings.private_key.read_bytes(), format=_encoding(settings.private_key))
        return server

    async def _add_nodes(self, namespace: int) -> None:
        filler = await self._server.nodes.objects.add_object(
            ua.NodeId.from_string(f"ns={namespace};s=Filler"), "Filler"
        )
        self._nodes = {}
        for signal, (name, kind) in NODES.items():
            node_id = ua.NodeId.from_string(f"ns={namespace};s={name}")
            await filler.add_variable(node_id, name, self._value(signal), kind)
            self._nodes[signal] = node_id
        await self._write_all()

    async def _write_all(self) -> None:
        for signal in NODES:
            await self._write(signal)

    async def _write(self, signal: str) -> None:
        variant = ua.Variant(self._value(signal), NODES[signal][1])
        status = StatusCodes.BadSensorFailure if signal in self._bad else StatusCodes.Good
        value = ua.DataValue(
            variant, ua.StatusCode(ua.UInt32(status)), SourceTimestamp=ua.DateTime.now(UTC) + self._ahead
        )
        await self._server.write_attribute_value(self._nodes[signal], value)

    def _value(self, signal: str) -> int | str:
        if signal == "order":
            return ORDER
        return self._counters.boot if signal == "boot" else self._display.value(signal)

    def _note_read(self, event: Any, _service: Any) -> None:
        if not event.is_external:
            return
        asked = event.request_params
        items = getattr(asked, "NodesToRead", None) or [
            item.ItemToMonitor for item in getattr(asked, "ItemsToCreate", ())
        ]
        named = {node_id: signal for signal, node_id in self._nodes.items()}
        self._read |= {named[item.NodeId] for item in items if item.NodeId in named}


def _encoding(path: Path) -> str:
    # asyncua guesses by the file's suffix and takes a PEM named .key for DER
    return "PEM" if path.read_bytes().startswith(b"-----BEGIN") else "DER"
