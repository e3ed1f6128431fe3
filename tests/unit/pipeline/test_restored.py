"""After a restore: what the lost store may have booked is held or waits for a person, and all the rest goes on."""

from datetime import timedelta
from decimal import Decimal

import pytest

from gateway.domain.command import CloseOrder, CloseWindow, Residual, Retry
from gateway.domain.exception import ExceptionKind
from gateway.domain.line import Cumulation
from gateway.domain.signature import Author
from gateway.errors import CommandRefused
from gateway.pipeline.restored import SETTLING
from gateway.signals.sample import Message
from gateway.store.copying import copy_store
from gateway.store.doubt import Occasion
from gateway.store.restore import restore
from gateway.store.verify import silent, verify
from tests.factories import NOON
from tests.unit.pipeline.office import make_packers, office
from tests.unit.pipeline.plant import CASE, GOOD, Plant, make_model

SETTLED = int(SETTLING.total_seconds())


class Restoring:
    """Makes a backup of the plant's store, and puts it back a minute later."""

    def __init__(self, plant: Plant, folder) -> None:
        self.plant = plant
        self.copy = folder / "backup.db"

    def back_up(self) -> None:
        copy_store(self.plant.path, self.copy, "backup", self.plant.clock.now().wall, silent)

    async def put_back(self) -> None:
        await self.plant.close()
        self.plant.clock.advance(60)
        occasion = Occasion(self.plant.clock.now().wall, "root", "the disk died")
        restore(self.plant.path, self.copy, self.plant.pipeline.writer.store.gateway, occasion, silent)
        self.plant.clock.advance(60)
        await self.plant.open()


@pytest.fixture
def backup(plant, tmp_path):
    return Restoring(plant, tmp_path)


def held(plant):
    return [(one.code, str(one.quantity)) for one in plant.exceptions(ExceptionKind.COUNTER)]


async def test_the_first_units_since_the_backup_are_held_and_the_next_ones_post(plant, backup):
    plant.read(good=100)
    await plant.turn()
    backup.back_up()
    plant.read(good=110)
    await plant.turn()
    await backup.put_back()
    plant.read(good=130)
    await plant.turn()
    plant.read(good=134)
    await plant.turn()

    assert [("restored", "30")] == held(plant)
    assert ("34", "4", "0", "30") == plant.tally(GOOD)
    (entry,) = plant.exceptions(ExceptionKind.COUNTER)
    assert '"candidates":[30,0]' in entry.detail
    assert "The replaced file had counted 10 of them." in entry.reason


async def test_a_counter_that_shows_what_the_backup_has_is_in_no_doubt(plant, backup):
    plant.read(good=100)
    await plant.turn()
    backup.back_up()
    await backup.put_back()
    plant.read(good=100)
    await plant.turn()
    plant.read(good=105)
    await plant.turn()

    assert [] == held(plant)
    assert ("5", "5", "0", "0") == plant.tally(GOOD)


async def test_what_a_broker_sends_again_from_before_the_restore_is_held(plant, backup):
    backup.back_up()
    await backup.put_back()
    plant.made[CASE, Message(id="old")] = plant.clock.now().wall - timedelta(seconds=90)
    await plant.send(id="at once")
    await plant.turn()
    plant.clock.advance(SETTLED)
    await plant.send(id="old")
    await plant.turn()

    assert [("restored", "1"), ("restored", "1")] == held(plant)


async def test_messages_that_come_at_once_are_held_whatever_their_time_and_later_ones_post(plant, backup):
    backup.back_up()
    await backup.put_back()
    for _ in range(2):
        await plant.send(id=f"at once {_}")
    await plant.turn()
    plant.clock.advance(SETTLED)
    await plant.send(id="later")
    await plant.turn()

    assert [("restored", "1")] * 2 == held(plant)
    assert ("3", "1", "0", "2") == plant.tally(CASE)


async def test_a_crash_does_not_begin_the_settling_anew(plant, backup):
    backup.back_up()
    await backup.put_back()
    await plant.send(id="at once")
    await plant.turn()
    await plant.crash()
    plant.clock.advance(SETTLED)
    await plant.send(id="later")
    await plant.turn()

    assert [("restored", "1")] == held(plant)


