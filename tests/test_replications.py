"""Journal and executor on one machine: nothing is lost, repeated or changed by who computes it, and when it stops."""

from __future__ import annotations

import itertools
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from models.faults import InvalidInput
from models.replications import executor, processes
from models.replications.journal import Journal
from tests.replicated import NUMBERS, draw, expected, identity, threads, until

ROOT = Path(__file__).parents[1]
STUDY = {"scenario": "effect", "seed": 7, "arguments": [1, 2.5]}
GIVEN = {"seed": 7}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / "journal.jsonl"


def filled(path: Path, numbers: Any = (3, 1, 2)) -> Journal:
    journal = Journal(path, STUDY)
    for number in numbers:
        journal.add(number, draw(GIVEN, number))
    journal.close()
    return journal


def text(journal: Journal) -> str:
    return json.dumps(journal.results())


def test_a_journal_gives_back_what_it_was_given(path: Path) -> None:
    rows = {0: [0.1 + 0.2, 5e-324, -0.0, math.inf, math.nan], 2: {"b": 1, "a": None, "ü": "\n\u2028"}, 10: 1e22}
    journal = Journal(path, STUDY)
    for number, row in rows.items():
        journal.add(number, row)
    journal.close()
    again = Journal(path, dict(reversed(STUDY.items())))
    assert again.finished() == {0, 2, 10}
    assert text(again) == text(journal) == json.dumps(list(rows.items()))
    assert math.copysign(1, again.results()[0][1][2]) == -1


def test_a_new_journal_is_empty_and_reading_writes_nothing(path: Path) -> None:
    journal = Journal(path, STUDY)
    assert journal.finished() == set()
    assert journal.results() == []
    assert not path.parent.exists()


def test_results_do_not_depend_on_the_order_of_completion(tmp_path: Path) -> None:
    orders = enumerate(itertools.permutations((1, 2, 10, 9)))
    assert len({text(filled(tmp_path / str(i), order)) for i, order in orders}) == 1


def test_a_number_is_written_once(path: Path) -> None:
    journal = filled(path)
    before = path.read_bytes()
    journal.add(2, "other")
    journal.close()
    assert path.read_bytes() == before


def test_a_line_is_on_disk_when_it_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[bytes] = []
    monkeypatch.setattr("os.fsync", lambda _: flushed.append(path.read_bytes()))
    journal = Journal(path, STUDY)
    for number in range(3):
        journal.add(number, draw(GIVEN, number))
        assert flushed[-1] == path.read_bytes()
    journal.close()
    assert flushed[-1].count(b"\n") == 4


def test_a_line_torn_anywhere_costs_itself_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)  # what a kill tears is no matter of the disk
    filled(path)
    whole = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        journal = Journal(path, STUDY)
        left = sum(end <= length for end in ends[1:])
        assert journal.finished() == set((3, 1, 2)[:left]), length
        for number in (3, 1, 2):
            journal.add(number, draw(GIVEN, number))
        journal.close()
        assert path.read_bytes() == whole, length


@pytest.mark.parametrize("tail", [b"\0\0\0\0", b"\0\0\n", b'{"number": 4}x\n', b"7\n", b"\xff\n"])
def test_a_last_line_that_says_nothing_is_dropped(path: Path, tail: bytes) -> None:
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    journal = Journal(path, STUDY)
    assert journal.finished() == {1, 2, 3}
    assert [number for number, _ in journal.results()] == [1, 2, 3]
    journal.begin()
    journal.close()
    assert path.read_bytes() == whole


def test_damage_in_the_middle_is_told(path: Path) -> None:
    filled(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], lines[1][:9] + b"\n", *lines[2:]]))
    with pytest.raises(InvalidInput, match="damaged"):
        Journal(path, STUDY)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"seed": 8}, "seed"), ({"scenario": "x", "more": 1}, "more, scenario"), ({"arguments": [1, 2.6]}, "arguments")],
)
def test_another_study_is_never_continued(path: Path, change: dict[str, Any], named: str) -> None:
    filled(path)
    before = path.read_bytes()
    with pytest.raises(InvalidInput, match=f"differs in {named}.") as refused:
        Journal(path, STUDY | change)
    assert "--force" in str(refused.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["id,arm\n1,0\n", "{}\n", "[1]\n", "x", '{"description": 3}\n'])
