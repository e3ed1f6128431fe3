"""Whom the OPC UA driver believes: every way to be wrong, against a real server that would take a password."""

from collections.abc import Callable
from pathlib import Path

import pytest
from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.truststore import TrustStore
from asyncua.crypto.validator import CertificateValidator, CertificateValidatorOptions
from asyncua.server.user_managers import UserManager

from gateway.domain.health import Link
from tests.contract.drivers.servers import ModbusBench, OpcUaBench
from tests.harness.certificates import CLIENT_ONLY, Authority

POLICIES = ("Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss")
PASSWORD = "correct horse"


class Doorman(UserManager):
    """Notes every password that anybody tells the server."""

    def __init__(self) -> None:
        self.told: list[str | None] = []

    def get_user(self, _server, username=None, password=None, certificate=None):  # noqa: ARG002 - asyncua's signature
        self.told.append(password)
        return User(role=UserRole.User) if password == PASSWORD else None


class Plant:
    """A server with `certificate`, and a gateway that trusts `authority` and its intermediate, and has their lists."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder, self.authority = folder, authority
        self.intermediate = authority.intermediate("line-ca")
        self.trust, self.revoked = folder / "trust", folder / "revoked"
        for one in (self.trust, self.revoked):
            one.mkdir()
        for one in (self.authority, self.intermediate):
            (self.trust / one.certificate.name).write_bytes(one.certificate.read_bytes())
        self.publish()
        (folder / "password").write_text(PASSWORD)
        self.doorman = Doorman()
        self.bench = OpcUaBench(folder)
        self.bench.policies = [ua.SecurityPolicyType[f"{name}_SignAndEncrypt"] for name in _OF_ASYNCUA.values()]
        self.bench.user_manager = self.doorman
        self.bench.certificate = self.intermediate.issue("server")

    def publish(self, root: bytes | None = None, line: bytes | None = None) -> None:
        """Put the revocation lists where the gateway reads them."""
        (self.revoked / "root.pem").write_bytes(self.authority.revocations() if root is None else root)
        (self.revoked / "line.pem").write_bytes(self.intermediate.revocations() if line is None else line)

    def settings(self, **more) -> dict:
        ours = self.authority.issue("gateway", uri="urn:test:gateway")
        return {
            **self.bench.settings(),
            "security_policy": "Basic256Sha256",
            "certificate": str(ours.certificate),
            "private_key": str(ours.key),
            "trust": str(self.trust),
            "revoked": str(self.revoked),
            "user": {"name": "backflush", "password": {"file": str(self.folder / "password")}},
            **more,
        }


_OF_ASYNCUA = {
    "Basic256Sha256": "Basic256Sha256",
    "Aes128_Sha256_RsaOaep": "Aes128Sha256RsaOaep",
    "Aes256_Sha256_RsaPss": "Aes256Sha256RsaPss",
}


@pytest.fixture
async def plant(tmp_path, authority):
    plant = Plant(tmp_path, authority)
    yield plant
    await plant.bench.stop()


@pytest.mark.parametrize("policy", POLICIES)
async def test_the_right_server_counts_by_every_policy(plant, desk, running, policy):
    await plant.bench.start()
    async with running(plant.settings(security_policy=policy)) as driver:
        await desk.linked(driver, Link.CONNECTED)
        await plant.bench.show(good=142)
        await desk.shows("good", 142)

    assert plant.doorman.told == [PASSWORD]


@pytest.mark.parametrize("policy", POLICIES)
async def test_another_authoritys_server_is_refused_by_every_policy(plant, desk, running, stranger, policy):
    plant.bench.certificate = stranger.issue("server")
    await plant.bench.start()
    async with running(plant.settings(security_policy=policy)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

    assert not plant.doorman.told
    assert f"put it, or its authority's certificate, into {plant.trust}" in driver.health.detail


def _issue(**wrong) -> Callable[[Plant], None]:
    def make(plant: Plant) -> None:
        plant.bench.certificate = plant.intermediate.issue("server", **wrong)

    return make


def _revoked(plant: Plant) -> None:
    plant.publish(line=plant.intermediate.revocations(plant.bench.certificate))


def _revoked_intermediate(plant: Plant) -> None:
    plant.publish(root=plant.authority.revocations(plant.intermediate))


def _expired_list(plant: Plant) -> None:
    plant.publish(line=plant.intermediate.revocations(days=-1))


def _no_list(plant: Plant) -> None:
    (plant.revoked / "line.pem").unlink()


def _strangers_list(plant: Plant) -> None:
    plant.publish(line=Authority(plant.folder, "line-ca").revocations())


def _signed_by_a_server(plant: Plant) -> None:
    impostor = Authority(plant.folder, "impostor")
    impostor._key, impostor._name = _key_and_name(plant.bench.certificate)
    (plant.trust / "server.pem").write_bytes(plant.bench.certificate.certificate.read_bytes())
    plant.bench.certificate = impostor.issue("impostor-server")


def _key_and_name(issued):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    subject = x509.load_pem_x509_certificate(issued.certificate.read_bytes()).subject
    return load_pem_private_key(issued.key.read_bytes(), None), subject


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(_issue(days=-1), "BadCertificateTimeInvalid: expired", id="expired"),
        pytest.param(_issue(starts=1, days=2), "BadCertificateTimeInvalid: not valid before", id="not yet valid"),
        pytest.param(
            _issue(host="127.0.0.9"), "BadCertificateHostNameInvalid: its certificate is for 127.0.0.9", id="host"
        ),
        pytest.param(_issue(uri="urn:test:another"), "BadCertificateUriInvalid", id="application"),
        pytest.param(_issue(usages=CLIENT_ONLY), "BadCertificateUseNotAllowed", id="usage"),
        pytest.param(_revoked, "BadCertificateRevoked: CN=server was revoked", id="revoked"),
        pytest.param(_revoked_intermediate, "BadCertificateIssuerRevoked: CN=line-ca", id="revoked intermediate"),
        pytest.param(
            _expired_list, "BadCertificateRevocationUnknown: the list of CN=line-ca expired", id="expired list"
        ),
        pytest.param(_no_list, "has no list of CN=line-ca", id="no list"),
        pytest.param(_strangers_list, "has no list of CN=line-ca", id="list signed by another"),
        pytest.param(_signed_by_a_server, "BadCertificateUntrusted", id="signed by what is no authority"),
    ],
)
async def test_a_wrong_server_is_told_no_password_and_read_no_value(plant, desk, running, wrong, says):
    wrong(plant)
    await plant.bench.start()
    async with running(plant.settings()) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

    assert says in driver.health.detail
    assert driver.health.detail.endswith(")")  # the way out
    assert (plant.doorman.told, desk.scans) == ([], [])


async def test_a_server_that_is_mended_is_connected_without_a_restart(plant, desk, running):
    _expired_list(plant)
    await plant.bench.start()
    async with running(plant.settings()) as driver:
        await desk.linked(driver, Link.DISCONNECTED)
        plant.publish()
        await desk.linked(driver, Link.CONNECTED)
        await desk.shows("good", 100)


async def test_a_pinned_server_needs_no_host_in_its_certificate(plant, desk, running):
    plant.bench.certificate = plant.intermediate.issue("server", host="127.0.0.9")
    await plant.bench.start()
    pinned = str(plant.bench.certificate.certificate)
    async with running(plant.settings(trust=None, revoked=None, server_certificate=pinned)) as driver:
        await desk.linked(driver, Link.CONNECTED)


async def test_a_pinned_server_needs_no_usages_nor_its_application_in_its_certificate(plant, desk, running):
    plant.bench.certificate = plant.intermediate.issue("server", uri="urn:test:another", usages=CLIENT_ONLY)
    await plant.bench.start()
    pinned = str(plant.bench.certificate.certificate)
    async with running(plant.settings(trust=None, revoked=None, server_certificate=pinned)) as driver:
        await desk.linked(driver, Link.CONNECTED)


async def test_a_pinned_server_that_expired_is_refused(plant, desk, running):
    plant.bench.certificate = plant.intermediate.issue("server", days=-1)
    await plant.bench.start()
    pinned = str(plant.bench.certificate.certificate)
    async with running(plant.settings(trust=None, revoked=None, server_certificate=pinned)) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

    assert "BadCertificateTimeInvalid" in driver.health.detail
    assert not plant.doorman.told


async def test_a_server_that_does_not_take_our_certificate_is_quoted(plant, desk, running, stranger):
    trusted = TrustStore([plant.folder / "nobody"], [])
    (plant.folder / "nobody").mkdir()
    (plant.folder / "nobody" / "stranger.pem").write_bytes(stranger.certificate.read_bytes())
    await trusted.load()
    options = CertificateValidatorOptions.TRUSTED_VALIDATION | CertificateValidatorOptions.PEER_CLIENT
    plant.bench.believes = CertificateValidator(options, trusted)
    await plant.bench.start()
    async with running(plant.settings()) as driver:
        await desk.linked(driver, Link.DISCONNECTED)

    assert "the server doesn't take our certificate" in driver.health.detail
    assert not plant.doorman.told


async def test_a_device_that_is_refused_takes_no_other_down(plant, desk, running, stranger, tmp_path):
    plant.bench.certificate = stranger.issue("server")
    await plant.bench.start()
    other = ModbusBench(tmp_path)
    await other.start()
    async with running(plant.settings()) as refused, running(other.settings()) as driver:
        await desk.linked(refused, Link.DISCONNECTED)
        await desk.linked(driver, Link.CONNECTED)
        await other.show(good=142)
        await desk.shows("good", 142)
    await other.stop()

    assert Link.DISCONNECTED is refused.health.link
