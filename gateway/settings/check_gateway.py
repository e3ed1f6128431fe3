"""What gateway.yaml has to agree with. Each check is one function, listed at the end."""

from collections.abc import Iterator

from gateway.errors import ConfigError
from gateway.settings.fault import Fault
from gateway.settings.parsed import Parsed, valid
from gateway.settings.users import read_users


def _names_once(parsed: Parsed) -> Iterator[Fault]:
    for entry, gateway in valid(parsed.gateway):
        for key, names in (
            ("lines", [one.line for one in gateway.lines]),
            ("sinks", [one.sink for one in gateway.sinks]),
            ("consumers", [one.consumer for one in gateway.consumers]),
        ):
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield entry.fault(key, index, message=f"{name} stands twice")


def users(parsed: Parsed) -> Iterator[Fault]:
    """Yield what keeps everybody from signing in regulated mode."""
    for entry, gateway in valid(parsed.gateway):
        if not gateway.regulated:
            continue
        try:
            if not read_users(gateway.api.users_file(parsed.root)):
                message = "nobody may sign, so nothing could be put in force; `gateway user add` adds a person"
                yield entry.fault("regulated", message=message)
        except ConfigError as error:
            yield entry.fault("api", "users", message=str(error))


def _approvers(parsed: Parsed) -> Iterator[Fault]:
    if not any(gateway.regulated for _, gateway in valid(parsed.gateway)):
        return
    for entry, bom in valid(parsed.boms):
        if bom.status == "approved" and not bom.approved_by:
            message = f"BOM {bom.title} is approved by nobody; regulated mode wants approved_by: NAME"
            yield entry.fault("status", message=message)


# Each check with the files that have to be there for it.
CHECKS = (
    (_names_once, frozenset({"gateway"})),
    (users, frozenset({"gateway"})),
    (_approvers, frozenset({"gateway", "masterdata"})),
)
