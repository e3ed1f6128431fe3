from gateway.signals.blocks import Block, Point, apart, plan


def at(signal: str, address: int, count: int = 1, table: str = "holding") -> Point:
    return Point(signal, table, address, count)


GOOD, BOOT = at("good", 0, 2), at("boot", 2)


def test_adjacent_points_are_one_request():
    (block,) = plan([BOOT, GOOD], {"boot"})

    assert ("holding", 0, 3) == (block.table, block.address, block.count)


def test_a_small_gap_is_read_along():
    far = at("order", 11)

    assert (Block((GOOD, BOOT, far)),) == plan([GOOD, BOOT, far], {"boot"})


def test_a_wide_gap_is_not():
    far = at("reject", 12)

    assert (Block((GOOD, BOOT)), Block((far,))) == plan([GOOD, BOOT, far], {"boot"})


def test_no_request_asks_for_more_than_125_registers():
    points = [at(f"s{address}", address) for address in range(200)]

    assert [125, 75] == [block.count for block in plan(points, ())]


def test_overlapping_points_share_a_request():
    (block,) = plan([at("whole", 0, 4), at("half", 1, 2)], ())

    assert 4 == block.count


def test_tables_are_never_mixed():
    other = at("level", 2, table="input")

    assert {Block((GOOD,)), Block((other,))} == set(plan([GOOD, other], ()))


def test_a_context_is_asked_for_before_the_counters_far_from_it():
    boot = at("boot", 500)

    assert (Block((boot,)), Block((GOOD,))) == plan([GOOD, boot], {"boot"})


def test_an_invalid_point_is_asked_for_alone():
    reject = at("reject", 3)
    blocks = plan([GOOD, BOOT, reject], {"boot"})

    assert (Block((GOOD, BOOT)), Block((reject,))) == apart(blocks, blocks[0], {"reject"}, {"boot"})


def test_a_gap_that_is_refused_is_read_around():
    far = at("order", 8)
    blocks = plan([GOOD, far], ())

    assert (Block((GOOD,)), Block((far,))) == apart(blocks, blocks[0], (), ())


def test_a_block_refused_for_its_length_is_taken_to_pieces():
    blocks = plan([GOOD, BOOT], {"boot"})

    assert (Block((BOOT,)), Block((GOOD,))) == apart(blocks, blocks[0], (), {"boot"})


def test_the_other_blocks_stay():
    far = at("far", 500)
    blocks = plan([GOOD, BOOT, far], ())

    assert (Block((far,)), Block((BOOT,)), Block((GOOD,))) == apart(blocks, blocks[0], {"good"}, ())
