"""The running daemon's API: over TLS its own commands still reach it, and a token ends with the next reload."""

import signal

import httpx
import pytest

from tests.harness.certificates import Authority
from tests.harness.ports import NOBODY
from tests.harness.site import Site
from tests.harness.until import until

pytestmark = pytest.mark.timeout(300)


def test_a_token_that_is_taken_out_of_the_file_is_refused_after_sighup(site: Site) -> None:
    site.configure(1, NOBODY)
    daemon = site.gateway()
    before = site.api.get("/api/v1/status").status_code
    with site.changed("gateway.yaml") as data:
        data["api"]["tokens"] = [one for one in data["api"]["tokens"] if one["name"] != "test"]
    daemon.signal(signal.SIGHUP)
    until(lambda: "is in force" in daemon.output, what=lambda: daemon.output)

    assert (200, 401) == (before, site.api.get("/api/v1/status").status_code)
    assert "takes effect at the next start" not in daemon.output


def test_an_expired_list_of_clients_is_an_alarm_until_sighup_reads_another(site: Site) -> None:
    site.configure(1, NOBODY)
    authority, lists = Authority(site.root, "plant-ca"), site.root / "clients.crl"
    issued = authority.issue("gateway", days=30)
    lists.write_bytes(authority.revocations(days=-1))
    with site.changed("gateway.yaml") as data:
        data["api"]["tls"] = {"certificate": str(issued.certificate), "private_key": str(issued.key)}
        data["api"]["tls"] |= {"client_ca": str(authority.certificate), "client_crl": str(lists)}
    daemon = site.run("gateway", "run", site.config)
    alarm = "api tls.client_crl: the revocation list of CN=plant-ca expired"
    until(lambda: alarm in site.command("exceptions", site.config)[1], what=lambda: daemon.output)
    lists.write_bytes(authority.revocations(days=30))
    daemon.signal(signal.SIGHUP)

    until(lambda: alarm not in site.command("exceptions", site.config)[1], what=lambda: daemon.output)


def test_commands_reach_a_gateway_with_tls_and_nobody_else_can_pass_for_it(site: Site) -> None:
    site.configure(1, NOBODY)
    issued = Authority(site.root, "plant-ca").issue("gateway", host="127.0.0.9")  # as others reach it
    with site.changed("gateway.yaml") as data:
        data["api"]["tls"] = {"certificate": str(issued.certificate), "private_key": str(issued.key)}
    daemon = site.run("gateway", "run", site.config)
    until(lambda: "running since" in site.command("status", site.config)[1], what=lambda: daemon.output)
    impostor = Authority(site.root, "strange-ca").issue("impostor")
    with site.changed("gateway.yaml") as data:
        data["api"]["tls"] = {"certificate": str(impostor.certificate), "private_key": str(impostor.key)}

    # The command believes the configuration's certificate, and the daemon still shows another one.
    assert "answers with another certificate" in site.command("status", site.config)[1]
    with pytest.raises(httpx.TransportError):
        site.api.get("/healthz")  # plain HTTP


def test_a_renewed_certificate_waits_for_sighup_and_the_commands_say_so(site: Site) -> None:
    site.configure(1, NOBODY)
    authority = Authority(site.root, "plant-ca").intermediate("line-ca")
    shown, renewed = authority.issue("gateway"), authority.issue("renewed", days=-1)
    with site.changed("gateway.yaml") as data:
        data["api"]["tls"] = {"certificate": str(shown.certificate), "private_key": str(shown.key)}
    daemon = site.run("gateway", "run", site.config)
    until(lambda: "running since" in site.command("status", site.config)[1], what=lambda: daemon.output)
    shown.certificate.write_bytes(renewed.certificate.read_bytes())
    shown.key.write_bytes(renewed.key.read_bytes())
    code, before = site.command("retry", site.config)
    daemon.signal(signal.SIGHUP)

    assert (1, True) == (code, "send the gateway SIGHUP" in before)
    until(lambda: site.command("retry", site.config)[0] == 0, what=lambda: daemon.output)  # expired, but our own
