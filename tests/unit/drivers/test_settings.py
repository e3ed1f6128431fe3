"""What the three device models refuse, and what they take."""

import pytest
from pydantic import ValidationError

from gateway.drivers.modbus import ModbusSettings
from gateway.drivers.mqtt import MqttSettings
from gateway.drivers.opcua import OpcUaSettings

COUNTER = {"counts": "good", "modulus": 65536, "max_rate": "20/s"}
DEVICE = {"device": "FILLER-1", "line": "L1"}


@pytest.fixture
def pem(tmp_path):
    file = tmp_path / "file.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\n")
    return str(file)


def opcua(**changed) -> dict:
    return {
        **DEVICE,
        "kind": "opcua",
        "endpoint": "opc.tcp://192.0.2.10:4840/",
        "security_policy": "None",
        "signals": {"good": {"node": "ns=2;s=Filler.Good", "counter": COUNTER}},
        **changed,
    }


def modbus(register: dict | None = None, **changed) -> dict:
    good = {"register": "holding", "address": 0, "type": "uint32", "counter": COUNTER, **(register or {})}
    return {**DEVICE, "kind": "modbus", "controller": "tcp://192.0.2.11:502", "signals": {"good": good}, **changed}


def mqtt(signal: dict | None = None, **changed) -> dict:
    case = {"topic": "line1/packer/case_sealed", "event": {"id": "$.id"}, **(signal or {})}
    return {**DEVICE, "kind": "mqtt", "broker": "mqtt://192.0.2.12", "signals": {"case_sealed": case}, **changed}


def refusal(model, document: dict) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(document)
    return str(caught.value)


def test_opcua_without_encryption_has_to_be_written_down():
    document = opcua()
    del document["security_policy"]

    assert "security_policy\n  Field required" in refusal(OpcUaSettings, document)


def test_opcua_takes_an_explicit_none():
    assert "None" == OpcUaSettings.model_validate(opcua()).security_policy


@pytest.mark.parametrize("node", ["Filler.Good", "ns=x;s=Good", ""])
def test_opcua_refuses_what_is_no_node_id(node):
    signals = {"good": {"node": node, "counter": COUNTER}}

    assert "is no node id; write ns=2;s=Filler.Good" in refusal(OpcUaSettings, opcua(signals=signals))


def test_opcua_takes_a_node_by_its_namespace_uri():
    signals = {"good": {"node": "nsu=urn:maker:plc;s=Good", "counter": COUNTER}}

    assert OpcUaSettings.model_validate(opcua(signals=signals))


def test_opcua_refuses_another_scheme():
    assert "write opc.tcp://host:4840" in refusal(OpcUaSettings, opcua(endpoint="http://plc"))


def test_opcua_never_sends_a_password_over_none(pem):
    user = {"name": "backflush", "password": {"file": pem}}

    assert "in the clear" in refusal(OpcUaSettings, opcua(user=user))


def test_opcua_policy_needs_a_certificate_of_ours():
    assert "needs certificate and private_key" in refusal(OpcUaSettings, opcua(security_policy="Basic256Sha256"))


def test_opcua_policy_needs_somebody_to_believe(pem):
    document = opcua(security_policy="Basic256Sha256", certificate=pem, private_key=pem)

    assert "needs trust or server_certificate" in refusal(OpcUaSettings, document)


def test_opcua_password_needs_encryption_and_not_just_a_signature(pem):
    document = opcua(
        security_policy="Basic256Sha256",
        security_mode="Sign",
        certificate=pem,
        private_key=pem,
        server_certificate=pem,
        user={"name": "backflush", "password": {"file": pem}},
    )

    assert "needs security_mode SignAndEncrypt" in refusal(OpcUaSettings, document)


def test_opcua_takes_a_policy_with_a_pinned_server(pem):
    document = opcua(security_policy="Aes256_Sha256_RsaPss", certificate=pem, private_key=pem, server_certificate=pem)

    assert "SignAndEncrypt" == OpcUaSettings.model_validate(document).security_mode


@pytest.mark.parametrize(
    ("register", "address", "offset"),
    [
        ("holding", 40001, 0),
        ("holding", "400011", 10),
        ("input", 30002, 1),
        ("discrete", 10001, 0),
        ("coil", "40003", 2),
    ],
)
def test_modbus_refuses_a_number_that_counts_from_one(register, address, offset):
    document = modbus({"register": register, "address": address})
    if register in ("discrete", "coil"):
        del document["signals"]["good"]["counter"]

    assert f"write the zero-based offset {offset}" in refusal(ModbusSettings, document)


