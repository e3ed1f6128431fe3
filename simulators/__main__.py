"""`python -m simulators line|filler|capper|packer|broker|erp`: the line, or one part of it."""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from simulators.broker import MissingAmqttError
from simulators.commands import HELP, CommandError, execute, typed_lines
from simulators.erp import ErpFaults, ErpSettings
from simulators.line import ALL, AUTO, DEFAULT, Line, Ports
from simulators.modbus_plc import CapperSettings
from simulators.opcua_plc import FillerSettings
from simulators.puller import PullSettings

NOISY = ("amqtt", "asyncua", "pymodbus", "transitions", "httpx", "uvicorn")


def parser() -> argparse.ArgumentParser:
    """The command line; each part has only the options that concern it."""
    top = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parts = top.add_subparsers(dest="part", required=True, metavar="PART")
    for name, text, groups in (
        ("line", "everything in one process", (_machine, _broker_url, _token, _pull, _whole_line)),
        ("filler", "FILLER-1, a PLC on OPC UA", (_machine, _port, _filler)),
        ("capper", "CAPPER-1, a PLC on Modbus TCP", (_machine, _port, _capper)),
        ("packer", "PACKER-1 and SCALE-1, on MQTT", (_machine, _broker_url)),
        ("broker", "an MQTT broker", (_port,)),
        ("erp", "the central ERP", (_port, _token, _pull, _erp_faults)),
    ):
        formatter = argparse.RawDescriptionHelpFormatter
        part = parts.add_parser(name, help=text, description=text, epilog=HELP, formatter_class=formatter)
        part.add_argument("--dir", type=Path, required=True, help="folder for ports.json, truth/ and erp.db")
        for add_options in groups:
            add_options(part)
    return top


def _machine(part: argparse.ArgumentParser) -> None:
    part.add_argument("--seed", type=int, default=1, help="same seed, same rejects and weights")
    part.add_argument("--speed", type=float, default=1.0, help="times 20 bottles a second")
    part.add_argument("--start", choices=("when-read", "now"), default="when-read", help="when production begins")


def _port(part: argparse.ArgumentParser) -> None:
    part.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")


def _broker_url(part: argparse.ArgumentParser) -> None:
    part.add_argument("--broker", metavar="URL", help="an external broker, mqtt://host:port")


def _token(part: argparse.ArgumentParser) -> None:
    part.add_argument(
        "--erp-token-file", type=Path, metavar="FILE", help="who pushes has to show this token; made up if no such file"
    )


def _pull(part: argparse.ArgumentParser) -> None:
    part.add_argument("--pull-url", metavar="URL", help="pull postings from this gateway, http://host:port")
    part.add_argument("--pull-token-file", type=Path, metavar="FILE", help="the gateway's bearer token")
    part.add_argument("--consumer", default="erp", help="the name to pull under")


def _whole_line(part: argparse.ArgumentParser) -> None:
    part.add_argument("--ports", choices=("auto", "default"), default="auto", help="free ones, or 4840 5020 1883 8090")
    part.add_argument("--no-erp", action="store_true", help="without the central ERP")
    part.add_argument("--end-with-stdin", action="store_true", help="quit when standard input ends")


def _filler(part: argparse.ArgumentParser) -> None:
    part.add_argument("--good", type=int, default=0, help="initial counter")
    part.add_argument("--reject", type=int, default=0, help="initial counter")
    part.add_argument("--user", default="", help="admitted user, with --certificate")
    part.add_argument("--password-file", type=Path, metavar="FILE")
    _certificate(part)


def _capper(part: argparse.ArgumentParser) -> None:
    part.add_argument("--capped", type=int, default=0, help="initial counter")
    _certificate(part)


def _certificate(part: argparse.ArgumentParser) -> None:
    part.add_argument("--certificate", type=Path, metavar="FILE", help="only secured connections then")
    part.add_argument("--private-key", type=Path, metavar="FILE")


