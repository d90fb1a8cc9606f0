"""Blobs of a folder, and of a container that speaks as Azure Storage does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from aiohttp import web

from tollgate.connections import blobs
from tollgate.connections.blobs import read_json_blobs
from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.local.servers import serving


class Container:
    """A container; two blobs a page."""

    def __init__(self, content: dict[str, bytes]) -> None:
        self.content = content
        self.requests: list[web.Request] = []
        self.status = 200
        self.app = web.Application()
        self.app.router.add_get("/account/dead-letters", self._list)
        self.app.router.add_get("/account/dead-letters/{name:.+}", self._download)

    async def _list(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        if self.status != web.HTTPOk.status_code:
            return web.Response(status=self.status)
        assert (request.query["restype"], request.query["comp"]) == ("container", "list")
        names = sorted(self.content)
        start = int(request.query.get("marker", 0))
        root = ET.Element("EnumerationResults", ContainerName="dead-letters")
        found = ET.SubElement(root, "Blobs")
        for name in names[start : start + 2]:
            blob = ET.SubElement(found, "Blob")
            ET.SubElement(blob, "Name").text = name
            properties = ET.SubElement(blob, "Properties")
            ET.SubElement(properties, "BlobType").text = "BlockBlob"
            ET.SubElement(properties, "Content-Length").text = str(len(self.content[name]))
        more = str(start + 2) if start + 2 < len(names) else ""
        ET.SubElement(root, "NextMarker").text = more
        text = ET.tostring(root, xml_declaration=True, encoding="utf-8")
        return web.Response(body=text, content_type="application/xml")

    async def _download(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        content = self.content[request.match_info["name"]]
        span = f"bytes 0-{len(content) - 1}/{len(content)}"
        return web.Response(status=206, body=content, headers={"Content-Range": span})


@pytest.fixture
async def container() -> AsyncGenerator[tuple[Container, str]]:
    names = [f"TOPIC/2026/10/15/{hour}/letters.json" for hour in range(5)]
    content = {name: f'["{name}"]'.encode() for name in names}
    served = Container({**content, "TOPIC/readme.txt": b"no JSON"})
    async with serving(served.app) as url:
        yield served, f"{url}/account/dead-letters?sv=2025-01-05&sig=secret"


async def read(location: str) -> list[bytes]:
    return await asyncio.to_thread(lambda: list(read_json_blobs(location)))


async def test_every_json_blob_of_a_container_is_read(container: tuple[Container, str]) -> None:
    served, url = container
    found = await read(url)
    assert found == [body for name, body in sorted(served.content.items()) if "json" in name]
    assert all(request.query["sig"] == "secret" for request in served.requests)


async def test_a_container_that_refuses_is_told_without_its_token(
    container: tuple[Container, str],
) -> None:
    served, url = container
    served.status = 403
    with pytest.raises(
        StoreUnavailable, match="the container of blobs: HttpResponseError"
    ) as refused:
        await read(url)
    assert "secret" not in str(refused.value)


async def test_without_a_token_our_identity_signs_in_and_never_over_plain_http(
    container: tuple[Container, str],
) -> None:
    served, url = container
    with pytest.raises(SettingsError, match="no URL of a container"):
        await read(url.partition("?")[0])
    assert served.requests == []


def test_every_json_file_of_a_folder_is_read(tmp_path: Path) -> None:
    for name in ("b/2.json", "a/1.json", "a/note.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert list(read_json_blobs(str(tmp_path))) == [b"a/1.json", b"b/2.json"]


def test_a_place_that_is_none_is_told() -> None:
    with pytest.raises(SettingsError, match="/nowhere: no folder, and no URL of a container"):
        list(read_json_blobs("/nowhere"))


def test_a_blob_beyond_all_bounds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "MAX_BLOB_BYTES", 3)
    (tmp_path / "big.json").write_text("1234")
    with pytest.raises(SettingsError, match=r"big\.json: 4 bytes is over 3"):
        list(read_json_blobs(str(tmp_path)))
