"""The whole line: in this process, and as a process of its own."""

import asyncio
import json
import sys

import pytest
from asyncua import Client
from pymodbus.client import AsyncModbusTcpClient

from simulators.commands import CommandError, execute
from simulators.ledger import read
from simulators.line import Line
from simulators.until import until


def total(folder, device, signal):
    made = read(folder / "truth").get((device, signal))
    return made.total if made else 0


async def test_production_begins_when_both_plcs_have_been_read(tmp_path):
    async with Line(tmp_path, speed=5, parts=frozenset({"filler", "capper"})) as line:
        async with Client(line.filler.endpoint, timeout=60) as client:
            await client.read_values([client.get_node(f"ns=2;s=Filler.{name}") for name in ("Good", "Reject")])
        before = total(tmp_path, "FILLER-1", "good")
        capper = AsyncModbusTcpClient("127.0.0.1", port=line.capper.link.port, timeout=60)
        await capper.connect()
        await capper.read_holding_registers(0, count=3, device_id=1)
        capper.close()

        assert before == 0
        assert await until(lambda: total(tmp_path, "FILLER-1", "good") > 0, within=60)


async def test_after_the_stop_every_good_bottle_is_capped_and_every_case_weighed(tmp_path):
    async with Line(tmp_path, speed=10, start="now") as line:
        assert await until(lambda: total(tmp_path, "SCALE-1", "net_weight") > 0, within=60)
        await line.stop_production()
    made = read(tmp_path / "truth")
    good, cases = made["FILLER-1", "good"].total, made["PACKER-1", "case_sealed"].total

    assert good == made["CAPPER-1", "capped"].total
    assert good // 12 == cases == len(made["SCALE-1", "net_weight"].ids)


async def test_a_command_names_its_device(tmp_path):
    async with Line(tmp_path, parts=frozenset({"filler", "capper"})) as line:
        await execute(line, "CAPPER-1 preset 77 capped")
        await execute(line, "FILLER-1 reset")
    made = [json.loads(text) for text in (tmp_path / "truth" / "CAPPER-1.capped.jsonl").read_text().splitlines()]

    assert 77 == made[-1]["value"]


@pytest.mark.parametrize("text", ["FILLER-1 jump", "FILLER-1 preset", "FILLER-1 torn", "FILLER-1", "drop soon"])
async def test_a_command_that_makes_no_sense_says_so(tmp_path, text):
    async with Line(tmp_path, parts=frozenset({"filler"})) as line:
        with pytest.raises(CommandError, match="FILLER-1"):
            await execute(line, text)


async def start_process(*arguments):
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "simulators", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)


async def test_the_process_says_ready_then_stopped_and_quits(tmp_path):
    process = await start_process("line", "--dir", str(tmp_path), "--speed", "10", "--start", "now", "--no-erp")
    said = [await process.stdout.readline()]
    ports = json.loads((tmp_path / "ports.json").read_text())
    process.stdin.write(b"stop\n")
    said.append(await process.stdout.readline())
    _, errors = await process.communicate(b"quit\n")

    assert ([b"ready\n", b"stopped\n"], b"", 0) == (said, errors, process.returncode)
    assert {"filler", "capper", "broker"} == set(ports)


async def test_sigterm_ends_the_process_cleanly(tmp_path):
    process = await start_process("capper", "--dir", str(tmp_path))
    await process.stdout.readline()
    process.terminate()
    _, errors = await process.communicate()

    assert (b"", 0) == (errors, process.returncode)


async def test_a_taken_port_is_explained_with_exit_code_2(tmp_path):
    async with Line(tmp_path / "one", parts=frozenset({"capper"})) as line:
        process = await start_process("capper", "--dir", str(tmp_path / "two"), "--port", str(line.capper.link.port))
        _, errors = await process.communicate()

    assert 2 == process.returncode
    assert b"is taken" in errors
