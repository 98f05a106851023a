"""Corpora: which files are read, how they decode, and the tokens they become."""

import codecs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from learnviews.kernels import rnn

BINARY = bytes(range(256))
MARKS = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


def put(folder, **files):
    """Files by stem, each text or bytes; the folder."""
    folder.mkdir(exist_ok=True)
    for stem, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / f"{stem}.txt").write_bytes(data)
    return folder


# --- tokens


def test_vocabulary_is_the_sorted_set_of_characters():
    corpus = rnn.Corpus("hello, world\n")
    assert corpus.symbols == sorted(set("hello, world\n"))
    assert len(corpus) == 13
    assert "".join(corpus.symbols[token] for token in corpus.tokens) == "hello, world\n"
    assert repr(corpus) == "Corpus('text', 13 characters, 10 symbols)"


def test_given_vocabulary_stays_as_it_is():
    corpus = rnn.Corpus("abba", symbols=["b", "z", "a"])
    assert corpus.symbols == ["b", "z", "a"]
    assert corpus.tokens.tolist() == [2, 0, 0, 2]


def test_given_vocabulary_lacks_a_symbol():
    with pytest.raises(ValueError, match=r"not in its vocabulary: \['c'\]"):
        rnn.Corpus("abc", symbols=["a", "b"])


@pytest.mark.parametrize(("symbols", "dtype"), [(2, np.uint8), (256, np.uint8), (257, np.uint16)])
def test_tokens_take_as_little_room_as_the_vocabulary_needs(symbols, dtype):
    assert rnn.Corpus("".join(chr(40 + i) for i in range(symbols))).tokens.dtype == dtype


@given(st.text(st.characters(), min_size=2).filter(lambda text: len(set(text)) > 1))
def test_any_text_survives_its_tokens(text):
    corpus = rnn.Corpus(text)
    assert corpus.decode(corpus.tokens) == text
    assert corpus.decode(corpus.encode(text[::-1])) == text[::-1]


def test_encode_unknown_characters():
    corpus = rnn.Corpus("ab", name="tiny")
    with pytest.raises(ValueError, match=r"corpus 'tiny': characters not in its vocabulary: \['x', 'é'\]"):
        corpus.encode("baéxab")
    assert corpus.encode("").tolist() == []


def test_empty_text():
    with pytest.raises(ValueError, match="corpus 'text' is empty"):
        rnn.Corpus("")


def test_one_symbol_gives_nothing_to_predict():
    with pytest.raises(ValueError, match=r"one symbol only \('a'\)"):
        rnn.Corpus("aaaa")


def test_empty_vocabulary():
    with pytest.raises(ValueError, match="corpus 'text'"):
        rnn.Corpus("aaaa", symbols=[])


# --- files, folders, patterns


def test_one_file(tmp_path):
    file = put(tmp_path, a="some text\r\n") / "a.txt"
    corpus = rnn.Corpus.read(file)
    assert (corpus.text, corpus.name, corpus.sources) == ("some text\r\n", "a.txt", [str(file)])
    assert rnn.Corpus.read(str(file), name="mine").name == "mine"


def test_folder_is_read_whole_and_sorted(tmp_path):
    folder = put(tmp_path / "f", b="two ", a="one ")
    put(folder / "inner", z="three ")
    assert rnn.Corpus.read(folder).text == "one two three "
    assert rnn.Corpus.read(folder).name == "f"


def test_pattern(tmp_path):
    folder = put(tmp_path / "f", b="two ", a="one ", other="never ")
    assert rnn.Corpus.read(folder / "[ab].txt").text == "one two "
    put(folder / "inner", a="three ")
    assert rnn.Corpus.read(f"{folder}/**/a.txt").text == "one three "


def test_names_that_look_like_patterns_are_names_first(tmp_path):
    folder = put(tmp_path / "f[ab]", **{"a[1]": "right ", "a1": "wrong "})
    assert rnn.Corpus.read(folder / "a[1].txt").text == "right "
    assert rnn.Corpus.read(folder).text == "wrong right "


def test_several_paths_in_order_each_file_once(tmp_path):
    folder = put(tmp_path / "f", a="one ", b="two ")
    corpus = rnn.Corpus.read(folder / "b.txt", folder, folder / "*.txt")
    assert corpus.text == "two one "
    assert corpus.name == "b.txt and 2 more"


