"""What is finished, on disk: a study of thousands of fits can be killed at any moment and resumed."""

from __future__ import annotations

import fcntl
import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any

from models.faults import InvalidInput

_HEAD = b'{"description": '
DAMAGED = "It is no journal of replications, or was damaged after it was written."


class Journal:
    """Results of finished replications, one JSON line each, only ever appended to.

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
        self._head = json.dumps({"description": description}, sort_keys=True).encode() + b"\n"
        self._stream: io.FileIO | None = None
        self._read()

    def _read(self) -> None:
        self._numbers, self._end = set[int](), 0
        for end, entry in self._entries():
            self._end = end
            self._numbers |= {number for number, _ in entry}

    def _entries(self) -> Iterator[tuple[int, list[tuple[int, Any]]]]:
        """Where each whole line ends, and the number and result in it; the first line has none."""
        if not self._path.is_file():
            return
        with self._path.open("rb") as stream:
            head = stream.readline()
            if head != self._head:
                if self._head.startswith(head):  # killed while the first line was written
                    return
                raise self._other(head)
            end = len(head)
            yield end, []
            for line in stream:
                try:
                    entry = json.loads(line if line.endswith(b"\n") else b"torn")
                    found = int(entry["number"]), entry["result"]
                except (ValueError, KeyError, TypeError):
                    if stream.read(1):  # only the last line can have been torn
                        raise self._refused(DAMAGED) from None
                    return
                end += len(line)
                yield end, [found]

    def _other(self, head: bytes) -> InvalidInput:
        try:
            there, ours = (json.loads(line)["description"] for line in (head, self._head))
            keys = [key for key in sorted({*there, *ours}) if there.get(key) != ours.get(key)]
        except (ValueError, KeyError, TypeError, AttributeError):
            return self._refused(DAMAGED)
        return self._refused(f"It holds another study, which differs in {', '.join(keys)}.")

    def _refused(self, why: str) -> InvalidInput:
        return InvalidInput(f"{self._path} cannot be continued.", why, "Choose another --out, or add --force.")

    def finished(self) -> set[int]:
        """Numbers of the replications in it."""
        return set(self._numbers)

    def results(self) -> list[tuple[int, Any]]:
        """Every number with its result, in ascending order whatever the order of completion."""
        return sorted((found for _, entry in self._entries() for found in entry), key=itemgetter(0))

    def begin(self) -> None:
        """Open it for writing, so that a full disk, a missing permission or another writer is known before any work.

        Raises
        ------
        InvalidInput
            Another process is writing to it.
        OSError
            Disk full, or no permission.
        """
        if self._stream is not None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = io.FileIO(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644), "ab")
        try:
            _lock(self._stream, self._path)
            self._read()  # again: another process may have written until now
            self._stream.truncate(self._end)
            if not self._end:
                self._append(self._head)
                _flush_folder(self._path.parent)
        except BaseException:
            self.close()
            raise

    def add(self, number: int, result: Any) -> None:
        """Append a result; it is on disk on return. A number that is there already is left as it is.

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
        self._append(json.dumps({"number": number, "result": result}).encode() + b"\n")
        self._numbers.add(number)

    def _append(self, line: bytes) -> None:
        assert self._stream is not None
        try:
            while line:  # a nearly full disk takes a part
                line = line[self._stream.write(line) :]
            os.fsync(self._stream.fileno())
        except BaseException:
            self.close()  # the next `begin` cuts off what is torn
            raise

    def close(self) -> None:
        """Let another process write."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @staticmethod
    def is_at(path: Path) -> bool:
        """Whether a file is a journal, of whatever study; an empty one was killed before its first line."""
        if not path.is_file():
            return False
        with path.open("rb") as stream:
            return _HEAD.startswith(stream.read(len(_HEAD)))

    @staticmethod
    @contextmanager
    def locked(path: Path) -> Iterator[None]:
        """Keep other writers away; `InvalidInput` where one is at work."""
        with path.open("r+b") as stream:
            _lock(stream, path)
            yield


def _lock(stream: io.IOBase, path: Path) -> None:
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
