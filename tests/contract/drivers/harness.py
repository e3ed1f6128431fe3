"""A running driver's surroundings: an intake that remembers, a clock, and a certificate authority."""

import asyncio
import ipaddress
import logging
import pkgutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import gateway.drivers
from gateway.domain.clock import ClockTrust, Instant
from gateway.ports import Driver, DriverPlugin, Link
from gateway.signals.sample import Scan

PLUGINS: dict[str, DriverPlugin] = {
    plugin.kind: plugin
    for module in pkgutil.iter_modules(gateway.drivers.__path__)
    for plugin in [import_module(f"gateway.drivers.{module.name}").PLUGIN]
}


class Ticks:
    def now(self) -> Instant:
        return Instant(datetime.now(UTC), 0, "boot")

    def trust(self) -> ClockTrust:
        return ClockTrust("assume", 0)


class Desk(logging.Handler):
    """The intake of a driver, and the ear for its log: whoever awaits a condition looks again after each."""

    def __init__(self) -> None:
        super().__init__()
        self.scans: list[Scan] = []
        self.changed = asyncio.Event()
        self.room = asyncio.Event()
        self.room.set()

    def offer(self, scan: Scan) -> None:
        self.scans.append(scan)
        self.changed.set()

    async def put(self, scan: Scan) -> None:
        await self.room.wait()
        self.offer(scan)

    def emit(self, _record: logging.LogRecord) -> None:
        self.changed.set()

    async def until(self, condition: Callable[[], bool], *more: asyncio.Event) -> None:
        async with asyncio.timeout(30):
            while not condition():
                events = (self.changed, *more)
                waits = [asyncio.create_task(event.wait()) for event in events]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait, event in zip(waits, events, strict=True):
                    wait.cancel()
                    event.clear()
                await asyncio.gather(*waits, return_exceptions=True)

    def values(self, signal: str) -> list[object]:
        return [sample.value for scan in self.scans for sample in scan.samples if sample.signal == signal]

    def statuses(self, signal: str) -> list[str]:
        return [sample.status for scan in self.scans for sample in scan.samples if sample.signal == signal]

    async def shows(self, signal: str, value: object) -> None:
        await self.until(lambda: self.values(signal)[-1:] == [value])

    async def linked(self, driver: Driver, link: Link) -> None:
        await self.until(lambda: driver.health.link is link)


def make_driver(settings: dict, **more) -> Driver:
    plugin = PLUGINS[settings["kind"]]
    document = {"device": "FILLER-1", "line": "L1", "retry_after": "50ms", "retry_at_most": "200ms", **settings, **more}
    return plugin.create(plugin.settings.model_validate(document), Ticks())


class Authority:
    """A certificate authority that issues what a test asks for, right or wrong."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = rsa.generate_private_key(65537, 2048)
        self.certificate = folder / f"{name}.pem"
        made = (
            self._builder(self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: rsa.RSAPublicKey, days: int = 1) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now - timedelta(days=3))
            .not_valid_after(now + timedelta(days=days))
        )

    def issue(self, name: str, *, host: str = "127.0.0.1", uri: str = "urn:test:server", days: int = 1):
        """Return the files of a certificate (.pem) and its key (named .key, but PEM)."""
        key = rsa.generate_private_key(65537, 2048)
        names = [x509.UniformResourceIdentifier(uri), x509.IPAddress(ipaddress.ip_address(host))]
        usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            self._builder(subject, key.public_key(), days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate, private = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, private


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=not signs,
        key_encipherment=not signs,
        data_encipherment=not signs,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )
