"""Reads JSON blobs: from a container of Azure Storage, or from a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from tollgate.errors import SettingsError, StoreUnavailable

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

MAX_BLOB_BYTES: Final = 64 * 1024 * 1024
_SUFFIX: Final = ".json"
_SCHEMES: Final = ("https", "http")  # http is for an emulator: the SDK sends no token over it


def read_json_blobs(location: str) -> Iterator[bytes]:
    """The content of every `.json` blob, by name.

    Args:
        location: A container's URL, with a SAS token or else for this process's Entra identity; or
            a folder.

    Raises:
        SettingsError: It is neither, or a blob is over 64 MB.
        StoreUnavailable: The storage does not answer, or refuses.
    """
    if urlsplit(location).scheme in _SCHEMES:
        return _from_container(location)
    return _from_folder(Path(location))


def _from_folder(folder: Path) -> Iterator[bytes]:
    if not folder.is_dir():
        raise SettingsError([f"{folder}: no folder, and no URL of a container"])
    for path in sorted(folder.rglob(f"*{_SUFFIX}")):
        _check_size(str(path), path.stat().st_size)
        yield path.read_bytes()


def _from_container(url: str) -> Iterator[bytes]:
    from azure.core.exceptions import AzureError  # noqa: PLC0415  only where blobs are read

    try:
        with _client(url) as client:
            for blob in client.list_blobs():
                if blob.name.endswith(_SUFFIX):
                    _check_size(blob.name, blob.size)
                    yield client.download_blob(blob.name).readall()
    except AzureError as error:  # its text may hold the URL, and so the SAS token
        raise StoreUnavailable(f"the container of blobs: {type(error).__name__}") from None


def _client(url: str) -> ContainerClient:
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  same
    from azure.storage.blob import ContainerClient  # noqa: PLC0415  same

    has_token = "sig" in parse_qs(urlsplit(url).query)
    try:
        credential = None if has_token else DefaultAzureCredential()
        return ContainerClient.from_container_url(url, credential)
    except ValueError:  # its text may hold the URL
        raise SettingsError(
            ["no URL of a container: https://ACCOUNT.blob…/CONTAINER[?SAS]"]
        ) from None


def _check_size(name: str, size_bytes: int) -> None:
    if size_bytes > MAX_BLOB_BYTES:
        raise SettingsError([f"{name}: {size_bytes} bytes is over {MAX_BLOB_BYTES}"])
