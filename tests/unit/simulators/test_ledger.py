"""The ground truth adds up exactly and outlives the process that wrote it."""

from decimal import Decimal

from simulators.counters import Counted, Counters
from simulators.ledger import Ledger, Made, read

GOOD = Counted("good", modulus=65536)


def make_counters(folder, *, retentive=True, initial=None):
    return Counters(Ledger(folder), "FILLER-1", (GOOD,), retentive=retentive, initial=initial)


def test_the_ledger_totals_what_was_made_and_names_it(tmp_path):
    scale = Counters(Ledger(tmp_path), "SCALE-1", (Counted("net_weight", "kg", decimals=3, named=True),))
    for grams in (6312, 6301):
        scale.add("net_weight", grams)

    expected = {("SCALE-1", "net_weight"): Made(Decimal("12.613"), "kg", ("SCALE-1-1-1", "SCALE-1-1-2"))}
    assert expected == read(tmp_path)


def test_a_weight_keeps_its_three_decimals(tmp_path):
    scale = Counters(Ledger(tmp_path), "SCALE-1", (Counted("net_weight", "kg", decimals=3),))

    assert "6.300" == str(scale.add("net_weight", 6300).quantity)


def test_a_counter_rolls_over_while_the_total_goes_on(tmp_path):
    filler = make_counters(tmp_path, initial={"good": 65530})
    filler.add("good", 10)

    assert (4, Decimal(10)) == (filler.value("good"), read(tmp_path)["FILLER-1", "good"].total)


def test_a_reset_is_a_new_boot_at_zero_and_makes_nothing(tmp_path):
    filler = make_counters(tmp_path)
    filler.add("good", 10)
    filler.restart()

    assert (2, 0, Decimal(10)) == (filler.boot, filler.value("good"), read(tmp_path)["FILLER-1", "good"].total)


def test_a_retentive_reset_keeps_the_value(tmp_path):
    filler = make_counters(tmp_path)
    filler.add("good", 10)
    filler.restart(retentive=True)

    assert (2, 10) == (filler.boot, filler.value("good"))


def test_a_preset_keeps_the_boot_and_makes_nothing(tmp_path):
    filler = make_counters(tmp_path)
    filler.preset("good", 500)

    assert (1, 500, Decimal(0)) == (filler.boot, filler.value("good"), read(tmp_path)["FILLER-1", "good"].total)


def test_a_swapped_device_has_a_boot_id_from_another_history(tmp_path):
    filler = make_counters(tmp_path)
    filler.swap(7000)

    assert (101, 7000) == (filler.boot, filler.value("good"))


def test_a_new_process_of_a_retentive_device_counts_on_under_a_new_boot(tmp_path):
    make_counters(tmp_path).add("good", 10)
    again = make_counters(tmp_path, initial={"good": 99})

    assert (2, 10) == (again.boot, again.value("good"))


def test_a_new_process_of_another_device_starts_at_zero(tmp_path):
    make_counters(tmp_path).add("good", 10)
    again = make_counters(tmp_path, retentive=False)

    assert (2, 0) == (again.boot, again.value("good"))
