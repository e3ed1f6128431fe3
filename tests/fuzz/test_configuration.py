"""Configuration and master data with mistakes of every kind: they load, or say what is wrong in which file and line.

Longer: `HYPOTHESIS_PROFILE=nightly .venv/bin/pytest -n0 tests/fuzz/test_configuration.py` (see budget.py).
"""

import copy
import json
import random
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.demo_config import example_folder
from gateway.errors import ConfigError
from gateway.runtime.bootstrap import load_config
from gateway.settings.fault import Faults
from gateway.settings.source import read
from tests.fuzz.budget import PATIENCE, budget
from tests.fuzz.mutations import damage, mutate

pytestmark = pytest.mark.timeout(PATIENCE)

LONGEST = 10.0  # s that one folder may take, on a machine that does other things, too
FILES = sorted(path.relative_to(example_folder()) for path in example_folder().rglob("*.yaml"))
BYTES = {file: (example_folder() / file).read_bytes() for file in FILES}
_ROW = re.compile(r"(\S+\.yaml:\d+: |\S+/:1: )\S")
seeds = st.integers(0, 2**64 - 1)


def _documents() -> dict[str, object]:
    found = {}
    for file in FILES:
        source = read(example_folder(), example_folder() / file, Faults())
        assert source
        found[str(file)] = source.data
    return found


DOCUMENTS = _documents()


def loads_or_says_why(folder: Path) -> None:
    begun, message = time.monotonic(), ""
    try:
        load_config(folder)
    except ConfigError as error:
        message = error.message or "ConfigError without a word"
    assert [] == [row for row in message.splitlines() if not _ROW.match(row)]
    assert time.monotonic() - begun < LONGEST


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("config")


def write(folder: Path, files: dict[Path, bytes]) -> None:
    for file, content in (BYTES | files).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)


@given(seeds, st.integers(1, 5))
@budget(150)
def test_mistakes_in_what_it_says_are_named_with_file_and_line(folder, seed, mistakes):
    chance, documents = random.Random(seed), copy.deepcopy(DOCUMENTS)
    for _ in range(mistakes):
        mutate(documents, chance)
    write(folder, {Path(file): json.dumps(data, indent=1, default=str).encode() for file, data in documents.items()})
    loads_or_says_why(folder)


@given(seeds)
@budget(150)
def test_damaged_files_are_named_with_file_and_line(folder, seed):
    chance = random.Random(seed)
    file = chance.choice(FILES)
    write(folder, {file: damage(BYTES[file], chance)})
    loads_or_says_why(folder)
