"""Nothing goes in, a server that speaks Google Cloud Storage's XML API comes out, with one bucket in it.

Google's XML API is S3's but for three things: requests carry a token that the client has signed with an
account's key, "only if it is new" is a generation that must be 0, and what is not there cannot be deleted.
These are handled here, the rest by a real S3-compatible server.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.test import run_wsgi_app

from tests.fakes.object_server import ObjectServer, object_server

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

ACCOUNT = "gateway@faces.example"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# The server behind lets everybody in, but shows strangers only what is public.
_SIGNED_FOR_S3 = (
    "AWS4-HMAC-SHA256 Credential=someone/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
)
_REFUSAL = b"<Error><Code>AuthenticationRequired</Code><Message>Authentication required.</Message></Error>"

_NOT_THERE = b"<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


@dataclass(slots=True)
class Dialect:
    """A WSGI application in front of an S3 server's: Google's requests in, S3's out."""

    behind: WSGIApplication
    account_key: RSAPublicKey
    knows_account: bool = True

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Refuses what is not signed by the account, and hands on the rest."""
        token = environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")
        if not (self.knows_account and self._signed(token)):
            start_response("401 Unauthorized", [("Content-Type", "application/xml")])
            return [_REFUSAL]
        environ["HTTP_AUTHORIZATION"] = _SIGNED_FOR_S3
        if environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", "") == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        if environ["REQUEST_METHOD"] == "DELETE" and not self._holds(environ):
            start_response("404 Not Found", [("Content-Type", "application/xml")])
            return [_NOT_THERE]
        return self.behind(environ, start_response)

    def _holds(self, environ: WSGIEnvironment) -> bool:
        _, status, _ = run_wsgi_app(self.behind, environ | {"REQUEST_METHOD": "HEAD"})
        return status.startswith("200")

    def _signed(self, token: str) -> bool:
        head, _, rest = token.partition(".")
        claims, _, signature = rest.partition(".")
        try:
            self.account_key.verify(_decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
            claimed = json.loads(_decoded(claims))
        except (InvalidSignature, ValueError):
            return False
        return bool(claimed["sub"] == ACCOUNT and claimed["scope"] == _SCOPE)


@dataclass(frozen=True, slots=True)
class GoogleObjectServer(ObjectServer):
    """A running server that lets in whoever has the account's key."""

    dialect: Dialect = field(kw_only=True)
    google_address: str = field(kw_only=True)
    key_file: Path = field(kw_only=True)

    @property
    def environment(self) -> dict[str, str]:
        """What a client of it must have in its environment."""
        return {"GOOGLE_SERVICE_ACCOUNT": str(self.key_file), "GOOGLE_BASE_URL": self.google_address}

    @property
    def address_variable(self) -> str:
        """The part of the environment that says where it is."""
        return "GOOGLE_BASE_URL"

    @property
    def secret(self) -> str:
        """What nobody must see."""
        private_key: str = json.loads(self.key_file.read_text())["private_key"]
        return private_key.splitlines()[1]

    def empty(self) -> None:
        """Removes everything but an empty bucket, and lets the account in."""
        # Named, since a dataclass with slots is not the class that `super()` remembers.
        ObjectServer.empty(self)
        self.dialect.knows_account = True

    def refuse_everybody(self) -> None:
        """Forgets the account, until it is emptied."""
        self.dialect.knows_account = False


@contextmanager
def google_object_server(folder: Path) -> Iterator[GoogleObjectServer]:
    """Serves until the block ends. The account's key lies in the folder, as Google hands it out."""
    key = generate_private_key(public_exponent=65_537, key_size=2_048)
    key_file = folder / "google-account.json"
    key_file.write_text(_account(key))
    dialect = Dialect(DomainDispatcherApplication(create_backend_app), key.public_key())
    server = make_server("127.0.0.1", 0, dialect, threaded=True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    with object_server() as behind:
        thread.start()
        try:
            yield GoogleObjectServer(
                behind.address,
                "gs",
                dialect=dialect,
                google_address=f"http://127.0.0.1:{server.server_port}",
                key_file=key_file,
            )
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


def _account(key: RSAPrivateKey) -> str:
    private_key = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "client_email": ACCOUNT,
            "private_key": private_key,
            "private_key_id": "1",
        }
    )


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
