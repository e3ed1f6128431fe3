import logging

import pytest

from gateway.domain.health import Health, Link
from gateway.errors import TransientError
from gateway.settings.device import DeviceSettings
from gateway.transport.device_link import DeviceLink


class Ended(Exception):
    """What the test ends the loop with: no error of the gateway's."""


class PlainSettings(DeviceSettings):
    @property
    def unsafe(self) -> str:
        return "nothing is encrypted"


def make_link(settings: type[DeviceSettings] = DeviceSettings) -> DeviceLink:
    one = settings(device="FILLER-1", line="L1", kind="modbus", retry_after=0.001)
    return DeviceLink(one, logging.getLogger("gateway.test"))


def failing(*errors: Exception):
    """Return what attends to a device and fails with these, one after the other."""
    left = list(errors)

    async def attend() -> None:
        raise left.pop(0)

    return attend


def test_only_a_change_is_logged(caplog):
    caplog.set_level(logging.INFO)
    link = make_link()
    for faults in ([], [], ["good: Bad"], ["good: Bad"], []):
        link.judge(faults)

    assert ["FILLER-1: connected", "FILLER-1: degraded: good: Bad", "FILLER-1: connected"] == caplog.messages


def test_faults_are_listed_in_one_sentence():
    link = make_link()
    link.judge(["good: Bad", "reject: Bad"])

    assert Health(Link.DEGRADED, "good: Bad; reject: Bad") == link.health


async def test_a_device_that_is_lost_is_attended_to_again_and_the_reason_shown():
    link = make_link()
    with pytest.raises(Ended):
        await link.keep_up(failing(TransientError("no route"), TransientError("hung up"), Ended()))

    assert Health(Link.DISCONNECTED, "hung up") == link.health


async def test_what_a_protocol_leaves_open_is_said_once(caplog):
    with pytest.raises(Ended):
        await make_link(PlainSettings).keep_up(failing(TransientError("no route"), Ended()))

    assert ["FILLER-1: nothing is encrypted", "FILLER-1: disconnected: no route"] == caplog.messages
