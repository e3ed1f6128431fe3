"""The physics of the line, without any clock."""

from simulators.machine import BottlingLine


def run(line, ticks, dt=0.04):
    return [line.tick(dt) for _ in range(ticks)]


def total(outputs, station):
    return sum(getattr(output, station) for output in outputs)


def test_a_seed_gives_the_same_line_twice():
    assert run(BottlingLine(seed=7), 2000) == run(BottlingLine(seed=7), 2000)


def test_another_seed_gives_another_line():
    assert run(BottlingLine(seed=7), 2000) != run(BottlingLine(seed=8), 2000)


def test_no_station_works_on_what_it_has_not_got():
    made = []
    for output in run(BottlingLine(speed=3), 3000):
        made.append(output)
        good, capped, sealed = (total(made, station) for station in ("good", "capped", "sealed"))
        assert good >= capped >= 12 * sealed
        assert sealed >= sum(len(one.weighed) for one in made)


def test_the_filler_runs_at_its_nameplate_speed():
    outputs = run(BottlingLine(speed=3), 250)  # 10 s at 60/s

    assert 599 <= total(outputs, "good") + total(outputs, "rejected") <= 600


def test_about_one_bottle_in_seventy_is_rejected():
    outputs = run(BottlingLine(), 25_000)
    rejected = total(outputs, "rejected")

    assert 0.01 < rejected / (rejected + total(outputs, "good")) < 0.02


def test_a_paused_capper_blocks_the_filler_once_the_buffer_is_full():
    line = BottlingLine()
    line.capper.running = False

    assert 100 == total(run(line, 2000), "good")


def test_a_starved_station_saves_up_no_burst():
    line = BottlingLine()
    line.filler.running = False
    run(line, 1000)
    line.filler.running = True

    assert max(output.capped for output in run(line, 500)) <= 2


def test_without_the_filler_the_line_runs_empty():
    line = BottlingLine()
    filled = run(line, 500)
    line.filler.running = False
    rest = run(line, 500)

    assert line.idle
    assert total(filled, "good") == total(filled + rest, "capped")
    assert total(filled, "good") // 12 == total(filled + rest, "sealed")
