"""Text that a net writes: what it is conditioned on, how bold it is, what is refused."""

import cases
import naive
import numpy as np
import pytest

from learnviews.kernels import rnn

CORPUS = rnn.Corpus("the cat sat on the mat.", name="cats")


@pytest.fixture
def net():
    net = rnn.RecurrentNet("tanh", len(CORPUS.symbols), 8, len(CORPUS.symbols), rng=2, initial="uniform")
    net.flat *= 4
    return net


def test_length_and_alphabet(net):
    for length in (0, 1, 300):
        text = rnn.sample(net, CORPUS, length)
        assert len(text) == length
        assert set(text) <= set(CORPUS.symbols)


def test_same_seed_same_text(net):
    assert rnn.sample(net, CORPUS, 50, rng=4) == rnn.sample(net, CORPUS, 50, rng=4)
    assert rnn.sample(net, CORPUS, 50, rng=4) != rnn.sample(net, CORPUS, 50, rng=5)
    rng = np.random.default_rng(4)
    assert rnn.sample(net, CORPUS, 50, rng=rng) != rnn.sample(net, CORPUS, 50, rng=rng)


@cases.EVERY_WAY
def test_coldest_text_is_the_most_probable_symbol_after_everything_before(net, way):
    text = "the c"
    for _ in range(12):
        tokens = CORPUS.encode(text).astype(int)[:, None]
        text += CORPUS.symbols[naive.forward(net, tokens, tokens).p[-1, 0].argmax()]
    with cases.path(way):
        assert rnn.sample(net, CORPUS, 12, prime="the c", temperature=1e-4) == text[5:]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_symbols_come_as_often_as_their_probability_says(net, temperature):
    tokens = CORPUS.encode("the").astype(int)[:, None]
    p = naive.forward(net, tokens, tokens).p[-1, 0] ** (1 / temperature)
    rng = np.random.default_rng(0)
    drawn = CORPUS.encode("".join(rnn.sample(net, CORPUS, 1, "the", temperature, rng) for _ in range(3000)))
    share = np.bincount(drawn, minlength=len(p)) / 3000
    np.testing.assert_allclose(share, p / p.sum(), atol=4 * 0.5 / np.sqrt(3000))


def test_hottest_text_is_even(net):
    drawn = CORPUS.encode(rnn.sample(net, CORPUS, 4000, temperature=1e9))
    np.testing.assert_allclose(np.bincount(drawn) / 4000, 1 / len(CORPUS.symbols), atol=0.03)


@pytest.mark.parametrize("temperature", [1e-30, 1e-300])
def test_any_positive_temperature_will_do(net, temperature):
    assert rnn.sample(net, CORPUS, 5, "the", temperature) == rnn.sample(net, CORPUS, 5, "the", 1e-4)


@pytest.mark.parametrize("temperature", [0, -1, float("nan")])
def test_temperature_must_be_positive(net, temperature):
    with pytest.raises(ValueError, match="temperature must be a positive number"):
        rnn.sample(net, CORPUS, temperature=temperature)


def test_prime_of_unknown_symbols(net):
    with pytest.raises(ValueError, match=r"not in its vocabulary: \['Q'\]"):
        rnn.sample(net, CORPUS, prime="Q")


def test_sampling_leaves_the_net_alone(net):
    before = net.flat.copy()
    rnn.sample(net, CORPUS, 20)
    np.testing.assert_array_equal(net.flat, before)


def test_trainer_draws_from_its_own_generator(net):
    trainer = rnn.Trainer(net, CORPUS, length=5, rng=4)
    rng = np.random.default_rng(4)
    assert trainer.sample(20, "the") == rnn.sample(net, CORPUS, 20, "the", rng=rng)
    assert trainer.sample(20, "cat", 0.5) == rnn.sample(net, CORPUS, 20, "cat", 0.5, rng=rng)