def test_a_file_of_another_kind_is_never_touched(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(InvalidInput, match="no journal"):
        Journal(path, STUDY)
    assert path.read_text() == content


def test_two_processes_do_not_write_to_one_journal(path: Path) -> None:
    first, second = Journal(path, STUDY), Journal(path, STUDY)
    first.add(1, "first")
    with pytest.raises(InvalidInput, match="in use"):
        second.add(1, "second")
    first.close()
    second.add(1, "second")
    second.add(2, "second")
    second.close()
    assert Journal(path, STUDY).results() == [(1, "first"), (2, "second")]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: what a full disk does, without a disk of our own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_loses_nothing(path: Path) -> None:
    journal = filled(path)
    before = path.read_bytes()
    with room_for(len(before) + 20), pytest.raises(OSError, match="too large"):  # a part of the line, then no more
        executor.run(draw, GIVEN, range(9), journal, workers=1)
    assert path.read_bytes().startswith(before)
    assert Journal(path, STUDY).finished() == {1, 2, 3}
    executor.run(draw, GIVEN, range(9), journal, workers=1)
    assert text(journal) == expected(GIVEN, range(9))


def test_a_disk_without_space_is_known_before_any_work(path: Path) -> None:
    called: list[int] = []
    with room_for(0), pytest.raises(OSError, match="too large"):
        executor.run(lambda _, number: called.append(number), GIVEN, NUMBERS, Journal(path, STUDY), workers=1)
    assert not called


def test_finished_numbers_are_not_done_again(path: Path) -> None:
    journal = filled(path)
    called: list[int] = []
    told: list[tuple[int, int]] = []

    def work(given: Any, number: int) -> Any:
        called.append(number)
        return draw(given, number)

    executor.run(work, GIVEN, [5, 4, 3, 2, 5], journal, lambda *at: told.append(at), workers=1)
    assert called == [4, 5]
    assert told == [(2, 4), (3, 4), (4, 4)]
    assert [number for number, _ in journal.results()] == [1, 2, 3, 4, 5]


def test_one_process_uses_one_thread_and_gives_back_what_it_found(path: Path) -> None:
    found = [os.environ.get(name) for name in processes.SINGLE]
    journal = Journal(path, STUDY)
    executor.run(threads, GIVEN, range(2), journal, workers=1)
    assert [set(each) for _, each in journal.results()] == [{1}] * 2
    assert [os.environ.get(name) for name in processes.SINGLE] == found


def test_one_process_needs_no_dask(path: Path) -> None:
    code = (
        "import sys; from tests.replicated import driver; driver();"
        "assert not {'dask', 'distributed', 'pymc', 'numpy'} & set(sys.modules)"
    )
    path.parent.mkdir()
    order = json.dumps([GIVEN, len(NUMBERS), 1, None])
    subprocess.run([sys.executable, "-c", code, path.parent, order], cwd=ROOT, check=True)
    assert (path.parent / "results.json").read_text() == expected(GIVEN)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_its_replication_and_keeps_the_others(path: Path, workers: int) -> None:
    journal = Journal(path, STUDY)
    with pytest.raises(ArithmeticError, match="11 cannot be drawn") as failed:
        executor.run(draw, GIVEN | {"fails": 11}, NUMBERS, journal, workers=workers)
    assert failed.value.__notes__ == ["This was replication 11."]
    assert 11 not in journal.finished()
    assert len(journal.finished()) >= (11 if workers == 1 else 1)
    assert text(journal) == json.dumps([row for row in json.loads(expected(GIVEN)) if row[0] in journal.finished()])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_workers_changes_no_byte(path: Path, workers: int) -> None:
    journal = Journal(path, STUDY)
    executor.run(draw, GIVEN, NUMBERS, journal, workers=workers)
    assert text(journal) == expected(GIVEN)


def test_a_process_stays_and_keeps_what_it_was_given(path: Path) -> None:
    journal = Journal(path, STUDY)
    executor.run(identity, GIVEN, range(30), journal, workers=2)
    assert len({tuple(each) for _, each in journal.results()}) == 2


def test_a_process_that_dies_is_replaced(path: Path, tmp_path: Path) -> None:
    given = GIVEN | {"fatal_once": 20, "marker": str(tmp_path / "died")}
    journal = Journal(path, STUDY)
    executor.run(draw, given, NUMBERS, journal, workers=2)
    assert (tmp_path / "died").exists()
    assert text(journal) == expected(GIVEN)


def test_an_interruption_is_for_the_driver_alone(path: Path) -> None:
    journal = Journal(path, STUDY)
    executor.run(draw, GIVEN | {"interrupted": 3}, range(6), journal, workers=2)
    assert text(journal) == expected(GIVEN, range(6))


def test_a_replication_that_always_kills_its_process_is_given_up(path: Path) -> None:
    journal = Journal(path, STUDY)
    with pytest.raises(InvalidInput, match=r"process of replication \d+, .* died 4 times"):
        executor.run(draw, GIVEN | {"fatal": 20}, NUMBERS, journal, workers=2)
    assert len(set(range(20)) - journal.finished()) <= 3  # four are under way, the fatal one among them
    assert 20 not in journal.finished()


@pytest.mark.parametrize(
    ("text", "most"), [("max 100000", math.inf), ("150000 100000", 2), ("1000 100000", 1), (None, math.inf)]
)
def test_a_container_gets_as_many_processes_as_its_share(tmp_path: Path, text: str | None, most: float) -> None:
    share = tmp_path / "cpu.max"
    if text is not None:
        share.write_text(f"{text}\n")
    assert processes.cores(share) == min(processes.cores(tmp_path / "none"), most) >= 1


def driving(folder: Path, given: dict[str, Any], count: int, workers: int) -> list[str]:
    code = "from tests.replicated import driver; driver()"
    return [sys.executable, "-c", code, str(folder), json.dumps([given, count, workers, None])]


def alive(session: int) -> list[int]:
    """Processes of a session that still run."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_stopped_driver_leaves_a_journal_and_no_process(tmp_path: Path, sent: signal.Signals) -> None:
    given = GIVEN | {"seconds": 30, "short": 4}
    path = tmp_path / "journal.jsonl"
    command = driving(tmp_path, given, 5, 2)
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: len(Journal(path, given).finished()) == 4)  # the next takes half a minute; one process is idle
        if sent == signal.SIGINT:  # a terminal sends it to the workers as well
            os.killpg(process.pid, sent)
        else:
            process.kill()
        began = time.monotonic()
        told = process.communicate(timeout=15)[1]
        until(lambda: not alive(process.pid), 10)
        took = time.monotonic() - began
    assert took < 10, "it waited for what was under way"
    # of an interruption the driver's own traceback alone; nothing of the workers' or their machinery
    assert told.count("Traceback") == (1 if sent == signal.SIGINT else 0), told
    assert told.strip().endswith("KeyboardInterrupt" if sent == signal.SIGINT else "")
    executor.run(draw, GIVEN, range(60), Journal(path, given), workers=1)
    assert text(Journal(path, given)) == expected(GIVEN)


@pytest.mark.slow
def test_killed_at_ten_moments_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    given, count = GIVEN | {"seconds": 0.003}, 800
    path, moments = tmp_path / "journal.jsonl", random.Random(20)
    command = driving(tmp_path, given, count, 1)
    finished = 0
    for kill in range(10):
        process = subprocess.Popen(command, cwd=ROOT)
        if kill % 2:  # else it may be killed while it starts
            until(lambda before=finished: len(Journal(path, given).finished()) > before)
        time.sleep(moments.uniform(0, 0.2))
        process.kill()
        assert process.wait() == -9, "it was done before it was killed: make the work longer"
        now = len(Journal(path, given).finished())
        assert now >= finished
        finished = now
    assert 0 < finished < count
    subprocess.run(command, cwd=ROOT, check=True)
    assert (tmp_path / "results.json").read_text() == expected(given, range(count))
    assert len(path.read_text().splitlines()) == 1 + count, "a replication was repeated"
