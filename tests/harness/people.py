"""Who signs at a site, and the commands they give: through the API, or through the command line."""

from functools import cache
from pathlib import Path
from typing import Any

from gateway.api.passwords import hashed
from gateway.settings.users import Person, write_users
from tests.harness.site import Site

PASSWORD = "correct horse"


def enrol(site: Site) -> None:
    """Write the users file: anna may sign, vera may only look."""
    write_users(
        site.config / "users.yaml",
        [
            Person(user="anna", name="Anna Huber", roles=("quality", "supervisor"), password=_hash()),
            Person(user="vera", name="Vera Maier", roles=("viewer",), password=_hash()),
        ],
    )
    _password_file(site).write_text(PASSWORD, "utf-8")


def signature(user: str = "anna", password: str = PASSWORD) -> dict[str, str]:
    """Return a signature as the API wants it."""
    return {"user": user, "password": password, "meaning": "approved"}


def signs(site: Site) -> tuple[object, ...]:
    """Return the options with which anna signs on the command line."""
    return "--user", "anna", "--password-file", _password_file(site)


def give(site: Site, command: str, **body: object) -> Any:
    """Give a command through the API; return its result."""
    answer = site.api.post(f"/api/v1/commands/{command}", json=body)
    assert answer.is_success, answer.text
    return answer.json()["result"]


def refused(site: Site, command: str, *, token: str = "", **body: object) -> tuple[int, str]:
    """Give a command through the API that is refused; return the status and what was said."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = site.api.post(f"/api/v1/commands/{command}", json=body, headers=headers)
    assert not answer.is_success, answer.text
    return answer.status_code, answer.json()["detail"]


def typed(site: Site, command: str, *arguments: object, code: int = 0) -> str:
    """Run `gateway COMMAND` on the site's configuration; return what it printed."""
    ended, said = site.command(command, site.config, *arguments)
    assert ended == code, said
    return said


@cache
def _hash() -> str:
    return hashed(PASSWORD)  # slow on purpose


def _password_file(site: Site) -> Path:
    return site.root / "secrets" / "password-of-anna"
