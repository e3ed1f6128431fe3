"""Every way to break a configuration that has a message of its own: file, line, key, and what would be right."""

from pathlib import Path

import pytest
import yaml

CASES = yaml.safe_load(Path(__file__).with_name("broken.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"].replace(" ", "-"))
def test_each_fault_is_a_row_with_its_file_line_key_and_remedy(folder, case):
    folder.edit(case["file"], case["old"], case["new"])

    assert case["rows"] == folder.faults()
