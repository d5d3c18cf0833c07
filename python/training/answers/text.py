"""From an answer to the tokens and hashed features that the model reads.

`crates/inperson/src/detect/answers/text.rs` computes the very same; `golden.json` beside the Rust tests keeps both true.
"""

import re

import numpy as np

FILLERS = frozenset("uh um uhm umm uhh er erm eh ah hm hmm hmmm mm mmm mhm huh mhmm uhhuh".split())
NUMBERS = frozenset(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion".split()
)
NUMBER = "#"
APOSTROPHES = "\u2019\u2018\u02bc\u00b4`"
MARKER = re.compile(r"^[ \t]*(?:[0-9]{1,2}[.)]|[-*\u2022])[ \t]+", re.MULTILINE)
BRACKETS = re.compile(r"\[[^\[\]]{0,60}\]|<[^<>]{0,60}>|\{[^{}]{0,60}\}|\((?:pause|laugh|inaudible)[^()]{0,40}\)")
# a word: ASCII letters and digits, apostrophes inside, and every letter beyond ASCII that is not punctuation
WORD = re.compile(
    r"[a-z0-9'\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u1fff\u3040-\u9fff\ua000-\ud7ff]+-?"
)


def tokens(text: str) -> list[str]:
    """Words as a recogniser gives them: lower case, no punctuation, no fillers, no immediate repeats, numbers as one."""
    text = MARKER.sub("", BRACKETS.sub(" ", text))
    # only ASCII is lowered, so that both languages agree
    text = "".join(c.lower() if c.isascii() else "'" if c in APOSTROPHES else c for c in text)
    out: list[str] = []
    for match in WORD.finditer(text):
        word = match.group()
        if word.endswith("-"):
            # "w- what": cut off when white space follows, else part of a compound
            following = text[match.end() : match.end() + 1]
            word = word[:-1]
            if following == "" or following in " \n\t,.":
                continue
        if not word.strip("'"):
            continue
        tail = word in ("n't", "'s", "'re", "'ve", "'ll", "'m", "'d") and bool(out)
        if tail:
            out[-1] += word
            continue
        word = word.strip("'")
        if word in FILLERS:
            continue
        if word in NUMBERS or any("0" <= c <= "9" for c in word):
            word = NUMBER
        if out and out[-1] == word:
            continue
        out.append(word)
    return out


_HASHES: dict[str, int] = {}
MASK64 = (1 << 64) - 1


def fnv(word: str) -> int:
    """FNV-1a, 64 bits, of the word's UTF-8."""
    held = _HASHES.get(word)
    if held is None:
        held = 0xCBF29CE484222325
        for byte in word.encode():
            held = ((held ^ byte) * 0x100000001B3) & MASK64
        _HASHES[word] = held
    return held


MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def mix(h: np.ndarray) -> np.ndarray:
    """The finaliser of MurmurHash3."""
    h = h ^ (h >> np.uint64(33))
    h = h * np.uint64(0xFF51AFD7ED558CCD)
    h = h ^ (h >> np.uint64(33))
    h = h * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))


def ngrams(words: list[str], orders: range, salt: int) -> np.ndarray:
    """Hashes of all n-grams of the given orders."""
    base = np.array([fnv(w) for w in words], dtype=np.uint64)
    found = []
    with np.errstate(over="ignore"):
        rolling = np.full(len(base), salt, dtype=np.uint64)
        for n in range(1, orders.stop):
            if len(base) < n:
                break
            rolling = rolling[: len(base) - n + 1] * MULTIPLIER + base[n - 1 :]
            if n in orders:
                found.append(mix(rolling + np.uint64(n)))
    return np.concatenate(found) if found else np.zeros(0, np.uint64)
