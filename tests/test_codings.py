"""Content codings: what they encode they decode, equal everywhere, and no stream fills the memory."""

from __future__ import annotations

import contextlib
import gzip
import sys
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from v1z3r_build.codecs import brotli_coding, gzip_coding
from v1z3r_build.codecs.content_codings import CODINGS
from v1z3r_build.workers.pool import Call, Failure, Pool

EFFORTS = {"br": 11, "gzip": 9}
TEXT = b"const label = 'a text that is long enough to gain'; " * 20
each = pytest.mark.parametrize("name", CODINGS)
contents = st.one_of(
    st.binary(max_size=400), st.lists(st.sampled_from([b"var ", b"x", b"\0", b"\r\n", TEXT])).map(b"".join)
)


@each
@given(data=contents)
def test_decoding_undoes_encoding(name: str, data: bytes) -> None:
    encoded = CODINGS[name].encode(data, EFFORTS[name])
    assert CODINGS[name].decode(encoded, len(data)) == data
    assert {"br": brotli.decompress, "gzip": gzip.decompress}[name](encoded) == data


@each
@given(data=contents.filter(bool))
def test_limit_is_exact(name: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="more than"):
        CODINGS[name].decode(CODINGS[name].encode(data, EFFORTS[name]), len(data) - 1)


@each
@given(data=contents, cut=st.integers(min_value=1, max_value=1 << 16))
def test_cut_stream_is_refused(name: str, data: bytes, cut: int) -> None:
    encoded = CODINGS[name].encode(data, EFFORTS[name])
    with pytest.raises(ValueError, match=r"cut off|not a"):
        CODINGS[name].decode(encoded[: -(1 + cut % len(encoded))], len(data))


@each
@given(data=contents, extra=st.binary(min_size=1, max_size=40))
def test_what_lies_behind_the_end_is_refused(name: str, data: bytes, extra: bytes) -> None:
    encoded = CODINGS[name].encode(data, EFFORTS[name])
    with pytest.raises(ValueError, match=r"cut off|not a"):
        CODINGS[name].decode(encoded + extra, len(data))


@each
@given(data=st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(name: str, data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert len(CODINGS[name].decode(data, 100)) <= 100


@each
def test_bomb_is_refused_in_little_memory(name: str) -> None:
    """500 MB of zeros, decoded where 200 MB can be had."""
    bomb = CODINGS[name].encode(bytes(500 << 20), 1)
    naive = {"br": brotli.decompress, "gzip": gzip.decompress}[name]
    with Pool(1, memory=200 << 20) as pool:
        calls = [Call("bounded", CODINGS[name].decode, (bomb, 1000), 1), Call("naive", naive, (bomb,), 0)]
        failures = {outcome.key: outcome.failure for outcome in pool.run(calls)}
    assert failures["bounded"] == Failure("raised", "ValueError: holds more than 1000 bytes")
    if sys.platform == "linux":
        assert failures["naive"] is not None


def test_gzip_header_says_nothing_of_time_name_and_system() -> None:
    encoded = gzip_coding.encode(TEXT, 9)
    assert encoded[:10] == bytes.fromhex("1f8b08 00 00000000 02 ff")
    assert encoded[-8:] == zlib.crc32(TEXT).to_bytes(4, "little") + len(TEXT).to_bytes(4, "little")


def test_gzip_of_several_members_is_read() -> None:
    assert gzip_coding.decode(gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b"), 2) == b"ab"


def test_many_empty_gzip_members_are_read_in_linear_time() -> None:
    members = gzip.compress(b"", mtime=0) * 50_000  # 1 MB: a copy of the rest at each would be 25 GB
    assert gzip_coding.decode(members, 10) == b""


def test_large_window_brotli_is_refused_as_browsers_do() -> None:
    # RFC 7932 §9.1: the bits 0010001 announce no window; the "large window" format begins with them.
    with pytest.raises(ValueError, match="not a brotli"):
        brotli_coding.decode(b"\x11\x1e" + brotli_coding.encode(TEXT, 11), len(TEXT))


def test_window_is_one_that_browsers_accept() -> None:
    # RFC 7932 §9.1: the lowest bits of a stream give the window; 1011 in reading order of the bits is 22.
    assert brotli_coding.encode(TEXT * 4000, 11)[0] & 0b1111 == 0b1011


def test_transferred_is_the_size_of_the_sidecar() -> None:
    assert brotli_coding.transferred(TEXT) == len(CODINGS["br"].encode(TEXT, 11))
