"""A body for every command, and how it is asked and signed."""

from typing import Any

from tests.integration.api.conftest import PASSWORD, Site

KEY = {"owner": {"kind": "line", "name": "L1"}, "item": "CAP-28", "lot": "L-7", "location": "L1-CAP"}
BODIES: dict[str, dict[str, Any]] = {
    "stage": {"staging": {"staging": "ST-1", "key": KEY, "quantity": "12000.50", "uom": "EA"}},
    "scan-in": {"line": "L1", "item": "CAP-28", "lot": "L-7"},
    "set-lot-status": {"item": "CAP-28", "lot": "L-7", "status": "blocked", "reason": "DAMAGED"},
    "return-lot": {"transfer": "R-1", "key": KEY, "quantity": "5", "uom": "EA", "reason": "SURPLUS"},
    "count-lot": {"count": "C-1", "key": KEY, "found": "0", "uom": "EA", "reason": "COUNT"},
    "issue-lot": {
        "issue": "I-1",
        "order": "100045",
        "operation": "0010",
        "item": "CO2",
        "lot": "G-1",
        "quantity": "1.25",
        "uom": "kg",
    },
    "enter-output": {"entry": "E-1", "order": "100045", "operation": "0010", "good": "3"},
    "start-order": {"line": "L1", "order": "100045"},
    "clear-line": {"line": "L1", "order": "100045"},
    "approve-label": {"order": "100045"},
    "pin-bom": {"order": "100045", "bom_version": "4", "since": "2026-11-21T10:00:00Z"},
    "allow-overrun": {"order": "100045", "quantity": "20500"},
    "trust-clock": {},
    "retry": {},
    "accept-deviation": {"exception": 7},
    "close-exception": {"exception": 7, "reason": "TEST"},
    "settle-hold": {"exception": 7, "reason": "TEST", "parts": [{"quantity": "5", "order": "100045"}]},
    "settle-holds": {"holds": [{"exception": 7, "seen": "sha256:0", "parts": []}], "reason": "TEST"},
    "sign-baseline": {"device": "FILLER-1", "signal": "good", "value": 41},
    "redrive-letter": {"letter": 3},
    "discard-letter": {"letter": 3, "reason": "TEST"},
    "redrive-posting": {"sink": "erp", "seq": 2},
    "settle-posting": {"sink": "erp", "seq": 2, "reason": "TEST"},
    "reverse": {"seq": 2, "reason": "MISCOUNT"},
    "close-window": {"document": 9},
    "close-order": {"order": "100045", "residuals": "return", "reason": "DONE"},
    "activate": {"configuration": "sha256:0"},
}


def signature(user: str = "supervisor", password: str = PASSWORD) -> dict[str, str]:
    return {"user": user, "password": password, "meaning": "reversal approved"}


async def ask(site: Site, name: str, role: str = "operator", **changes: Any) -> Any:
    return await site.client(role).post(f"/api/v1/commands/{name}", json=BODIES[name] | changes)
