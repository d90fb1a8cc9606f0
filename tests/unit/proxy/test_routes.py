from __future__ import annotations

import pytest
from proxying import route

from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import ListRoute, StoredRoute, find_route

DATED = "/openai/deployments/mini"


@pytest.mark.parametrize(
    ("path", "api", "deployment", "upstream_path"),
    [
        (
            f"{DATED}/chat/completions",
            "chat.completions",
            "mini",
            "/deployments/x/chat/completions",
        ),
        (f"{DATED}/completions", "completions", "mini", "/deployments/x/completions"),
        (f"{DATED}/embeddings", "embeddings", "mini", "/deployments/x/embeddings"),
        ("/openai/responses", "responses", None, "/responses"),
        ("/openai/v1/chat/completions", "chat.completions", None, "/v1/chat/completions"),
        ("/openai/v1/responses", "responses", None, "/v1/responses"),
        ("/v1/embeddings", "embeddings", None, "/v1/embeddings"),
        ("/v1/completions", "completions", None, "/v1/completions"),
        (
            f"{DATED}/images/generations",
            "images.generations",
            "mini",
            "/deployments/x/images/generations",
        ),
        ("/openai/v1/images/edits", "images.edits", None, "/v1/images/edits"),
        ("/v1/audio/speech", "audio.speech", None, "/v1/audio/speech"),
        ("/v1/audio/translations", "audio.translations", None, "/v1/audio/translations"),
        (
            f"{DATED}/audio/transcriptions",
            "audio.transcriptions",
            "mini",
            "/deployments/x/audio/transcriptions",
        ),
    ],
)
def test_a_served_path_leads_to_its_operation(
    path: str, api: str, deployment: str | None, upstream_path: str
) -> None:
    found = route(path)
    assert (found.api, found.deployment) == (api, deployment)
    assert found.upstream_path("x") == upstream_path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/openai",
        "/openai/v1/files",
        "/openai/v1/responses/resp_1/other",
        "/openai/deployments/mini/models/x",
        "/openai/v1/chat/completions/",
        "/openai//v1/chat/completions",
        "//openai/v1/chat/completions",
        "/openai/v1/../v1/chat/completions",
        "/openai/deployments//chat/completions",
        "/openai/deployments/a/b/chat/completions",
        "/openai/deployments/mini/responses",
        "/OPENAI/v1/chat/completions",
        "/openai/v1/chat/completions\n",
        "/" + "a" * 100_000,
    ],
)
def test_any_other_path_is_not_found(path: str) -> None:
    with pytest.raises(Refusal) as refused:
        find_route("POST", path)
    assert (refused.value.status, refused.value.code) == (404, "not_found")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])
def test_only_post_is_served(method: str) -> None:
    with pytest.raises(Refusal) as refused:
        find_route(method, "/v1/responses")
    assert refused.value.status == 405
    assert ("allow", "POST") in refused.value.answer().headers


def test_a_deployments_name_cannot_change_the_path() -> None:
    assert route(f"{DATED}/embeddings").upstream_path("a/../b c?d#ü") == (
        "/deployments/a%2F..%2Fb%20c%3Fd%23%C3%BC/embeddings"
    )


@pytest.mark.parametrize(
    ("method", "path", "action", "upstream_path"),
    [
        ("GET", "/openai/v1/responses/resp_1", "retrieve", "/v1/responses/resp_1"),
        ("DELETE", "/v1/responses/resp_1", "delete", "/v1/responses/resp_1"),
        ("POST", "/openai/responses/resp_1/cancel", "cancel", "/responses/resp_1/cancel"),
        ("GET", "/openai/responses/r/input_items", "input_items", "/responses/r/input_items"),
    ],
)
def test_a_stored_response_has_its_routes(
    method: str, path: str, action: str, upstream_path: str
) -> None:
    found = find_route(method, path)
    assert isinstance(found, StoredRoute)
    assert (found.action, found.api) == (action, f"responses.{action}")
    assert (found.method, found.upstream_path) == (method, upstream_path)


def test_a_method_that_a_stored_response_does_not_know_is_refused_with_those_it_knows() -> None:
    with pytest.raises(Refusal) as refused:
        find_route("PUT", "/v1/responses/resp_1")
    assert ("allow", "GET, DELETE") in refused.value.answer().headers


@pytest.mark.parametrize(
    ("path", "api", "name"),
    [
        ("/openai/v1/models", "models.list", None),
        ("/v1/models/gpt-4o", "models.retrieve", "gpt-4o"),
        ("/openai/models", "models.list", None),
        ("/openai/deployments", "deployments.list", None),
        ("/openai/deployments/mini", "deployments.retrieve", "mini"),
    ],
)
def test_what_is_served_can_be_listed(path: str, api: str, name: str | None) -> None:
    found = find_route("GET", path)
    assert isinstance(found, ListRoute)
    assert (found.api, found.name) == (api, name)
    with pytest.raises(Refusal, match="use GET"):
        find_route("POST", path)
