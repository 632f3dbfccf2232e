"""The certificate of an `rtmps:` endpoint."""

from __future__ import annotations

import ssl
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two PEM files; they may be the same one."""

    key_file: str
    certificate_file: str
    """The certificate, followed by its chain."""

    def ssl_context(self) -> ssl.SSLContext:
        """A server's context, TLS 1.2 and later.

        Raises OSError (ssl.SSLError is one) with the file's name when it cannot be read.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.num_tickets = 0  # librtmp with GnuTLS takes a TLS 1.3 session ticket for an error
        try:
            context.load_cert_chain(self.certificate_file, self.key_file)
        except OSError as error:
            files = f"{self.certificate_file}, {self.key_file}"
            raise OSError(f"cannot load the certificate ({files}): {error}") from error
        return context
