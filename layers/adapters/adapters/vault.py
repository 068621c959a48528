"""Exchange credentials under a KMS key: whoever may not use the key cannot open them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from adapters import environment
from adapters.aws import client
from engine.errors import CredentialsError, RefusedError, RetryableError

MAX_BYTES = 4096  # what KMS encrypts directly
_BUSY_CODES = frozenset(
    {
        "DependencyTimeoutException",
        "KMSInternalException",
        "RequestLimitExceeded",
        "ThrottlingException",
    }
)


class Credentials(Mapping[str, str]):
    """Opened credentials, which neither `repr` nor a traceback shows."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Credentials({', '.join(sorted(self._values))})"


class KmsVault:
    """`engine.ports.Vault`; the connection's id is bound into what is sealed."""

    def seal(self, connection_id: str, credentials: Mapping[str, str]) -> bytes:
        """Encrypt them for this connection alone.

        Raises
        ------
        RefusedError
            If they are longer than the key encrypts.
        RetryableError
            If the key service did not answer.
        """
        plain = json.dumps(dict(credentials)).encode()
        if len(plain) > MAX_BYTES:
            raise RefusedError(f"credentials must be at most {MAX_BYTES} bytes, were {len(plain)}")
        answer = _called(
            "encrypt",
            connection_id,
            KeyId=environment.required("CTS_KMS_KEY_ID"),
            Plaintext=plain,
        )
        return bytes(answer["CiphertextBlob"])

    def open(self, connection_id: str, sealed: bytes) -> Mapping[str, str]:
        """Decrypt what `seal` sealed for this connection.

        Raises
        ------
        CredentialsError
            If it was sealed for another connection or key, or this process may not open it.
        RetryableError
            If the key service did not answer.
        """
        answer = _called("decrypt", connection_id, CiphertextBlob=sealed)
        return Credentials(json.loads(answer["Plaintext"]))


def _called(operation: str, connection_id: str, **arguments: Any) -> dict[str, Any]:
    """The key service's answer; its errors go up by kind, without what was sent."""
    try:
        call = getattr(client("kms"), operation)
        answer: dict[str, Any] = call(
            EncryptionContext={"connection_id": connection_id}, **arguments
        )
    except ClientError as e:
        code = e.response["Error"]["Code"]
        kind = RetryableError if code in _BUSY_CODES else CredentialsError
        raise kind(f"cannot {operation} the credentials of {connection_id}: {code}") from None
    except BotoCoreError as e:
        name = type(e).__name__
        raise RetryableError(
            f"cannot {operation} the credentials of {connection_id}: {name}"
        ) from None
    return answer