@pytest.mark.parametrize("name", ["nothing.txt", "*.c"])
def test_missing_path(tmp_path, name):
    with pytest.raises(FileNotFoundError, match="no such file, folder or match") as error:
        rnn.Corpus.read(tmp_path / name)
    assert name in str(error.value)


def test_empty_folder(tmp_path):
    (tmp_path / "inner").mkdir()
    with pytest.raises(FileNotFoundError, match="an empty folder") as error:
        rnn.Corpus.read(tmp_path)
    assert str(tmp_path) in str(error.value)


def test_no_path():
    with pytest.raises(ValueError, match="no corpus given"):
        rnn.Corpus.read()


def test_files_without_any_text(tmp_path):
    file = put(tmp_path, a="") / "a.txt"
    with pytest.raises(ValueError, match=r"corpus 'a\.txt' is empty"):
        rnn.Corpus.read(file)


# --- encodings


@pytest.mark.parametrize("encoding", MARKS)
@pytest.mark.parametrize("given", [None, "latin-1"])
def test_byte_order_mark_decides(tmp_path, encoding, given):
    text = "naïve – 中文 𝔘\n"
    file = put(tmp_path, a=MARKS[encoding] + text.encode(encoding)) / "a.txt"
    assert rnn.Corpus.read(file, encoding=given).text == text


def test_utf8_unless_told_otherwise(tmp_path):
    file = put(tmp_path, a="naïve".encode("latin-1")) / "a.txt"
    with pytest.raises(ValueError, match=r"not utf-8 \(byte 2 is 0xef\).*latin-1") as error:
        rnn.Corpus.read(file)
    assert str(file) in str(error.value)
    assert rnn.Corpus.read(file, encoding="latin-1").text == "naïve"


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (codecs.BOM_UTF8 + b"abc\xffd", "byte 6 is 0xff"),
        (codecs.BOM_UTF16_LE + "ab".encode("utf-16-le") + b"\x00\xdc", "byte 6 is 0x00"),
    ],
)
def test_broken_text_behind_a_mark(tmp_path, data, place):
    with pytest.raises(ValueError, match=place):
        rnn.Corpus.read(put(tmp_path, a=data) / "a.txt")


def test_binary_file_named_outright(tmp_path):
    file = put(tmp_path, a=BINARY) / "a.txt"
    with pytest.raises(ValueError, match="a binary file") as error:
        rnn.Corpus.read(file)
    assert str(file) in str(error.value)


def test_binary_file_in_a_folder_is_left_out_and_listed(tmp_path):
    folder = put(tmp_path / "f", a="one ", b=BINARY, c="ï".encode("latin-1"), d="two ")
    for path in (folder, folder / "*.txt"):
        corpus = rnn.Corpus.read(path)
        assert corpus.text == "one two "
        assert corpus.sources == [str(folder / "a.txt"), str(folder / "d.txt")]
        assert corpus.skipped == [str(folder / "b.txt"), str(folder / "c.txt")]
    with pytest.raises(ValueError, match="a binary file"):
        rnn.Corpus.read(folder, folder / "b.txt")


def test_folder_of_binary_files_only(tmp_path):
    folder = put(tmp_path / "f", a=BINARY, b=BINARY)
    with pytest.raises(ValueError, match=r"no text file among .* \(2 left out as no text\)") as error:
        rnn.Corpus.read(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("name", ["", "a.txt"], ids=["folder", "file"])
def test_unknown_encoding(tmp_path, name):
    put(tmp_path, a="some text")
    with pytest.raises(ValueError, match="encoding 'klingon' is not known"):
        rnn.Corpus.read(tmp_path / name, encoding="klingon")


# --- what ships with it


def test_embedded_corpus_is_real_c():
    corpus = rnn.Corpus.embedded()
    assert len(corpus) > 300_000
    assert corpus.name.startswith("C headers of NumPy")
    assert all(source.endswith(".h") for source in corpus.sources)
    for word in ("#ifndef", "#include", "typedef struct", "static inline", "PyArray_DESCR", "return"):
        assert word in corpus.text
    assert corpus.text.count("{") > 500
    assert np.bincount(corpus.tokens).min() > 0  # no symbol that never occurs
