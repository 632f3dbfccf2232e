"""Servers for the tests of this folder."""

import datetime
import ssl
from contextlib import ExitStack

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.server.daphne import Daphne, daphne_command

RTMP = "rtmp:port=0:interface=127.0.0.1"
HTTP = "tcp:port=0:interface=127.0.0.1"


@pytest.fixture
def start_daphne():
    """Starts daphne with these endpoints; stopped at the end."""
    started = []

    def start(*endpoints, **environment):
        server = Daphne(daphne_command(*endpoints), environment)
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def module_daphne():
    """Starts daphne with these endpoints; stopped after the module's tests."""
    with ExitStack() as servers:

        def start(*endpoints):
            server = Daphne(daphne_command(*endpoints))
            servers.callback(server.stop)
            return server

        yield start


@pytest.fixture(scope="module")
def shared_daphne():
    """One server for the tests of a module that leave it as they found it."""
    server = Daphne(daphne_command(RTMP))
    server.wait_for_log("Listening on")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rtmp_port(shared_daphne):
    return shared_daphne.port()


@pytest.fixture
def certificate(tmp_path):
    """A self-signed certificate for 127.0.0.1: (key file, certificate file)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .sign(key, hashes.SHA256())
    )
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "cert.pem"
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certificate_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


def trusting_nobody():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
