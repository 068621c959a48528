"""Where the twin keeps its things and on which ports it listens."""

import os
from dataclasses import dataclass, field
from pathlib import Path

# The project's root: this file is infra/local/places.py in it, also in an editable install.
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All on 127.0.0.1."""

    aws: int = 4566
    paper: int = 9443
    paper_control: int = 9444
    api: int = 8443
    console: int = 8888

    def named(self) -> dict[str, int]:
        """Each port with the words a message uses for it."""
        return {
            "AWS": self.aws,
            "the paper exchange": self.paper,
            "the paper exchange's control": self.paper_control,
            "the API": self.api,
            "the console": self.console,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of one twin; `home` is `.cts` unless CTS_HOME names another folder."""

    home: Path
    ports: Ports = field(default_factory=Ports)
    builds: Path | None = None  # another twin's build, which depends on the sources alone

    @property
    def logs(self) -> Path:
        return self.home / "logs"

    @property
    def aws_state(self) -> Path:
        return self.home / "aws"

    @property
    def paper(self) -> Path:
        return self.home / "paper"

    @property
    def paper_ca(self) -> Path:
        return self.paper / "ca.pem"

    @property
    def build(self) -> Path:
        return self.builds or self.home / "build"

    @property
    def lock(self) -> Path:
        """Outlives `--fresh`, or two twins could hold it."""
        return self.home / "up.lock"

    @property
    def backups(self) -> Path:
        """Outlives `--fresh`, which forgets what they are for."""
        return self.home / "backups"

    @property
    def status(self) -> Path:
        return self.home / "status.json"

    @property
    def token(self) -> Path:
        return self.home / "token"

    @property
    def ca(self) -> Path:
        return self.home / "ca.pem"

    @property
    def api_url(self) -> str:
        return f"https://127.0.0.1:{self.ports.api}"

    @property
    def aws_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.aws}"

    @property
    def control_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.paper_control}"


def default_home() -> Path:
    """The folder named by CTS_HOME, or `.cts` in the project."""
    return Path(os.environ.get("CTS_HOME") or ROOT / ".cts").resolve()
