"""A certificate for 127.0.0.1 that lives as long as a test."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.process import free_port


class RtmpsEndpoint(NamedTuple):
    """Where a server is to take rtmps, on loopback."""

    description: str
    """daphne's `-e`."""
    port: int
    certificate: Path

    @classmethod
    def make(cls, folder: Path) -> RtmpsEndpoint:
        """With a certificate of its own, which is written to the folder."""
        certificate, key = self_signed(folder)
        port = free_port()
        where = f"port={port}:interface=127.0.0.1"
        description = f"rtmps:{where}:privateKey={key}:certKey={certificate}"
        return cls(description, port, certificate)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Writes a certificate and its key; returns their PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate_file, key_file
