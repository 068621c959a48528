"""The one account's key, as clients must give it."""

import os
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """Key and secret of the account, the same at every venue; not all ask for a passphrase."""

    api_key: str
    api_secret: str = field(repr=False)
    passphrase: str = field(default="paper-passphrase", repr=False)

    @classmethod
    def from_environment(cls) -> Self:
        """From `CTS_PAPER_API_KEY`, `CTS_PAPER_API_SECRET` and `CTS_PAPER_PASSPHRASE`."""
        return cls(
            api_key=os.environ.get("CTS_PAPER_API_KEY", "paper"),
            api_secret=os.environ.get("CTS_PAPER_API_SECRET", "paper-secret"),
            passphrase=os.environ.get("CTS_PAPER_PASSPHRASE", "paper-passphrase"),
        )
