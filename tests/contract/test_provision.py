"""The Bicep against the function, the event's schema and Event Grid's terms."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tollgate.ledger.outcome import LedgerLimits

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "provision"
FILES = {path.name: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.bicep"))}
README = (FOLDER / "README.md").read_text("utf-8")
SCHEMA: dict[str, Any] = json.loads(
    (ROOT / "tollgate/usage/usage_event.v1.json").read_text("utf-8")
)

REGISTERED = re.findall(
    r'function_name\("(\w+)"\)\n@blueprint\.event_grid_trigger\(',
    "".join(path.read_text("utf-8") for path in (ROOT / "tollgate/functions").glob("*.py")),
)
EVENTGRID_DATA_SENDER = "d5a91429-5739-47e2-a06b-3470a27159e7"
EVENT_HUBS_DATA_SENDER = "2b629674-e913-4c01-ae53-ef4638d8f975"
EVENT_HUBS_DATA_RECEIVER = "a638d3c7-ab3a-418d-83e6-5f17a39d4fde"
STORAGE_BLOB_DATA_CONTRIBUTOR = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"

every_subscription = pytest.mark.parametrize(
    "subscription", ["usage_subscription.bicep", "archive_subscription.bicep"]
)
every_file = pytest.mark.parametrize("name", FILES)


def settings(name: str) -> dict[str, str]:
    """Each `key: value` of a file that stands on one line; text values without their quotes."""
    lines = re.findall(r"^\s*(\w+): (.+)$", FILES[name], re.MULTILINE)
    return {key: value.strip("'") for key, value in lines}


def resources(name: str) -> list[str]:
    return re.findall(r"^resource \w+ '([^@']+)@\d{4}-\d{2}-\d{2}'", FILES[name], re.MULTILINE)


def params(text: str) -> set[str]:
    return set(re.findall(r"^param (\w+) ", text, re.MULTILINE))


def modules() -> dict[str, str]:
    """Module file to the text of its declaration in main.bicep."""
    found = re.findall(
        r"^module \w+ '([^']+)'(.*?)^\}", FILES["main.bicep"], re.MULTILINE | re.DOTALL
    )
    return dict(found)


def undescribed(text: str) -> list[str]:
    """Parameters and outputs without a description among their decorators."""
    declared = re.findall(r"((?:^@.*\n)*)^(?:param|output) (\w+) ", text, re.MULTILINE)
    return [name for decorators, name in declared if "@description('" not in decorators]


def test_events_go_to_the_registered_function() -> None:
    named = re.findall(r"'\$\{functionAppId\}/functions/(\w+)'", FILES["usage_subscription.bicep"])
    assert named == REGISTERED == ["usage_event_grid"]


@every_subscription
def test_only_the_schemas_event_type_is_delivered(subscription: str) -> None:
    included = re.search(r"includedEventTypes: \[\s*'([^']+)'\s*\]", FILES[subscription])
    assert included is not None
    assert included[1] == SCHEMA["properties"]["type"]["const"]


@every_subscription
def test_events_are_cloudevents_on_both_sides_of_the_topic(subscription: str) -> None:
    assert settings("usage_topic.bicep")["inputSchema"] == "CloudEventSchemaV1_0"
    assert settings(subscription)["eventDeliverySchema"] == "CloudEventSchemaV1_0"


def test_each_event_is_acknowledged_alone() -> None:
    assert settings("usage_subscription.bicep")["maxEventsPerBatch"] == "1"


@every_subscription
def test_each_event_is_retried_for_a_day(subscription: str) -> None:
    terms = settings(subscription)
    assert terms["maxDeliveryAttempts"] == "30"
    assert terms["eventTimeToLiveInMinutes"] == "1440"


@every_subscription
def test_undeliverable_events_are_kept_by_the_topics_identity(subscription: str) -> None:
    text = FILES[subscription]
    kept = re.search(r"deadLetterWithResourceIdentity: \{\s*identity: \{\s*type: '(\w+)'", text)
    assert kept is not None
    assert kept[1] == "SystemAssigned"
    assert "blobContainerName: deadLetterContainerName" in text


@pytest.mark.parametrize("broker", ["usage_topic.bicep", "hub_namespace.bicep"])
def test_a_broker_takes_no_keys(broker: str) -> None:
    assert settings(broker)["disableLocalAuth"] == "true"


@pytest.mark.parametrize("store", ["dead_letters.bicep", "usage_archive.bicep"])
def test_a_store_takes_no_keys_and_is_not_public(store: str) -> None:
    assert settings(store)["allowSharedKeyAccess"] == "false"
    assert settings(store)["allowBlobPublicAccess"] == "false"


@pytest.mark.parametrize(
    ("name", "role", "principal"),
    [
        ("usage_topic.bicep", EVENTGRID_DATA_SENDER, "principalId"),
        ("dead_letters.bicep", STORAGE_BLOB_DATA_CONTRIBUTOR, "topicPrincipalId"),
        ("usage_archive.bicep", STORAGE_BLOB_DATA_CONTRIBUTOR, "namespacePrincipalId"),
    ],
)
def test_writer_has_the_role_that_it_needs(name: str, role: str, principal: str) -> None:
    roles = re.findall(r"'([0-9a-f]{8}-[0-9a-f-]{27})'", FILES[name])
    assert roles == [role]
    assert f"principalId: {principal}\n" in FILES[name]
    assert "Microsoft.Authorization/roleAssignments" in resources(name)


def test_sender_and_receiver_have_the_roles_of_a_hub() -> None:
    text = FILES["usage_hub.bicep"]
    assert re.findall(r"^var (\w+) = '([0-9a-f-]{36})'$", text, re.MULTILINE) == [
        ("eventHubsDataSender", EVENT_HUBS_DATA_SENDER),
        ("eventHubsDataReceiver", EVENT_HUBS_DATA_RECEIVER),
    ]
    for who, role in (("sender", "eventHubsDataSender"), ("receiver", "eventHubsDataReceiver")):
        loop = rf"for principalId in {who}PrincipalIds: \{{\s*scope: hub\s.*?, {role}\)\n    \}}"
        assert re.search(loop, text, re.DOTALL)


def test_the_topic_may_send_to_the_hub() -> None:
    senders = "senderPrincipalIds: union(senderPrincipalIds, [topic.outputs.principalId])"
    assert senders in modules()["usage_hub.bicep"]
    assert "deliveryWithResourceIdentity" in FILES["archive_subscription.bicep"]


def test_the_ledger_remembers_longer_than_the_hub_keeps() -> None:
    hours = int(settings("usage_hub.bicep")["retentionTimeInHours"])
    assert hours * 3600 < LedgerLimits().memory_s
    assert settings("usage_hub.bicep")["cleanupPolicy"] == "Delete"


def test_capture_keeps_every_event_well_before_an_audit_looks() -> None:
    terms = settings("usage_hub.bicep")
    assert (terms["enabled"], terms["encoding"]) == ("true", "Avro")
    assert "name: 'EventHubArchive.AzureBlockBlob'" in FILES["usage_hub.bicep"]
    assert terms["skipEmptyArchives"] == "true"
    assert 60 <= int(terms["intervalInSeconds"]) <= 15 * 60
    assert 10 * 1024**2 <= int(terms["sizeLimitInBytes"]) <= 500 * 1024**2
    for part in ("Namespace", "EventHub", "PartitionId", "Year", "Month", "Day", "Hour", "Minute"):
        assert f"{{{part}}}" in terms["archiveNameFormat"]


def test_a_tenants_events_keep_to_one_partition_by_event_grid_too() -> None:
    mapping = re.search(
        r"name: 'PartitionKey'\s*type: 'Dynamic'\s*properties: \{\s*sourceField: '([\w.]+)'",
        FILES["archive_subscription.bicep"],
    )
    assert mapping is not None
    assert mapping[1] == "data.tenant"
    assert "tenant" in SCHEMA["$defs"]["data"]["properties"]


def test_the_hub_and_all_that_goes_with_it_are_left_out_where_none_is_named() -> None:
    assert "var hasHub = !empty(hubNamespaceName)" in FILES["main.bicep"]
    assert "param hubNamespaceName string = ''" in FILES["main.bicep"]
    for name in (
        "hub_namespace.bicep",
        "usage_archive.bicep",
        "usage_hub.bicep",
        "archive_subscription.bicep",
    ):
        assert modules()[name].startswith(" = if (hasHub)")


def test_subscription_waits_for_the_function_app() -> None:
    assert modules()["usage_subscription.bicep"].startswith(" = if (!empty(functionAppId))")
    assert "param functionAppId string = ''" in FILES["main.bicep"]


def test_dead_letters_are_ready_before_the_subscription() -> None:
    assert "deadLetters.outputs.accountId" in modules()["usage_subscription.bicep"]


def test_main_gives_each_module_its_parameters() -> None:
    assert {*modules(), "main.bicep"} == set(FILES)
    for name, declaration in modules().items():
        given = re.findall(r"^    (\w+): ", declaration, re.MULTILINE)
        assert set(given) == params(FILES[name])


def test_main_uses_only_outputs_that_a_module_has() -> None:
    used = set(re.findall(r"!?\.outputs\.(\w+)", FILES["main.bicep"]))
    given = re.findall(r"^output (\w+) ", "\n".join(FILES.values()), re.MULTILINE)
    assert used <= set(given)


@every_file
def test_parameters_and_outputs_are_described(name: str) -> None:
    assert undescribed(FILES[name]) == []


def test_missing_description_is_found() -> None:
    assert undescribed("@minLength(3)\nparam topicName string\n") == ["topicName"]


@every_file
def test_brackets_close_in_order(name: str) -> None:
    text = re.sub(r"//.*|'(?:\\.|[^'\\])*'", "", FILES[name])
    rest = re.sub(r"[^()\[\]{}]", "", text)
    while rest != (rest := re.sub(r"\(\)|\[\]|\{\}", "", rest)):
        pass
    assert rest == ""


@every_file
def test_readme_says_what_the_file_deploys(name: str) -> None:
    assert f"| `{name}` |" in README


@every_file
def test_no_secret_stands_in_the_bicep(name: str) -> None:
    assert not re.search(r"(?i)listkeys|sharedaccess|accountkey|password", FILES[name])
