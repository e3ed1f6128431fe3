"""OPC UA: subscriptions that carry every change, readings of all nodes that pair counters with their context."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Literal, Self

from asyncua import ua
from asyncua.ua.uaerrors import UaError
from pydantic import Field, field_validator, model_validator

from gateway.domain.health import Health
from gateway.errors import TransientError
from gateway.ports import Clock, DriverPlugin, Intake
from gateway.settings.base import Duration, ExistingPath, UserSettings
from gateway.settings.device import DeviceSettings, SignalSettings
from gateway.signals.image import Image
from gateway.signals.sample import Sample, Scan
from gateway.transport.address import parse_address
from gateway.transport.device_link import DeviceLink
from gateway.transport.opcua import OpcUaConnection
from gateway.transport.opcua_security import Security

_log = logging.getLogger(__name__)
_GRACE = 4  # publishing intervals in which a change that a reading found has to be notified, too
_SHORTEST_GRACE = 1.0  # s


class OpcUaSignal(SignalSettings):
    """One node."""

    node: str = Field(description="ns=2;s=Filler.Good, or nsu=urn:maker:plc;s=Filler.Good")

    @field_validator("node")
    @classmethod
    def _is_a_node_id(cls, text: str) -> str:
        try:
            ua.NodeId.from_string(text)
        except (UaError, ValueError) as error:
            raise ValueError(f"{text!r} is no node id; write ns=2;s=Filler.Good or nsu=urn:maker:plc;i=42") from error
        return text


class OpcUaSettings(DeviceSettings):
    """An OPC UA server. Without encryption only when `security_policy: None` is written down."""

    kind: Literal["opcua"]
    endpoint: str = Field(description="opc.tcp://host:4840")
    security_policy: Literal["None", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"]
    security_mode: Literal["Sign", "SignAndEncrypt"] = "SignAndEncrypt"
    certificate: ExistingPath | None = Field(default=None, description="our own, PEM or DER")
    private_key: ExistingPath | None = Field(default=None, description="of our certificate, PEM or DER")
    trust: ExistingPath | None = Field(default=None, description="folder of the servers or authorities we believe")
    revoked: ExistingPath | None = Field(
        default=None,
        description="folder with a current revocation list of each authority above a server, and those in trust, too; "
        "an expired one believes nobody",
    )
    server_certificate: ExistingPath | None = Field(default=None, description="the one server we believe")
    user: UserSettings | None = None
    sampling_interval: Duration = Field(default=0.25, gt=0, description="how often the server looks at a node")
    queue_size: int = Field(default=20, ge=1, le=10_000, description="values the server keeps between two publishings")
    discard_oldest: Literal[True] = True
    timeout: Duration = Field(default=4.0, gt=0, description="for one answer; raise it for a slow PLC")
    signals: dict[str, OpcUaSignal] = Field(min_length=1)

    @field_validator("endpoint")
    @classmethod
    def _is_an_endpoint(cls, url: str) -> str:
        parse_address(url, {"opc.tcp": 4840})
        return url

    @model_validator(mode="after")
    def _is_secure(self) -> Self:
        if self.security_policy == "None":
            if self.user:
                raise ValueError("security_policy None would send the user's password in the clear; choose a policy")
            return self
        if not (self.certificate and self.private_key):
            raise ValueError(f"security_policy {self.security_policy} needs certificate and private_key")
        if not (self.trust or self.server_certificate):
            raise ValueError(
                f"security_policy {self.security_policy} needs trust or server_certificate: whom to believe"
            )
        if self.revoked and not self.trust:
            raise ValueError("revoked needs trust: the authorities whose lists they are")
        if self.user and self.security_mode != "SignAndEncrypt":
            raise ValueError("a password needs security_mode SignAndEncrypt")
        return self

    @property
    def unsafe(self) -> str:
        """What security_policy None leaves open."""
        return "" if self.security_policy != "None" else "security_policy None, nothing is encrypted or authenticated"

    def security(self) -> Security:
        """Return what the connection needs, the password read now; ConfigError when it can't be."""
        return Security(
            policy=self.security_policy,
            mode=self.security_mode,
            certificate=self.certificate,
            private_key=self.private_key,
            trust=self.trust,
            revoked=self.revoked,
            server_certificate=self.server_certificate,
            user=self.user.name if self.user else None,
            password=self.user.password.read() if self.user else None,
        )