async def test_a_second_restore_holds_what_was_booked_since_its_backup(plant, backup, tmp_path):
    backup.back_up()
    await backup.put_back()
    await plant.send(id="first")
    await plant.turn()
    plant.clock.advance(3600)
    backup.copy = tmp_path / "second.db"
    backup.back_up()
    await plant.send(id="lost")
    await plant.turn()
    posted = plant.tally(CASE)
    await backup.put_back()
    plant.made.clear()
    await plant.send(id="lost", anew=True)
    await plant.turn()

    assert ("2", "1", "0", "1") == posted
    assert ("2", "0", "0", "2") == plant.tally(CASE)


async def test_messages_that_the_lost_store_took_are_told_as_perhaps_booked(plant, backup):
    await plant.send(id="c3", sequence=3)
    await plant.turn()
    backup.back_up()
    former = plant.store.store
    plant.read(good=110)
    for number in range(4, 9):
        await plant.send(id=f"c{number}", sequence=number)
    await plant.turn()
    await backup.put_back()
    await plant.send(id="c9", sequence=9)
    await plant.turn()

    (gap,) = plant.exceptions(ExceptionKind.GAP)
    assert "lost messages 4 to 8: 5 units; those from before the restore may be booked already: " in gap.reason
    assert f"may be booked under store {former} from seq" in gap.reason
    assert "compare with the ERP, then settle" in gap.reason


async def test_what_is_lost_later_leaves_that_doubt_in_the_entry_and_brings_none_of_its_own(plant, backup):
    await plant.send(id="c1", sequence=1)
    await plant.send(id="c3", sequence=3)
    await plant.turn()
    backup.back_up()
    await backup.put_back()
    for number in (4, 6):
        await plant.send(id=f"c{number}", sequence=number)
    await plant.turn()
    doubt = plant.state.watermarks[CASE].doubt

    (gap,) = plant.exceptions(ExceptionKind.GAP)
    assert "" == doubt
    assert "lost message 2, message 5: 2 units; those from before the restore may be booked already" in gap.reason


async def test_without_a_restore_no_message_is_doubted(plant):
    plant.made[CASE, Message(id="c1")] = NOON - timedelta(days=30)
    await plant.send(id="c1")
    await plant.turn()

    assert [] == held(plant)


async def test_what_waited_in_the_backup_posts_only_when_a_person_says_so(plant, backup):
    plant.read(good=2100, seconds=30)
    await plant.turn()
    (waiting,) = plant.exceptions(ExceptionKind.TRIGGER)
    backup.back_up()
    await backup.put_back()
    await plant.stage("S-9", "100000")
    await plant.turn()
    posted = plant.tally(GOOD)
    await plant.asked(plant.pipeline.commands.execute(Retry(waiting.id), Author("otto")))

    assert "0" == posted[1]
    assert "2000" == plant.tally(GOOD)[1]


async def test_a_window_that_was_open_in_the_backup_closes_only_by_hand(empty, tmp_path):
    empty.model = make_model(cumulate=Cumulation(window=timedelta(seconds=30)))
    await empty.crash()
    await empty.stage("S-1", "100000")
    backup = Restoring(empty, tmp_path)
    empty.read(good=0)
    await empty.turn()
    empty.read(good=5)
    await empty.turn()
    (document,) = empty.state.documents
    backup.back_up()
    await backup.put_back()
    empty.read(good=5)
    empty.read(good=8)
    await empty.turn()
    empty.clock.advance(100)
    await empty.turn()
    posted = [body for (body,) in await empty.rows("SELECT body FROM posting")]
    seq = await empty.asked(empty.pipeline.commands.execute(CloseWindow(document), Author("otto")))

    assert [2, True] == [seq, document in (one[0] for one in await empty.rows("SELECT document_id FROM posting"))]
    assert 1 == len(posted)
    assert not [one for one in verify(empty.path).checks if not one.ok]
    assert Decimal(8) == empty.state.tallies[GOOD].posted


async def test_an_order_closes_only_after_a_person_closed_the_windows_in_doubt(tmp_path):
    model = make_packers(cumulate=Cumulation(window=timedelta(hours=1)))
    async with office(tmp_path, model, {"quantity": "100"}) as plant:
        await plant.pack("10")
        (document,) = plant.state.documents
        backup = Restoring(plant, tmp_path)
        backup.back_up()
        await backup.put_back()
        refused = f"window {document} was open in the restored backup and may be posted already"
        with pytest.raises(CommandRefused, match=refused):
            await plant.ask(CloseOrder("100045", Residual.LEAVE, "surplus"))
        posted = await plant.rows("SELECT seq FROM posting")
        await plant.ask(CloseWindow(document))

        assert [] == posted
        assert 2 == await plant.ask(CloseOrder("100045", Residual.LEAVE, "surplus"))
