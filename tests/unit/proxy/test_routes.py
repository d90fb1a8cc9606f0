from __future__ import annotations

import pytest

from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import find_route

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
    ],
)
def test_a_served_path_leads_to_its_operation(
    path: str, api: str, deployment: str | None, upstream_path: str
) -> None:
    route = find_route("POST", path)
    assert (route.api, route.deployment) == (api, deployment)
    assert route.upstream_path("x") == upstream_path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "/openai",
        "/openai/v1/files",
        "/openai/v1/responses/resp_1",
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
    route = find_route("POST", f"{DATED}/embeddings")
    assert route.upstream_path("a/../b c?d#ü") == (
        "/deployments/a%2F..%2Fb%20c%3Fd%23%C3%BC/embeddings"
    )
