# SPDX-License-Identifier: BSD-3-Clause
"""Text tables: rows as Python's csv module finds them, numbers as Python reads them, wherever shares begin."""

from __future__ import annotations

import csv
import io
import pathlib
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import equiheat as ht
from equiheat.io import _rows
from equiheat.testing import assert_equal

COMM = ht.get_comm()
SIZE, RANK = COMM.size, COMM.rank
TEXTS = st.text(st.sampled_from('ab1,;"#\n\r é'), max_size=8)
NUMBERS = st.floats(allow_nan=False) | st.integers(-(10**6), 10**6) | st.sampled_from(["", "NA", " nan", "+7", "1e400"])


@pytest.fixture(scope="module")
def path() -> Iterator[pathlib.Path]:
    """One for all ranks."""
    folder = pathlib.Path(COMM.handle.bcast(tempfile.mkdtemp() if RANK == 0 else None, 0))
    yield folder / "x.csv"
    COMM.barrier()
    if RANK == 0:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=[1 << 22, 5], ids=["", "small blocks"])
def _block(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_rows, "_BLOCK", request.param)


def write(path: pathlib.Path, content: str | bytes) -> pathlib.Path:
    COMM.barrier()
    if RANK == 0:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    COMM.barrier()
    return path


def number(text: str) -> float:
    return float("nan") if text.strip() in ("", "NA") else float(text)


@st.composite
def tables(draw: Any) -> tuple[bytes, dict[str, Any], np.ndarray]:
    """A file, how to load it, and what is to come out: columns of numbers among columns of text."""
    kinds = draw(st.lists(st.sampled_from("ntn"), min_size=1, max_size=4).filter(lambda k: "n" in k))
    rows = draw(st.lists(st.tuples(*(NUMBERS if kind == "n" else TEXTS for kind in kinds)), max_size=8))
    sep, end = draw(st.sampled_from([",", ";", "\t"])), draw(st.sampled_from(["\n", "\r\n"]))
    out = io.StringIO(newline="")
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    if quoting == csv.QUOTE_MINIMAL:  # it leaves a line break that is not the writer's own bare: it would end the row
        rows = [tuple(v.replace("\r", "") if isinstance(v, str) else v for v in row) for row in rows]
    writer = csv.writer(out, delimiter=sep, lineterminator=end, quoting=quoting)
    header = draw(st.booleans())
    if header:
        writer.writerow([f"name\n{i}{sep}" for i in range(len(kinds))])
    for row in rows:
        writer.writerow(row)
        out.write(draw(st.sampled_from(["", "", end, f" {end}"])))
    text = out.getvalue()
    if rows and draw(st.booleans()):
        text = text.rstrip("\r\n")
    wanted = draw(st.permutations([i for i, kind in enumerate(kinds) if kind == "n"]))
    found = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=sep) if row not in ([], [" "])][header:]
    options = {"header_lines": int(header), "sep": sep, "usecols": wanted}
    if header and draw(st.booleans()):
        options["usecols"] = [f"name\n{i}{sep}" for i in wanted]
    expected = np.array([[number(row[i]) for i in wanted] for row in found]).reshape(len(found), len(wanted))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode(), options, expected


@pytest.mark.usefixtures("_block")
@settings(max_examples=20)
@given(tables(), st.sampled_from([None, 0, 1]))
def test_numbers_among_texts(path: pathlib.Path, table: Any, split: int | None) -> None:
    content, options, expected = table
    write(path, content)
    if "usecols" in options and not len(expected) and not options["header_lines"]:
        options["names"] = [str(i) for i in range(4)]  # no row tells how many columns there are
    found = ht.load_csv(path, dtype=None, split=split, **options)
    assert_equal(found, expected, 0, 0)
    assert found.split == split
    assert found.is_balanced()


