"""Archives that somebody sent: what is unpacked, and what is refused before anything is written."""

import stat
import struct
import zipfile

import pytest

from learnviews.apps.archives import unzip
from learnviews.kernels.progress import Progress


@pytest.fixture
def packed(tmp_path):
    def pack(files, name="some.zip", **options):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in files.items():
                archive.writestr(path, content)
        return tmp_path / name

    return pack


def test_what_is_in_an_archive_comes_out(packed, tmp_path):
    path = packed({"a/b.txt": "one", "c.txt": "two", "__MACOSX/a": "x", ".hidden/d": "x", "empty/": ""})
    progress = Progress()
    assert unzip(path, tmp_path / "out", 100, progress) == tmp_path / "out"
    assert (tmp_path / "out/a/b.txt").read_text() == "one"
    assert sorted(each.name for each in (tmp_path / "out").rglob("*") if each.is_file()) == ["b.txt", "c.txt"]
    assert (progress.done, progress.total) == (6, 6)


def test_the_data_are_where_there_is_more_than_one_folder(packed, tmp_path):
    path = packed({"outer/inner/cats/1.txt": "one", "outer/inner/dogs/1.txt": "two"})
    assert unzip(path, tmp_path / "out", 100) == tmp_path / "out/outer/inner"


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "C:\\out.txt", "..\\out.txt", "a\\..\\b"]
)
def test_names_that_lead_out_are_refused(packed, tmp_path, name):
    path = packed({"fine.txt": "x", name: "x"})
    with pytest.raises(ValueError, match=r"some\.zip: .* leads out of the archive"):
        unzip(path, tmp_path / "deep" / "out", 100)
    assert not (tmp_path / "deep").exists()


def test_links_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match='"link" is a link'):
        unzip(tmp_path / "some.zip", tmp_path / "out", 100)


def test_more_than_the_limit_is_refused_also_where_the_archive_lies(packed, tmp_path):
    path = packed({"big.txt": "0" * 5_000_000})
    with pytest.raises(ValueError, match=r"more than 1 MB come out of this archive.*learnviews serve FOLDER"):
        unzip(path, tmp_path / "out", 1_000_000)
    assert not (tmp_path / "out").exists()
    raw = path.read_bytes()
    small = struct.pack("<I", 10)
    lied = raw.replace(struct.pack("<I", 5_000_000), small)  # in the local header, and in the list at the end
    assert lied != raw
    path.write_bytes(lied)
    with pytest.raises(ValueError, match=r"some\.zip"):
        unzip(path, tmp_path / "out", 1_000_000)
    assert sum(each.stat().st_size for each in (tmp_path / "out").rglob("*")) <= 1_000_000


def test_what_is_no_archive_says_so(packed, tmp_path):
    (tmp_path / "words.zip").write_text("only words")
    whole = packed({"a.txt": "some words " * 1000}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    for name in ("words.zip", "cut.zip"):
        with pytest.raises(ValueError, match=f"{name}: cannot be unpacked.*expected a zip archive"):
            unzip(tmp_path / name, tmp_path / "out", 10**6)
    damaged = bytearray(whole)
    damaged[40:60] = bytes(20)
    (tmp_path / "bad.zip").write_bytes(damaged)
    with pytest.raises(ValueError, match=r"bad\.zip: cannot be unpacked"):
        unzip(tmp_path / "bad.zip", tmp_path / "out2", 10**6)


def test_empty_ones_and_secret_ones_are_refused(packed, tmp_path):
    with pytest.raises(ValueError, match="nothing in this archive"):
        unzip(packed({"__MACOSX/x": "1"}), tmp_path / "out", 100)
    path = packed({"a.txt": "x"})
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"PK\x01\x02") + 8] |= 1  # the flag of encryption, in the list
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="needs a password"):
        unzip(path, tmp_path / "out", 100)


def test_one_that_is_cancelled_stops(packed, tmp_path):
    progress = Progress()
    progress.cancel()
    unzip(packed({"a.txt": "x" * 100, "b.txt": "y"}), tmp_path / "out", 1000, progress)
    assert not (tmp_path / "out/b.txt").exists()
