"""A trigger's part of an explained posting as a tree: what was read, what was drawn or taken back, and why."""

from collections.abc import Mapping
from typing import Any

from rich.markup import escape
from rich.tree import Tree

Json = Mapping[str, Any]


def trigger_tree(one: Json, lines: list[Json]) -> Tree:
    """Return the tree of a trigger; `lines` are the posting's."""
    tree = Tree(f"[bold]trigger {one['id']}[/]: {one['units']} {escape(one['uom'])}")
    _reading(tree, one["reading"])
    if settled := one["settlement"]:
        _settlement(tree, settled)
    tree.add(f"rule {escape(one['rule'])} version {one['rule_version']}, line {escape(one['line'])}")
    if one["mirrors"]:
        _mirrors(tree, one, lines)
    for draw in one["draws"]:
        _draw(tree, draw)
    return tree


def _reading(tree: Tree, reading: Json) -> None:
    began = f" since {reading['since']}" if reading["since"] else ""
    branch = tree.add(
        f"reading {escape(reading['device'])}.{escape(reading['signal'])} {escape(reading['key'])}: "
        f"{_quantity(reading['quantity'], reading['uom'])} {reading['event']}{began} at {reading['source_time']},"
        f" received {reading['received_time']} ({escape(reading['verdict'])}"
        f"{', ' + escape(reading['flag']) if reading['flag'] else ''})"
    )
    if reading["person"]:
        branch.add(f"entered by {escape(reading['person'])}")
    if lot := reading["lot"]:
        where = f" in {escape(lot['location'])}" if lot["location"] else ""
        branch.add(f"lot {escape(lot['lot'])} of {escape(lot['item'])}{where}")
    for bom_line, quantity in reading["edited"].items():
        branch.add(f"edited: {quantity} for BOM line {escape(bom_line)} instead of the standard")
    if reading["sscc"]:
        branch.add(f"SSCC {reading['sscc']}" + (f" of {reading['units']} units" if reading["units"] else ""))
    if reading["temperature"]:
        branch.add(f"at {reading['temperature']} °C")


def _settlement(tree: Tree, said: Json) -> None:
    reason = said["reason"]
    branch = tree.add(
        f"exception {said['exception']} settled as {_quantity(said['settled'], said['uom'] or 'units')}: "
        f"{escape(reason['code'])}: {escape(reason['text'])}"
    )
    if said["sentence"]:
        branch.add(escape(said["sentence"]))
    if signed := said["signature"]:
        branch.add(signature(signed))
    else:
        branch.add(f"by {escape(said['person'])}")


def signature(signed: Json) -> str:
    """Return who signed what, as markup."""
    return escape(
        f"signed by {signed['name']} ({signed['user']}, {signed['role']}) at {signed['signed_at']}:"
        f" {signed['meaning']}; of {signed['record']}"
    )


def _mirrors(tree: Tree, one: Json, lines: list[Json]) -> None:
    mirrors, uom = one["mirrors"], escape(one["uom"])
    k, n = mirrors["units_reversed"], mirrors["units_posted"] or "?"
    branch = tree.add(f"mirrors seq {mirrors['seq']}: of {n} {uom} posted, {k} are reversed")
    for part in mirrors["lines"]:
        line = lines[part["line"] - 1]
        before = f", {part['reversed_before']} reversed before" if part["reversed_before"] != "0" else ""
        branch.add(
            f"line {part['line']} {escape(line['item'])} lot {escape(line['lot'])}: trigger {one['id']} posted"
            f" {part['posted']}{before}, reversed {k} of {n} units → {_quantity(part['quantity'], line['uom'])}"
        )


def _draw(tree: Tree, draw: Json) -> None:
    branch = tree.add(f"[bold]{escape(draw['item'])}[/] [dim]BOM line {escape(draw['bom_line'])}[/] ({draw['how']})")
    {"calculated": _calculated, "mirrored": _mirrored, "backlog": _backlog}.get(draw["how"], _as_told)(branch, draw)
    uom = escape(draw["uom"])
    if draw["backlog"] != "0":
        branch.add(f"[yellow]short of {draw['backlog']} {uom}: backlog[/]")
    for one in draw["considered"]:
        taken = f"{one['taken']} of {one['left']}"
        branch.add(f"lot {escape(one['lot'])} in {escape(one['location'])}: {taken}, {escape(one['why'])}")
    for one in draw["picks"]:
        into = "" if one["factor"] == "1" else f" × {one['factor']} = {one['quantity']} {escape(one['uom'])}"
        branch.add(f"line {one['line']} lot {escape(one['lot'])}: {one['component']} {uom}{into}")


def _calculated(branch: Tree, draw: Json) -> None:
    before, after, rule, uom = draw["before"], draw["after"], draw["rounding"], escape(draw["uom"])
    if draw["formula"]:
        branch.add(escape(draw["formula"]["text"]))
        if draw["once"] != "0":
            branch.add(escape(draw["formula"]["once_text"] or f"once an order: {draw['once']} {draw['uom']}"))
    branch.add(f"R = {before['required']} + {draw['required']} + {draw['once']} = {after['required']} {uom}")
    if rule:
        branch.add(f"{_rule(rule)}: round(R) = {draw['rounded']}, C = {before['committed']}")
    else:
        branch.add(f"[yellow]C = {before['committed']}; its BOM is in no stored snapshot: no formula, no rounding[/]")
    branch.add(f"due = max(0, round(R) − C) = {draw['due']} {uom}, remainder R − C = {draw['remainder']} {uom}")


def _mirrored(branch: Tree, draw: Json) -> None:
    before, after, uom = draw["before"], draw["after"], escape(draw["uom"])
    if before == after:
        branch.add("R and C stay as they are")
    else:
        branch.add(f"R from {before['required']} to {after['required']} {uom}")
        branch.add(f"C from {before['committed']} to {after['committed']} {uom}")


def _backlog(branch: Tree, draw: Json) -> None:
    uom = escape(draw["uom"])
    branch.add(f"short of {draw['owed']} {uom} when its trigger posted; {draw['due']} {uom} of it are taken here")
    branch.add("R and C stay as they are: it was committed then")


def _as_told(branch: Tree, draw: Json) -> None:
    branch.add(f"due {draw['due']} {escape(draw['uom'])}; R and C stay as they are")


def _rule(rule: Json) -> str:
    if rule["multiple"]:
        return f"rounded {rule['mode']} to whole packs of {rule['multiple']}"
    return "exact" if rule["decimals"] is None else f"rounded {rule['mode']} to {rule['decimals']} decimals"


def _quantity(quantity: str, uom: str) -> str:
    return f"{quantity} {escape(uom)}".rstrip()