@pytest.mark.usefixtures("_block")
@settings(max_examples=50)
@given(st.text(st.sampled_from('a,"\n'), max_size=24))
def test_rows_as_the_csv_module_finds_them(path: pathlib.Path, text: str) -> None:
    write(path, text)
    rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    closed = list(csv.reader(io.StringIO(f"{text}\nend", newline="")))[-1] == ["end"]
    widths = {len(row) for row in rows}
    options: dict[str, Any] = {"dtype": ht.int64, "split": 0}
    if not closed:
        with pytest.raises(ValueError, match="never closed"):
            ht.load_csv(path, **options)
    elif len(widths) > 1:
        with pytest.raises(ValueError, match=r"has \d+ fields, not"):
            ht.load_csv(path, converters=dict.fromkeys(range(len(rows[0])), len), **options)
    elif rows:
        sums = [[zlib.crc32(field.encode()) for field in row] for row in rows]
        convert = dict.fromkeys(range(len(rows[0])), lambda field: zlib.crc32(field.encode()))
        assert_equal(ht.load_csv(path, converters=convert, **options), np.array(sums))
        with pytest.raises(ValueError, match="column 0: no number could be made of"):
            ht.load_csv(path, converters={0: {}}, **options)
    else:
        assert ht.load_csv(path, **options).shape == (0, 0)


@pytest.mark.usefixtures("_block")
def test_one_field_over_all_ranks(path: pathlib.Path) -> None:
    """A share may lie within a field, in which quotation marks and what looks like rows are text."""
    field = '"' + '""x\n1,2\n' * 200 + '"'
    write(path, f"1,{field},2\n3,,4\n" + f"5,{field},6\n" * 3 + "\n\n7,8,9")
    for split in (None, 0, 1):
        found = ht.load_csv(path, dtype=ht.int32, usecols=(-1, 0), split=split)
        assert_equal(found, np.array([[2, 1], [4, 3], *[[6, 5]] * 3, [9, 7]], np.int32))


def test_comments_and_blanks(path: pathlib.Path) -> None:
    write(path, '# "free text, x\n  # y z\n\n 1\t 2  # " one\n"3"   4\n#5 6\n7 8')
    for split in (None, 0):
        found = ht.load_csv(path, sep=None, comments="#", dtype=ht.int64, split=split)
        assert_equal(found, np.array([[1, 2], [3, 4], [7, 8]]))
        assert_equal(ht.load_csv(path, 2, None, comments="#", usecols="z", split=split, dtype=None),
                     np.array([[2.0], [4.0], [8.0]]))  # fmt: skip
    write(path, "%1 | 2 | \n 3 |  | 4 %% rest\n%%\n")
    assert_equal(ht.load_csv(path, sep=" | ", comments="%%", converters={0: lambda s: s.strip("%")}, filling_values=0),
                 np.array([[1, 2, 0], [3, 0, 4]], np.float32))  # fmt: skip


