import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def journeyman(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        input=given,
        capture_output=True,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_prompt_a_line_becomes_a_json_object_a_line() -> None:
    done = journeyman(
        "parse",
        "-",
        given=b"a red fox::2 on a blue background --no hat --seed 42\na cat --q 9\na {cat, dog} --r 2\n",
    )
    assert done.returncode == 0
    good, bad, several = objects(done)
    assert good["ok"] is True
    [job] = good["jobs"]
    assert set(job) == {"text", "parts", "negative", "parameters", "images", "echo"}
    assert job["parts"][0] == {"text": "a red fox", "weight": 2}
    assert job["negative"] == ["hat"]
    assert job["parameters"] == {"seed": 42}
    assert bad["ok"] is False
    assert set(bad["errors"][0]) == {"code", "message", "span", "also", "suggestion"}
    assert [job["text"] for job in several["jobs"]] == ["a cat", "a cat", "a dog", "a dog"]


def test_any_bytes_give_exactly_one_object_a_line() -> None:
    lines = [
        b"",
        b"\xff\xfe\x00",
        b"\x00" * 10,
        b"--",
        "猫::2 犬::-1".encode(),
        b"a" * 6000,
        "a\u2028b\x85c\x0bd".encode(),
        b"\x1b[31m",
        b"\xed\xa0\x80",
    ]
    done = journeyman("parse", "-", given=b"\n".join(lines) + b"\n")
    assert done.returncode == 0, done.stderr
    found = objects(done)
    assert [each["prompt"] for each in found] == [line.decode("utf-8", errors="replace") for line in lines]
    assert all(isinstance(each["ok"], bool) for each in found)


def test_the_last_line_needs_no_newline() -> None:
    assert len(objects(journeyman("parse", "-", given=b"a cat\r\na dog"))) == 2


def test_each_answer_comes_before_the_next_question() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "cli", "parse", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(f"a cat --seed {number}\n".encode())
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["jobs"][0]["parameters"] == {"seed": number}
        process.stdin.close()


def test_a_reader_that_leaves_is_no_error_message() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "cli", "parse", "-"],
        input=b"a cat\n" * 50,
        stdout=write,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        timeout=60,
        check=False,
    )
    os.close(write)
    assert done.stderr == b""


def test_a_wrong_prompt_is_underlined_and_exits_1() -> None:
    done = journeyman("parse", "a cat --qualty 2")
    text = done.stdout.decode()
    assert done.returncode == 1
    assert "^" in text
    assert "--quality" in text


def test_a_right_prompt_is_explained() -> None:
    done = journeyman("parse", "a cat::2 a dog --no hat")
    assert done.returncode == 0
    assert "weight 2" in done.stdout.decode()


def test_a_prompt_may_begin_with_two_hyphens() -> None:
    done = journeyman("parse", "--no hat", "--json")
    assert json.loads(done.stdout)["prompt"] == "--no hat"


def test_wrong_usage_exits_2() -> None:
    assert journeyman("parse").returncode == 2
    assert journeyman("nonsense").returncode == 2
