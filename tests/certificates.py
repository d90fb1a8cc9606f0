"""Certificates for servers that tests start.

Name it in `pytest_plugins` to have its fixtures; it may be imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NAME: Final = "name.region.redis.test"
LOCALHOST: Final = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
)


@pytest.fixture
def known_name(monkeypatch: pytest.MonkeyPatch) -> str:
    """The certificate's name, which this process finds on this machine."""
    find: Any = socket.getaddrinfo

    def find_here(host: str, *args: Any, **options: Any) -> Any:
        return find("127.0.0.1" if host == NAME else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", find_here)
    return NAME


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for that name, and for no address."""
    return signed_by_itself(tmp_path_factory.mktemp("certificate"), x509.DNSName(NAME))


def signed_by_itself(folder: Path, *names: x509.GeneralName) -> Path:
    """A file with a key and a certificate for `names`, else for this machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a certificate must be valid today
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names or LOCALHOST), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "certificate.pem"
    file.write_bytes(key.private_bytes(pem, pkcs8, plain) + certificate.public_bytes(pem))
    return file