@settings(max_examples=15)
@given(st.data())
def test_numbers_are_exact(path: pathlib.Path, data: Any) -> None:
    reals = data.draw(st.lists(st.floats(allow_nan=False), min_size=1, max_size=9))
    forms = [repr, "{:.25e}".format, lambda v: str(Decimal(v)), "{:.3g}".format]
    texts = [data.draw(st.sampled_from(forms))(value) for value in reals]
    write(path, "\n".join(texts))
    assert_equal(ht.load_csv(path, dtype=ht.float64, split=0), np.array([[float(t)] for t in texts]), 0, 0)
    whole = data.draw(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
    write(path, "\n".join(map(str, whole)))
    assert_equal(ht.load_csv(path, dtype=ht.int64, split=0), np.array(whole, np.int64)[:, None])


def test_float32_is_rounded_once(path: pathlib.Path) -> None:
    """Halfway between two of them, and a little beside it: rounding to float64 first would go wrong."""
    low = np.concatenate([np.random.default_rng(0).normal(size=200), [2**24, 2**24 + 2, 0.5]]).astype(np.float32)
    high = np.nextafter(low, np.float32(np.inf))
    with localcontext() as context:
        context.prec = 200
        middle = [(Decimal(float(a)) + Decimal(float(b))) / 2 for a, b in zip(low, high, strict=True)]
        beside = [m + Decimal("1e-30") for m in middle]
    even = np.where(low.view(np.int32) % 2 == 0, low, high)
    lines = [f"{a:f},{b:f},{c:.9g}" for a, b, c in zip(middle, beside, low, strict=True)]
    write(path, "\n".join(lines))
    assert_equal(ht.load_csv(path, split=0), np.stack([even, high, low], 1), 0, 0)
    write(path, "16777217,16777217.0000001,-16777219,1e-46,-3.5e38,1e-40")
    expected = np.array([[16777216, 16777218, -16777220, 0, -np.inf, 1e-40]], np.float32)
    assert_equal(ht.load_csv(path), expected, 0, 0)


def test_missing_values(path: pathlib.Path) -> None:
    write(path, '1,,"",NA\n-999,2,null,-9\n')
    nan = np.nan
    assert_equal(ht.load_csv(path, split=0), np.array([[1, nan, nan, nan], [-999, 2, nan, -9]], np.float32))
    found = ht.load_csv(path, dtype=ht.int16, missing_values=["NA", "null", "-999"], filling_values=-1, split=0)
    assert_equal(found, np.array([[1, -1, -1, -1], [-1, 2, -1, -9]], np.int16))
    found = ht.load_csv(path, dtype=ht.bool, usecols=[0], split=0)
    assert_equal(found, np.array([[True], [True]]))
    codes = ht.load_csv(path, converters={3: {"NA": 5, "-9": None}}, usecols=[3], dtype=None)
    assert_equal(codes, np.array([[5], [nan]]))


def test_slices_and_blocks(path: pathlib.Path) -> None:
    value = np.arange(60.0).reshape(20, 3)
    lines = [",".join(f'"{v}"' if j == 1 else str(v) for j, v in enumerate(row)) + "\n\n" for row in value]
    write(path, "a,b,c\n" + "".join(lines))
    for split in (None, 0, 1):
        for rows, cols in ((slice(3, 17, 4), None), (slice(-5, None), slice(1, None)), (slice(9, 4), slice(0, 1))):
            found = ht.load(path, 1, dtype=None, split=split, slices=(rows, cols), usecols=["c", "a"])
            assert_equal(found, value[rows][:, [2, 0]][:, cols or slice(None)])
        parts = list(ht.chunks(path, 1, rows=6, split=split, dtype=None, slices=(slice(1, 18), slice(0, 2))))
        assert [len(part) for part in parts] == [6, 6, 5]
        assert all(part.split == split and part.is_balanced() for part in parts)
        np.testing.assert_array_equal(np.concatenate([part.numpy() for part in parts]), value[1:18, :2])
    assert list(ht.chunks(path, 1, rows=6, slices=slice(30, 40))) == []
    with pytest.raises(ValueError, match="slices for 2 dimensions"):
        ht.load(path, 1, slices=(None, None, None))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"usecols": "d"}, r"usecols has the name 'd'; give names, or header_lines >= 1"),
        ({"usecols": "d", "header_lines": 1}, r"0 columns are named 'd', there are \['a', 'b', 'c'\]"),
        ({"usecols": 3}, "there is no column 3, there are 3"),
        ({"usecols": -4}, "there is no column -4, there are 3"),
        ({"usecols": []}, "usecols has no column"),
        ({"names": ["a"]}, r"1 names for 3 columns"),
        ({}, "line 1, column 0: 'a' is no number; header_lines=1 passes over a header"),
        ({"header_lines": 1, "names": ["x", "y", "z"]}, r"line 3, column 1 \('y'\): 'word' is no number"),
        ({"header_lines": 1, "usecols": ["c"], "dtype": ht.int32}, r"line 2, column 2 \('c'\): '2.5' is no integer"),
        (
            {"header_lines": 2, "usecols": "c", "names": ["a", "b", "c"], "dtype": ht.int8},
            "'300' does not fit into int8",
        ),
        ({"header_lines": 4, "dtype": ht.int64}, "line 5, column 1 .*: '' has no value, for which int64 has no room"),
        ({"header_lines": 1, "sep": ""}, "sep must be a string without line breaks"),
        ({"comments": "\n"}, "comments must be a string without line breaks"),
        ({"comments": ","}, "cannot be told from each other"),
        ({"header_lines": -1}, "header_lines must be"),
    ],
)
def test_errors_name_the_place(path: pathlib.Path, options: dict[str, Any], message: str) -> None:
    write(path, "a,b,c\n1,2,2.5\n3,word,300\n5,6,7\n8,,9\n")
    with pytest.raises(ValueError, match=message):
        ht.load_csv(path, split=0, **options)


