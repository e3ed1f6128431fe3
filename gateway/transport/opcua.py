"""One OPC UA connection, from connect to close: readings, notifications, and asyncua's errors translated.

Each connection is a new client. asyncua can restore an old one, but a restore that fails half-way leaves a
client that calls itself connected and says nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import ceil

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.subscription import DataChangeEvent, OverflowPolicy, StatusChangeEvent, Subscription
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import UaError

from gateway.errors import TransientError
from gateway.signals import decode
from gateway.signals.sample import Sample
from gateway.transport.opcua_security import Security, secure

_INBOX = 10_000  # notifications that may wait for one turn of the loop; with more the connection is given up
_SESSION = 60_000  # ms; a PLC has few sessions and subscriptions, and a killed gateway can't give its own back
_LIFETIME = 60.0  # s of a subscription that nobody asks for any more
_KEEPALIVE = 5.0  # s after which an idle subscription says that it is alive; asyncua recreates one that does not
_GOODBYE = 1.0  # s for closing in order
_REFUSALS = ("BadCertificate", "BadSecurityChecksFailed")
_NOT_TAKEN = "the server doesn't take our certificate (certificate): have it trusted there, or renew it"


class OpcUaConnection:
    """A client and its one subscription. `nodes`: signal → node id; `counters`: the signals that count."""

    def __init__(self, endpoint: str, nodes: Mapping[str, str], counters: Collection[str], wait: float) -> None:
        self._endpoint = endpoint
        self._wait = wait
        self._nodes = {name: ua.NodeId.from_string(node) for name, node in nodes.items()}
        self._counters = frozenset(counters)
        self._client = Client(endpoint, timeout=wait, watchdog_intervall=wait)
        self._client.session_timeout = _SESSION
        self._subscription: Subscription | None = None
        self._pump: asyncio.Task[None] | None = None
        self._signals = dict(enumerate(nodes, 1))  # client handle → signal
        self._handles = {name: handle for handle, name in self._signals.items()}
        self._inbox: list[Sample] = []
        self._lost: str | None = None
        self._wake = asyncio.Event()

    async def open(self, security: Security, now: Callable[[], datetime]) -> None:
        """Connect, and look up the namespaces; TransientError when the server can't be reached or believed.

        `now` is the gateway's clock, which the server's certificate is judged by.
        """
        async with self._translated():
            await secure(self._client, security, now)
            await self._client.connect()
            self._nodes = {name: await self._resolved(node) for name, node in self._nodes.items()}

    async def _resolved(self, node: ua.NodeId) -> ua.NodeId:
        uri = getattr(node, "NamespaceUri", None)
        if uri is None:
            return node
        return ua.NodeId(node.Identifier, ua.Int16(await self._client.get_namespace_index(uri)))

    async def read(self) -> tuple[Sample, ...]:
        """Return all nodes by one request, an unreadable one with its status."""
        request = ua.ReadParameters()
        request.MaxAge = 0.0
        request.TimestampsToReturn = ua.TimestampsToReturn.Source
        request.NodesToRead = [
            ua.ReadValueId(NodeId=node, AttributeId=AttributeIds.Value) for node in self._nodes.values()
        ]
        async with self._translated():
            values = await self._client.uaclient.session.read(request)
        return tuple(self._sample(name, value) for name, value in zip(self._nodes, values, strict=True))

    async def subscribe(self, interval: float) -> None:
        """Open the subscription; it publishes every `interval` seconds what changed."""
        parameters = ua.CreateSubscriptionParameters()
        parameters.RequestedPublishingInterval = interval * 1000
        parameters.RequestedMaxKeepAliveCount = max(1, ceil(_KEEPALIVE / interval))
        parameters.RequestedLifetimeCount = max(3, ceil(_LIFETIME / interval))
        parameters.PublishingEnabled = True
        async with self._translated():
            self._subscription = await self._client.create_subscription(
                parameters, queue_maxsize=_INBOX, overflow=OverflowPolicy.DISCONNECT
            )
        self._pump = asyncio.create_task(self._collect(self._subscription))

    async def monitor(self, signals: Iterable[str], interval: float, queue_size: int) -> dict[str, str]:
        """Have these signals reported; return those the server refuses, and why."""
        wanted = list(signals)
        if self._subscription is None or not wanted:
            return {}
        requests = [self._item(name, interval, queue_size) for name in wanted]
        async with self._translated():
            results = await self._subscription.create_monitored_items(requests)
        return {
            name: result.name for name, result in zip(wanted, results, strict=True) if isinstance(result, ua.StatusCode)
        }

    def _item(self, name: str, interval: float, queue_size: int) -> ua.MonitoredItemCreateRequest:
        parameters = ua.MonitoringParameters()
        parameters.ClientHandle = self._handles[name]
        parameters.SamplingInterval = interval * 1000
        parameters.QueueSize = queue_size
        parameters.DiscardOldest = True
        request = ua.MonitoredItemCreateRequest()
        request.ItemToMonitor = ua.ReadValueId(NodeId=self._nodes[name], AttributeId=AttributeIds.Value)
        request.MonitoringMode = ua.MonitoringMode.Reporting
        request.RequestedParameters = parameters
        return request

    async def _collect(self, subscription: Subscription) -> None:
        try:
            async for event in subscription:
                if isinstance(event, DataChangeEvent):
                    name = self._signals[event.data.monitored_item.ClientHandle]
                    self._inbox.append(self._sample(name, event.data.monitored_item.Value))
                elif isinstance(event, StatusChangeEvent):
                    self._lost = f"the subscription ended: {event.notification.Status.name}"
                self._wake.set()
        finally:  # however it ends, nobody waits for a notification that can't come
            self._lost = self._lost or "the subscription ended"
            self._wake.set()

    def _sample(self, name: str, value: ua.DataValue) -> Sample:
        status = decode.GOOD if value.StatusCode is None or value.StatusCode.is_good() else value.StatusCode.name
        variant = value.Value
        raw = None if variant is None else variant.Value
        if isinstance(raw, float) and variant is not None and variant.VariantType is ua.VariantType.Float:
            raw = decode.exact_float(raw, "float32")
        time = value.SourceTimestamp
        if time is not None and time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        return decode.sample(name, raw, counts=name in self._counters, status=status, source_time=time)

    async def notified(self, wait: float) -> list[Sample]:
        """Return what was reported, in order; empty after `wait` seconds, or after `wake`.

        TransientError when the connection is lost.
        """
        try:
            async with asyncio.timeout(wait):
                await self._wake.wait()
        except TimeoutError:
            return []
        self._wake.clear()
        if self._lost is not None:
            raise TransientError(f"{self._endpoint}: {self._lost}")
        samples, self._inbox = self._inbox, []
        return samples

    def wake(self) -> None:
        """End the present `notified`."""
        self._wake.set()

    async def close(self) -> None:
        """End session and socket, also when called by a cancelled task."""
        closing = asyncio.ensure_future(self._close())
        try:
            await asyncio.shield(closing)
        finally:
            await closing

    async def _close(self) -> None:
        if self._pump:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        try:
            async with asyncio.timeout(_GOODBYE):
                await self._client.disconnect()
        except TimeoutError:  # it does not even answer that: hang up, then let the client end its own tasks
            self._client.disconnect_socket()
            await self._client.disconnect()

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except (UaError, OSError, ValueError) as error:  # a time-out is an OSError
            reason = str(error) or f"no answer within {self._wait:g} s"
            # Our own doubts are no UaError, so this is what the server says of our certificate.
            hint = _NOT_TAKEN if type(error).__name__.startswith(_REFUSALS) else ""
            raise TransientError(f"{self._endpoint}: {reason}", hint) from error
