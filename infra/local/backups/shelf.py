"""Where backups stand: a folder of this machine, or an S3 bucket."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from local.certificates import write_private


class Shelf(Protocol):
    """Files by name; a name is a path with slashes, such as `backup-…/orders/00001.jsonl.gz`."""

    def put(self, name: str, content: bytes) -> None:
        """Store a file whole, in place of any of that name."""
        ...

    def get(self, name: str) -> bytes | None:
        """A file's content; None if there is no such file."""
        ...

    def names(self, under: str = "") -> Iterator[str]:
        """All files whose name begins so, in order."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        ...


class FolderShelf:
    """A folder; only its owner may read what is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        write_private(self._folder / name, content)

    def get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def names(self, under: str = "") -> Iterator[str]:
        files = (f for f in self._folder.rglob("*") if f.is_file() and f.suffix != ".part")
        found = (str(file.relative_to(self._folder)) for file in files)
        yield from sorted(name for name in found if name.startswith(under))

    def remove(self, name: str) -> None:
        file = self._folder / name
        file.unlink(missing_ok=True)
        for folder in file.parents:
            if folder == self._folder or any(folder.iterdir()):
                break
            folder.rmdir()

    def __str__(self) -> str:
        return os.fspath(self._folder)


class S3Shelf:
    """A bucket, under a prefix; objects are encrypted with the bucket's own default."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket = client, bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def put(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket=self._bucket, Key=self._prefix + name, Body=content)

    def get(self, name: str) -> bytes | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = answer["Body"].read()
        return content

    def names(self, under: str = "") -> Iterator[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=self._prefix + under
        )
        for page in pages:
            for one in page.get("Contents", []):
                yield str(one["Key"]).removeprefix(self._prefix)

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._prefix + name)

    def __str__(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")