def test_errors_of_type(path: pathlib.Path) -> None:
    write(path, "1,2\n")
    for options in (
        {"usecols": [0.5]}, {"usecols": [True]}, {"names": "ab"}, {"dtype": ht.complex64}, {"converters": {0: 3}},
        {"filling_values": 0.5, "dtype": ht.int32}, {"filling_values": "x"},
    ):  # fmt: skip
        with pytest.raises(TypeError):
            ht.load_csv(path, **options)


@pytest.mark.parametrize("content", ["", "\n\n", "# nothing\n", "\ufeff"])
def test_no_rows(path: pathlib.Path, content: str) -> None:
    write(path, content)
    for split in (None, 0, 1):
        found = ht.load_csv(path, comments="#", split=split)
        assert found.shape == (0, 0)
        assert ht.load_csv(path, comments="#", names=["a", "b"], usecols="b", split=split).shape == (0, 1)
    assert found.larray.dtype == torch.float32


@pytest.mark.parametrize("split", [None, 0, 1])
def test_tables_without_rows_or_columns_are_written(path: pathlib.Path, split: int | None) -> None:
    for shape in ((0, 3), (0,), (2, 0)):
        ht.save_csv(ht.empty(shape, split=split if split == 0 or len(shape) > 1 else None), path)
        assert not path.read_text().strip()
        assert ht.load_csv(path).shape == (0, 0)
        COMM.barrier()


@pytest.mark.parametrize("decimals", [None, "two", 1.5])
def test_decimals_that_are_no_number(path: pathlib.Path, decimals: Any) -> None:
    for x in (ht.ones((1, 3), split=0), ht.ones((4, 3))):
        with pytest.raises(TypeError, match="save_csv: decimals must be an integer"):
            ht.save_csv(x, path, decimals=decimals)


@pytest.mark.parametrize("split", [None, 0, 1])
def test_all_of_uint64(path: pathlib.Path, split: int | None) -> None:
    value = np.array([[2**63, 1], [2**64 - 1, 0], [5, 10**18]], dtype=np.uint64)
    ht.save_csv(ht.array(value, split=split), path)
    assert_equal(ht.load_csv(path, dtype=ht.uint64, split=split), value, split=split)
    assert_equal(ht.load_csv(path, dtype=ht.uint64, usecols=[1, 0, 1], split=split), value[:, [1, 0, 1]], split=split)
    write(path, "+7, 3.0\n1e3,-0\n")
    assert_equal(ht.load_csv(path, dtype=ht.uint64, split=split), np.array([[7, 3], [1000, 0]], dtype=np.uint64))
    for text in ("18446744073709551616", "-1", "-1.0", "1e30"):
        write(path, f"1,{text}\n")
        with pytest.raises(ValueError, match="does not fit into uint64"):
            ht.load_csv(path, dtype=ht.uint64, split=split)
    write(path, "1,2.5\n")
    with pytest.raises(ValueError, match="is no integer"):
        ht.load_csv(path, dtype=ht.uint64, split=split)