@pytest.mark.parametrize(("register", "address"), [("holding", 10001), ("holding", 40000), ("input", 50000)])
def test_modbus_takes_a_high_offset(register, address):
    assert ModbusSettings.model_validate(modbus({"register": register, "address": address}))


def test_modbus_refuses_a_number_beyond_the_last_register():
    assert "ends beyond 65535" in refusal(ModbusSettings, modbus({"address": 65535}))


@pytest.mark.parametrize(
    ("number", "modulus"),
    [("int16", 32768), ("uint16", 65536), ("int32", 2**31), ("uint32", 2**32), ("uint64", 2**64), ("float32", 2**24)],
)
def test_modbus_refuses_a_modulus_that_the_register_never_reaches(number, modulus):
    def counting(modulus: int) -> dict:
        return modbus({"type": number, "counter": {**COUNTER, "modulus": modulus}})

    assert ModbusSettings.model_validate(counting(modulus))
    assert f"a modulus of {modulus + 1} is never reached" in refusal(ModbusSettings, counting(modulus + 1))


def test_modbus_counts_no_pulses():
    assert "pulses are missed" in refusal(ModbusSettings, modbus({"register": "coil"}))


@pytest.mark.parametrize("alias", ["device_id", "slave_id", "unit_id"])
def test_modbus_knows_the_unit_by_its_other_names(alias):
    assert 7 == ModbusSettings.model_validate(modbus(**{alias: 7})).device_id


def test_modbus_tls_needs_its_scheme():
    assert "tls needs a controller at tls://" in refusal(ModbusSettings, modbus(tls={}))


def test_mqtt_never_sends_a_password_in_the_clear_by_accident(pem):
    user = {"name": "backflush", "password": {"file": pem}}

    assert "allow_plaintext_password: true" in refusal(MqttSettings, mqtt(user=user))


def test_mqtt_sends_a_password_in_the_clear_when_told_so(pem):
    user = {"name": "backflush", "password": {"file": pem}}

    assert MqttSettings.model_validate(mqtt(user=user, allow_plaintext_password=True))


def test_mqtt_tls_needs_its_scheme():
    assert "tls needs a broker at mqtts://" in refusal(MqttSettings, mqtt(tls={}))


@pytest.mark.parametrize("qos", [0, 2])
def test_mqtt_takes_no_other_quality_of_service_than_1(qos):
    assert "qos\n  Input should be 1" in refusal(MqttSettings, mqtt(qos=qos))


def test_mqtt_refuses_an_event_without_identity():
    assert "needs an id or a sequence" in refusal(MqttSettings, mqtt({"event": {"quantity": "$.n"}}))


def test_mqtt_refuses_a_bad_path():
    assert "'id' is no JSON path" in refusal(MqttSettings, mqtt({"event": {"id": "id"}}))


@pytest.mark.parametrize("decimals", [-1, 13])
def test_a_quantity_is_rounded_to_decimals_that_a_quantity_may_have(decimals):
    assert "decimals" in refusal(MqttSettings, mqtt({"event": {"id": "$.id", "decimals": decimals}}))


@pytest.mark.parametrize("signal", [{"event": None}, {"value": "$.n"}])
def test_mqtt_wants_either_event_or_value(signal):
    assert "give either event" in refusal(MqttSettings, mqtt(signal))


def test_mqtt_refuses_a_counter_that_is_an_event():
    assert "a counter is no event" in refusal(MqttSettings, mqtt({"counter": COUNTER}))


@pytest.mark.parametrize("topic", ["a/#/b", "a/b#", "a+/b", "#a"])
def test_mqtt_refuses_a_misplaced_wildcard(topic):
    assert "is no topic" in refusal(MqttSettings, mqtt({"topic": topic}))


@pytest.mark.parametrize("topic", ["#", "a/#", "+/b", "a/+/c"])
def test_mqtt_takes_wildcards_where_they_belong(topic):
    assert MqttSettings.model_validate(mqtt({"topic": topic}))


def test_mqtt_client_id_comes_from_the_device_and_stays_the_same():
    assert "backflush-FILLER-1" == MqttSettings.model_validate(mqtt()).connection().client_id