def _erp_faults(part: argparse.ArgumentParser) -> None:
    part.add_argument("--fail-rate", type=float, default=0.0, help="share of requests answered 503")
    part.add_argument("--later-every", type=int, default=0, metavar="N", help="put off each Nth posting once")
    part.add_argument("--reject-every", type=int, default=0, metavar="N", help="reject each Nth posting")
    part.add_argument("--delay", type=float, default=0.0, metavar="S", help="seconds before each answer")


def line_from(options: argparse.Namespace) -> Line:
    """The line that the options describe."""
    given = vars(options)
    return Line(
        options.dir,
        seed=given.get("seed", 1),
        speed=given.get("speed", 1.0),
        start=given.get("start", "now"),
        parts=_parts(options),
        ports=_ports(options),
        broker=given.get("broker"),
        filler=_filler_settings(options) if options.part == "filler" else None,
        capper=_capper_settings(options) if options.part == "capper" else None,
        erp=_erp_settings(options) if options.part in {"erp", "line"} else None,
    )


def _parts(options: argparse.Namespace) -> frozenset[str]:
    if options.part != "line":
        return frozenset({options.part})
    return ALL - {"erp"} if options.no_erp else ALL


def _ports(options: argparse.Namespace) -> Ports:
    if options.part == "line":
        return DEFAULT if options.ports == "default" else AUTO
    return AUTO if options.part == "packer" else Ports(**{options.part: options.port})


def _filler_settings(options: argparse.Namespace) -> FillerSettings:
    return FillerSettings(
        good=options.good,
        reject=options.reject,
        certificate=options.certificate,
        private_key=options.private_key,
        user=options.user,
        password=options.password_file.read_text("utf-8").strip() if options.password_file else "",
    )


def _capper_settings(options: argparse.Namespace) -> CapperSettings:
    return CapperSettings(capped=options.capped, certificate=options.certificate, private_key=options.private_key)


def _erp_settings(options: argparse.Namespace) -> ErpSettings:
    pull = PullSettings(options.pull_url, options.pull_token_file, options.consumer) if options.pull_url else None
    faults = ErpFaults()
    if options.part == "erp":
        faults = ErpFaults(options.fail_rate, options.later_every, options.reject_every, options.delay)
    return ErpSettings(token_file=options.erp_token_file, pull=pull, faults=faults)


async def run(line: Line, at_end: str = "") -> None:
    """Run until `quit`, SIGTERM or SIGINT; `at_end` is obeyed when standard input ends."""
    quitting = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, quitting.set)
    async with line:
        print("ready", flush=True)  # noqa: T201 the protocol with whoever started the process
        tasks = [asyncio.ensure_future(work) for work in (quitting.wait(), _obey(line, quitting, at_end), line.crash())]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        for task in done:
            task.result()


async def _obey(line: Line, quitting: asyncio.Event, at_end: str) -> None:
    # a command may last for seconds, so the next one does not wait for it
    async with asyncio.TaskGroup() as running:
        async for text in typed_lines(at_end):
            if text.strip() == "quit":
                quitting.set()
            elif text.strip():
                running.create_task(_carry_out(line, text.strip()))


async def _carry_out(line: Line, text: str) -> None:
    if text == "stop":
        await line.stop_production()
        print("stopped", flush=True)  # noqa: T201 the protocol with whoever started the process
        return
    try:
        await execute(line, text)
    except CommandError as error:
        print(error, file=sys.stderr, flush=True)  # noqa: T201 told to whoever typed it


def main() -> int:
    """Entry point; 2 means the options cannot work here."""
    top = parser()
    options = top.parse_args()
    if getattr(options, "pull_url", None) and not options.pull_token_file:
        top.error("--pull-url needs --pull-token-file")
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        asyncio.run(_main(options))
    except (MissingAmqttError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201 the reason for exit code 2
        return 2
    return 0


async def _main(options: argparse.Namespace) -> None:
    await run(line_from(options), "quit" if getattr(options, "end_with_stdin", False) else "")


if __name__ == "__main__":
    sys.exit(main())
