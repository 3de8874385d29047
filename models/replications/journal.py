"""What is finished, on disk: a study of thousands of fits can be killed at any moment and resumed."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

from models.faults import InvalidInput

_HEAD = b'{"description": '


class Journal:
    """Results of finished replications, one JSON line each.

    The first line describes the study. A line is on disk when `add` returns; one that was torn by a kill or a full disk
    is dropped on reading and cut off before the next line is written. Reading locks nothing; one process may write.

    Parameters
    ----------
    path : Path
        File to read and to append to; it and its folder are made by the first `begin` or `add`.
    description : mapping
        Whatever decides the results, JSON-able: scenario, seed, settings, versions.

    Raises
    ------
    InvalidInput
        The file holds a study with another description, or is no journal.
    """

    def __init__(self, path: Path, description: Mapping[str, Any]) -> None:
        self._path = path
        self._head = json.dumps({"description": description}, sort_keys=True)
        self._stream = -1
        self._read()

    def _read(self) -> None:
        self._numbers: set[int] = set()
        self._end = 0
        for line, number in self._lines():
            self._end += len(line)
            if number is not None:
                self._numbers.add(number)

    def _lines(self) -> Iterator[tuple[bytes, int | None]]:
        """Whole lines with the number of their replication; the first has none."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as stream:
            head = stream.readline()
            if head.rstrip(b"\n") != self._head.encode():
                if self._head.encode().startswith(head):  # killed while the first line was written
                    return
                raise self._other(head)
            if head.endswith(b"\n"):
                yield head, None
            for line in stream:
                try:
                    yield line, int(self._parsed(line)["number"])
                except (ValueError, KeyError, TypeError):
                    if line.endswith(b"\n") and stream.read(1):
                        raise self._broken() from None
                    return  # torn: the last line

    @staticmethod
    def _parsed(line: bytes) -> Any:
        if not line.endswith(b"\n"):
            raise ValueError("torn")
        return json.loads(line)

    def _other(self, head: bytes) -> InvalidInput:
        try:
            there = json.loads(head)["description"]
            ours = json.loads(self._head)["description"]
            keys = [key for key in sorted({*there, *ours}) if there.get(key) != ours.get(key)]
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._broken()
        why = f"Another study stands there; it differs in {', '.join(keys)}."
        return InvalidInput(f"{self._path} cannot be continued.", why, "Choose another --out, or add --force.")

    def _broken(self) -> InvalidInput:
        why = "It is no journal of replications, or was damaged after it was written."
        return InvalidInput(f"{self._path} cannot be continued.", why, "Choose another --out, or add --force.")

    def finished(self) -> set[int]:
        """Numbers of the replications that stand in it."""
        return set(self._numbers)

    def results(self) -> list[tuple[int, Any]]:
        """Every number with its result, in ascending order whatever the order of completion."""
        found = [(number, json.loads(line)["result"]) for line, number in self._lines() if number is not None]
        return sorted(found, key=itemgetter(0))

    def begin(self) -> None:
        """Make ready for writing, so that a full disk, a missing permission or another writer is known before any work.

        Raises
        ------
        InvalidInput
            Another process is writing to it.
        OSError
            Disk full, or no permission.
        """
        if self._stream >= 0:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        stream = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            _lock(stream, self._path)
            self._read()  # again: another writer may have gone on until now
            os.ftruncate(stream, self._end)
            self._stream = stream
            if self._end == 0:
                self._append(self._head)
                _flush_folder(self._path.parent)
        except BaseException:
            self._stream = -1
            os.close(stream)
            raise

    @staticmethod
    def stands_at(path: Path) -> bool:
        """Whether a file is a journal, of whatever study; an empty one was killed before its first line."""
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return _HEAD.startswith(stream.read(len(_HEAD)))

    @staticmethod
    @contextmanager
    def locked(path: Path) -> Iterator[None]:
        """Keep other writers away; `InvalidInput` where one is at work."""
        stream = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _lock(stream, path)
            yield
        finally:
            os.close(stream)

    def add(self, number: int, result: Any) -> None:
        """Append a result; it is on disk on return. A number that stands there already is left as it is.

        Parameters
        ----------
        number : int
            Of the replication.
        result : object
            JSON-able; floats come back to the last bit, NaN and infinities as well.

        Raises
        ------
        OSError
            Disk full or no permission; what was written before stays readable.
        """
        self.begin()
        if number in self._numbers:
            return
        self._append(json.dumps({"number": number, "result": result}))
        self._numbers.add(number)

    def _append(self, text: str) -> None:
        line = text.encode() + b"\n"
        try:
            written = 0
            while written < len(line):  # a nearly full disk takes a part
                written += os.pwrite(self._stream, line[written:], self._end + written)
            os.fsync(self._stream)
        except BaseException:
            os.ftruncate(self._stream, self._end)
            raise
        self._end += len(line)

    def close(self) -> None:
        """Let another process write."""
        if self._stream >= 0:
            os.close(self._stream)
            self._stream = -1


def _lock(stream: int, path: Path) -> None:
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        why = "Another process is working on the same study."
        raise InvalidInput(f"{path} is in use.", why, "Wait for it or stop it, or choose another --out.") from None


def _flush_folder(folder: Path) -> None:
    """Make a new file's name as durable as its content."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
