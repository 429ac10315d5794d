"""Many rows, in blocks that survive whatever ends the process."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from slow_encoder import TEXTS, Counting

from codomain.core import UserError
from codomain.encode import BadRow, encode_rows, resolve
from codomain.space import text_hashes


def expected(encoder, texts):
    return np.array([encoder.vector(text or "") for text in texts])


def test_every_row_has_the_vector_of_its_text(tmp_path):
    encoder = Counting()
    found = encode_rows(encoder, TEXTS, tmp_path)
    np.testing.assert_array_equal(found, expected(encoder, TEXTS))
    assert isinstance(found, np.memmap) and found.dtype == np.float32 and not found.flags.writeable


def test_equal_texts_are_encoded_once(tmp_path):
    encoder = Counting()
    encode_rows(encoder, TEXTS, tmp_path)
    assert len(encoder.asked) == 400 and set(encoder.asked) == set(TEXTS)


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17])
def test_every_number_of_rows_works(tmp_path, n):
    encoder = Counting()
    found = encode_rows(encoder, TEXTS[:n], tmp_path)
    assert found.shape == (n, 8)
    np.testing.assert_array_equal(found, expected(encoder, TEXTS[:n]).reshape(n, 8))


def test_nothing_is_encoded_again_when_all_is_there(tmp_path):
    first = encode_rows(Counting(), TEXTS, tmp_path).copy()
    again = Counting()
    np.testing.assert_array_equal(encode_rows(again, TEXTS, tmp_path), first)
    assert again.asked == []


@pytest.mark.parametrize("moment", np.linspace(0.0, 0.5, 6).round(2))
def test_after_kill_9_the_same_bytes_come_out_and_finished_blocks_are_kept(tmp_path, moment):
    started = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("slow_encoder.py"), tmp_path / "a"], stdout=subprocess.PIPE
    )
    try:
        assert started.stdout.readline() == b"ready\n"
        time.sleep(moment)
    finally:
        os.kill(started.pid, signal.SIGKILL)
        started.communicate()
    ledger = tmp_path / "a" / "ledger.jsonl"
    kept = max(ledger.read_bytes().count(b"\n") - 1, 0) if ledger.exists() else 0
    encoder = Counting()
    encode_rows(encoder, TEXTS, tmp_path / "a")
    encode_rows(Counting(), TEXTS, tmp_path / "b")
    assert (tmp_path / "a" / "vectors.npy").read_bytes() == (tmp_path / "b" / "vectors.npy").read_bytes()
    assert len(encoder.asked) == 400 - 16 * kept


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_stops_at_once_and_the_next_call_goes_on(tmp_path):
    started = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("slow_encoder.py"), tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        assert started.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 60
        while not (tmp_path / "ledger.jsonl").exists() or (tmp_path / "ledger.jsonl").read_bytes().count(b"\n") < 3:
            assert time.monotonic() < deadline
            time.sleep(0.005)
        started.send_signal(signal.SIGINT)
        out, err = started.communicate(timeout=30)
    finally:
        started.kill()
    assert b"done" not in out and b"KeyboardInterrupt" in err
    encoder = Counting()
    np.testing.assert_array_equal(encode_rows(encoder, TEXTS, tmp_path), expected(encoder, TEXTS))
    assert len(encoder.asked) <= 400 - 2 * 16


def test_a_torn_last_line_is_ignored(tmp_path):
    encode_rows(Counting(), TEXTS, tmp_path)
    ledger = tmp_path / "ledger.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join(lines[:4]) + lines[4][:20])
    again = Counting()
    np.testing.assert_array_equal(encode_rows(again, TEXTS, tmp_path), expected(again, TEXTS))
    assert len(again.asked) == 400 - 3 * 16
    last = Counting()
    encode_rows(last, TEXTS, tmp_path)
    assert last.asked == []


def test_a_damaged_block_is_made_again_and_no_other(tmp_path):
    encode_rows(Counting(), TEXTS, tmp_path)
    out = np.load(tmp_path / "vectors.npy", mmap_mode="r+")
    out[123, 5] = np.nextafter(out[123, 5], np.float32(9))
    out.flush()
    again = Counting()
    np.testing.assert_array_equal(encode_rows(again, TEXTS, tmp_path), expected(again, TEXTS))
    assert len(again.asked) == 16 and TEXTS[123] in again.asked


@pytest.mark.parametrize("damage", ["gone", "short", "other shape", "not npy"])
def test_a_lost_file_of_vectors_starts_the_work_again(tmp_path, damage):
    encode_rows(Counting(), TEXTS, tmp_path)
    file = tmp_path / "vectors.npy"
    whole = file.read_bytes()
    file.unlink()
    if damage == "other shape":
        np.save(file, np.zeros((3, 8), np.float32))
    elif damage != "gone":
        file.write_bytes(whole[:5000] if damage == "short" else b"x" * 100)
    again = Counting()
    np.testing.assert_array_equal(encode_rows(again, TEXTS, tmp_path), expected(again, TEXTS))


@pytest.mark.parametrize("change", ["encoder", "texts", "order", "ledger"])
def test_other_work_in_the_same_folder_starts_again(tmp_path, change):
    encode_rows(Counting(), TEXTS, tmp_path)
    again, texts = Counting(name="other" if change == "encoder" else "counting"), list(TEXTS)
    if change == "texts":
        texts[7] = "another text"
    if change == "order":
        texts.reverse()
    if change == "ledger":
        (tmp_path / "ledger.jsonl").write_bytes(b"{}\n")
    np.testing.assert_array_equal(encode_rows(again, texts, tmp_path), expected(again, texts))
    assert len(again.asked) == len(set(texts))


def test_rows_whose_hash_is_known_are_not_encoded(tmp_path):
    encoder = Counting()
    hashes = text_hashes(TEXTS)
    known = {hashes[row]: encoder.vector(TEXTS[row]) + 1 for row in range(0, 400, 2)}
    seen = []
    found = encode_rows(
        encoder, TEXTS, tmp_path, known=known, hashes=hashes, on_block=lambda done, out: seen.append(len(done))
    )
    assert sorted(encoder.asked) == sorted(TEXTS[1:400:2])
    plain = expected(encoder, TEXTS)
    is_known = np.array([hashes[row] in known for row in range(len(TEXTS))])
    np.testing.assert_array_equal(found, np.where(is_known[:, None], plain + np.float32(1), plain))
    assert seen[0] >= is_known.sum() + 16 and seen[-1] == len(TEXTS)
    encode_rows(encoder, TEXTS, tmp_path / "all", known={key: np.ones(8) for key in hashes})
    assert len(encoder.asked) == 200


def test_a_known_vector_of_another_width_and_too_few_hashes_are_refused(tmp_path):
    hashes = text_hashes(TEXTS)
    with pytest.raises(UserError, match=r"row 0 has the shape \(3,\)"):
        encode_rows(Counting(), TEXTS, tmp_path, known={hashes[0]: np.ones(3)})
    with pytest.raises(UserError, match="3 hashes for 500 texts"):
        encode_rows(Counting(), TEXTS, tmp_path, hashes=hashes[:3])


def test_each_call_back_names_the_rows_that_are_done_and_eight_blocks_are_a_fair_sample(tmp_path):
    encoder = Counting()
    texts = [f"text {n}" for n in range(4000)]
    first = []

    def look(done, out):
        if len(first) < 400:
            first[:] = done.tolist()
        assert len(set(done.tolist())) == len(done)
        assert not done.size or np.array_equal(out[done[-1]], encoder.vector(texts[done[-1]]))
        assert not out.flags.writeable

    encoder.batch_rows = 50
    encode_rows(encoder, texts, tmp_path, on_block=look)
    assert len(first) == 400
    # Ten parts of equal size hold 40 each on average; a fair draw leaves 15 to 65 but once in ten thousand.
    assert all(15 <= count <= 65 for count in np.bincount(np.array(first) // 400))


def test_blocks_hold_short_texts_first(tmp_path):
    class Watching(Counting):
        def encode(self, texts, *, query=False):
            assert [len(text) for text in texts] == sorted(len(text) for text in texts)
            return super().encode(texts)

    encode_rows(Watching(), ["x" * (n % 97) + str(n) for n in range(300)], tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_names_its_row(tmp_path, value):
    class Broken(Counting):
        def vector(self, text):
            return super().vector(text) * (value if text == "text number 321" else 1)

    with pytest.raises(UserError, match=r"Row 321: .*NaN or infinity.*text number 321"):
        encode_rows(Broken(), TEXTS, tmp_path)


def test_an_encoders_own_complaint_names_the_row_of_the_whole_job(tmp_path):
    class Picky(Counting):
        def encode(self, texts, *, query=False):
            if "text number 77" in texts:
                raise BadRow(texts.index("text number 77"), "it is not to my taste.", todo="leave it out")
            return super().encode(texts)

    with pytest.raises(UserError, match=r"Row 77: it is not to my taste\.\nTo mend it: leave it out"):
        encode_rows(Picky(), TEXTS, tmp_path)


def test_an_array_of_another_shape_is_refused(tmp_path):
    class Wide(Counting):
        def encode(self, texts, *, query=False):
            return np.ones((len(texts), 9))

    with pytest.raises(UserError, match=r"shape \(16, 9\)[\s\S]*\(16, 8\)"):
        encode_rows(Wide(), TEXTS, tmp_path)


def test_no_text_and_half_a_surrogate_pair_are_texts(tmp_path):
    encoder = resolve("static:wordllama")
    found = encode_rows(encoder, ["a cat", None, "", "half \ud800"], tmp_path)
    assert found[0].any() and not found[1].any() and not found[2].any() and found[3].any()


def test_two_processes_do_not_write_to_one_folder(tmp_path):
    started = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("slow_encoder.py"), tmp_path], stdout=subprocess.PIPE
    )
    try:
        assert started.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 60
        while not (tmp_path / "ledger.jsonl").exists():
            assert time.monotonic() < deadline
            time.sleep(0.005)
        with pytest.raises(UserError, match="Another process encodes"):
            encode_rows(Counting(), TEXTS, tmp_path)
    finally:
        started.kill()
        started.communicate()


def test_a_full_disk_ends_in_words_and_not_in_a_signal(tmp_path):
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))\n"
        "from slow_encoder import TEXTS, Counting; from codomain.encode import encode_rows\n"
        "from codomain.core import UserError; from pathlib import Path\n"
        "try: encode_rows(Counting(), TEXTS, Path(sys.argv[1]))\n"
        "except UserError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, cwd=Path(__file__).parent, timeout=120
    )
    assert done.returncode == 0 and "The disk is full" in done.stdout, done.stderr


def test_a_real_encoder_gives_what_it_gives_without_blocks(tmp_path, docstrings):
    texts = docstrings["text"].to_pylist()
    encoder = resolve("static:wordllama")
    np.testing.assert_array_equal(encode_rows(encoder, texts, tmp_path), encoder.encode(texts))


def test_the_ledger_names_the_encoder_and_one_hash_a_block(tmp_path):
    encode_rows(Counting(), TEXTS, tmp_path)
    header, *blocks = [json.loads(line) for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert header["encoder"]["name"] == "counting" and header["rows"] == 500
    assert [line["block"] for line in blocks] == list(range(25)) and all(len(line["sha256"]) == 64 for line in blocks)
