"""Ways to change a site's configuration before its gateway starts, and the clock it is told of."""

import os
from pathlib import Path
from typing import Any

from tests.harness.site import Site

Json = dict[str, Any]


def without(site: Site, *items: str) -> list[Json]:
    """Take the items' stagings out of the master data; return them."""
    with site.changed("masterdata/stagings.yaml") as data:
        taken = [one for one in data["stagings"] if one["item"] in items]
        data["stagings"] = [one for one in data["stagings"] if one["item"] not in items]
    return taken


def add_order(site: Site, other: str) -> None:
    """Plan another order of the same product; what is staged serves both, and the line says which one it works on."""
    with site.changed("masterdata/orders.yaml") as data:
        data["orders"].append({**data["orders"][0], "order": other, "active": False})
    with site.changed("masterdata/stagings.yaml") as data:
        for one in data["stagings"]:
            one.pop("order", None)
            one["line"] = "L1"
    with site.changed("masterdata/items.yaml") as data:
        for one in data["items"]:
            one.pop("order_bound", None)
    with site.changed("triggers.yaml") as data:
        next(one for one in data["triggers"] if one["trigger"] == "case-sealed")["order"] = "active"


def component(site: Site, item: str, **changed: object) -> None:
    """Change an item's BOM line."""
    with site.changed("masterdata/boms.yaml") as data:
        next(one for one in data["boms"][0]["components"] if one["item"] == item).update(changed)


def chrony(folder: Path, says: str) -> dict[str, str]:
    """Put a `chronyc` on the PATH that says this, until it is told otherwise."""
    folder.mkdir(exist_ok=True)
    (folder / "new").write_text(says)
    (folder / "new").replace(folder / "says")  # at once: the gateway may be asking
    if not (folder / "chronyc").exists():
        (folder / "chronyc").write_text(f"#!/bin/sh\ncat {folder / 'says'}\n")
        (folder / "chronyc").chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}