class OpcUaDriver:
    """One OPC UA server."""

    def __init__(self, settings: OpcUaSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._link = DeviceLink(settings, _log)
        self._follower: _Follower | None = None

    @property
    def health(self) -> Health:
        """Return the current state."""
        return self._link.health

    async def run(self, intake: Intake) -> None:
        """Connect, read, follow, and begin again whenever that ends; until cancelled."""
        await self._link.keep_up(partial(self._attend, intake))

    async def _attend(self, intake: Intake) -> None:
        signals = self._settings.signals
        connection = OpcUaConnection(
            self._settings.endpoint,
            nodes={name: signal.node for name, signal in signals.items()},
            counters={name for name, signal in signals.items() if signal.counter},
            wait=self._settings.timeout,
        )
        try:
            await connection.open(self._settings.security(), lambda: self._clock.now().wall)
            self._follower = _Follower(self._settings, self._clock, intake, connection, self._link)
            await self._follower.begin()
            self._link.answered()
            while True:
                await self._follower.turn()
        finally:
            self._follower = None
            await connection.close()

    def read_again(self, signal: str) -> None:  # noqa: ARG002 - all are read, or counters lose their context
        """Read all nodes after the next sampling interval."""
        if self._follower:
            self._follower.read_again()

    def acknowledge(self, receipts: Sequence[object]) -> None:
        """Nothing to release: counters are cumulative."""

    def redeliver(self) -> None:
        """Nothing to ask for: the next value says it all."""


class _Follower:
    """Follows one connection: hands in what is notified, asks what is silent, and tells when it is no use."""

    def __init__(
        self,
        settings: OpcUaSettings,
        clock: Clock,
        intake: Intake,
        connection: OpcUaConnection,
        link: DeviceLink,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._intake = intake
        self._connection = connection
        self._link = link
        self._image = Image({name for name, signal in settings.signals.items() if signal.counter is None})
        self._refused: dict[str, str] = {}  # signals the server does not monitor, and why
        self._heard: dict[str, float] = {}  # signal → loop time of its last reading or notification
        self._missed: frozenset[str] = frozenset()  # found changed by a reading, not notified yet
        self._missed_until = 0.0
        self._read_due = float("inf")  # when somebody asked for a reading
        self._now = asyncio.get_running_loop().time

    async def begin(self) -> None:
        """Read every signal, then have every signal reported."""
        await self._read()
        await self._connection.subscribe(self._settings.sampling_interval)
        await self._monitor(self._settings.signals)
        self._judge()

    async def turn(self) -> None:
        """Wait for a notification or the next moment to ask, and do what follows."""
        samples = await self._connection.notified(wait=max(0.0, self._next_moment() - self._now()))
        if samples:
            self._take(samples)
        if self._now() >= self._read_due:
            await self._read()
        elif self._now() >= self._silent_at():
            await self._ask()
        if self._missed and self._now() >= self._missed_until:
            signals = ", ".join(sorted(self._missed))
            raise TransientError(f"{self._settings.endpoint}: the subscription is silent while {signals} changes")
        self._judge()

    def read_again(self) -> None:
        # Not at once: a value that was torn when the server sampled it would be the same again.
        self._read_due = min(self._read_due, self._now() + self._settings.sampling_interval)
        self._connection.wake()

    def _next_moment(self) -> float:
        moments = [self._silent_at(), self._read_due]
        return min([*moments, self._missed_until] if self._missed else moments)

    def _silent_at(self) -> float:
        return min(self._heard.values()) + self._settings.freshness

    def _take(self, samples: list[Sample]) -> None:
        signals = {sample.signal for sample in samples}
        self._heard.update(dict.fromkeys(signals, self._now()))
        self._missed -= signals
        burst = self._image.notified(samples)
        for scan in burst.scans:
            self._offer(scan)
        if burst.read_again:
            self._read_due = self._now()

    async def _ask(self) -> None:
        """Read because something is silent: idle machines answer the same, a dead subscription does not."""
        differing = await self._read()
        notifying = differing - self._refused.keys() - self._image.bad.keys()
        if notifying and not self._missed:
            grace = max(_SHORTEST_GRACE, _GRACE * self._settings.sampling_interval)
            self._missed_until = self._now() + grace
            self._missed = notifying
        await self._monitor(self._refused)

    async def _read(self) -> frozenset[str]:
        samples = await self._connection.read()
        self._read_due = float("inf")
        self._heard = dict.fromkeys((sample.signal for sample in samples), self._now())
        differing = self._image.read(samples)
        self._offer(samples)
        return differing

    async def _monitor(self, signals: Iterable[str]) -> None:
        settings = self._settings
        self._refused = await self._connection.monitor(signals, settings.sampling_interval, settings.queue_size)

    def _offer(self, samples: Sequence[Sample]) -> None:
        self._intake.offer(Scan(self._settings.device, self._clock.now(), tuple(samples)))

    def _judge(self) -> None:
        faults = {**self._refused, **self._image.bad}
        nodes = self._settings.signals
        self._link.judge([f"{name} ({nodes[name].node}): {why}" for name, why in faults.items()])


PLUGIN = DriverPlugin("opcua", OpcUaSettings, OpcUaDriver)
