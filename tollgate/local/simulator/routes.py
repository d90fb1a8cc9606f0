"""From a URL to the operation that it names, for the dated API and for v1."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tollgate.local.simulator.refusals import invalid_request, resource_not_found

Operation: TypeAlias = Literal[
    "chat.completions",
    "completions",
    "embeddings",
    "responses",
    "responses.get",
    "responses.delete",
    "responses.cancel",
    "responses.input_items",
    "images.generations",
    "images.edits",
    "audio.transcriptions",
    "audio.translations",
    "audio.speech",
    "models",
]

# The operation's name in Azure's own messages.
OPERATION_NAMES: dict[Operation, str] = {
    "chat.completions": "ChatCompletions_Create",
    "completions": "Completions_Create",
    "embeddings": "Embeddings_Create",
    "responses": "Responses_Create",
    "responses.get": "Responses_Get",
    "responses.delete": "Responses_Delete",
    "responses.cancel": "Responses_Cancel",
    "responses.input_items": "Responses_ListInputItems",
    "images.generations": "ImageGenerations_Create",
    "images.edits": "Images_Edit",
    "audio.transcriptions": "Transcriptions_Create",
    "audio.translations": "Translations_Create",
    "audio.speech": "Speech_Create",
    "models": "Models_List",
}

_DATED_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
# What a deployment can be asked for, by the end of the path; the same on both APIs.
_BY_SEGMENT: dict[str, Operation] = {
    "chat/completions": "chat.completions",
    "completions": "completions",
    "embeddings": "embeddings",
    "images/generations": "images.generations",
    "images/edits": "images.edits",
    "audio/transcriptions": "audio.transcriptions",
    "audio/translations": "audio.translations",
    "audio/speech": "audio.speech",
}
_SEGMENTS = "|".join(_BY_SEGMENT)
_IN_DEPLOYMENT = re.compile(rf"/openai/deployments/([^/]+)/({_SEGMENTS})")
_STORED = re.compile(r"/openai/(?:v1/)?responses/([^/]+)(?:/(cancel|input_items))?")
_ROUTES: dict[tuple[str, str], Operation] = {
    **{("POST", f"/openai/v1/{segment}"): done for segment, done in _BY_SEGMENT.items()},
    ("POST", "/openai/v1/responses"): "responses",
    ("GET", "/openai/v1/models"): "models",
    ("POST", "/openai/responses"): "responses",
    ("GET", "/openai/models"): "models",
}
_ON_STORED: dict[tuple[str, str | None], Operation] = {
    ("GET", None): "responses.get",
    ("DELETE", None): "responses.delete",
    ("POST", "cancel"): "responses.cancel",
    ("GET", "input_items"): "responses.input_items",
}

# Source of both dates: the api-version in which Azure added the feature.
_FIRST_STREAM_USAGE = "2024-09-01"
_FIRST_RESPONSES = "2025-03-01"


@dataclass(frozen=True, slots=True)
class Route:
    """What a URL asks for.

    Attributes:
        operation: What to do.
        api_version: "v1", or the date of a dated one.
        deployment: Deployment in the path; None where the body's `model` names it.
        response_id: The stored answer that the path names.
    """

    operation: Operation
    api_version: str
    deployment: str | None = None
    response_id: str | None = None

    @property
    def takes_stream_usage(self) -> bool:
        """Whether this api-version knows `stream_options.include_usage`."""
        return self.api_version >= _FIRST_STREAM_USAGE


def find_route(method: str, path: str, api_version: str | None) -> Route:
    """The route of a call.

    Args:
        method: HTTP method.
        path: Decoded path, without the query.
        api_version: The query's `api-version`, which the dated API needs.

    Raises:
        Refusal: 404 for an unknown path or version, 400 for a version older than the operation.
    """
    version = "v1" if path.startswith("/openai/v1/") else _dated(api_version)
    route = _match(method, path, version)
    if route is None:
        raise resource_not_found()
    if route.operation.startswith("responses") and version < _FIRST_RESPONSES:
        raise invalid_request(
            "Azure OpenAI Responses API is enabled only for api-version 2025-03-01-preview and "
            "later",
            code="BadRequest",
        )
    return route


def _dated(api_version: str | None) -> str:
    if api_version is None or not _DATED_VERSION.fullmatch(api_version):
        raise resource_not_found()
    return api_version


def _match(method: str, path: str, version: str) -> Route | None:
    if operation := _ROUTES.get((method, path)):
        return Route(operation, version)
    if method == "POST" and (found := _IN_DEPLOYMENT.fullmatch(path)):
        return Route(_BY_SEGMENT[found[2]], version, deployment=found[1])
    found = _STORED.fullmatch(path)
    if found and (operation := _ON_STORED.get((method, found[2]))):
        return Route(operation, version, response_id=found[1])
    return None
