"""Makes parts.json: small tokenizers that have every normalizer, pre-tokenizer, model, post-processor, decoder and flag of an added token that Retort
reads, with texts cut by the `tokenizers` library. Random texts from a fixed seed over all of Unicode.

    python make_parts.py > parts.json        needs tokenizers"""
import base64, json, random, struct, sys

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

R = random.Random(20261128)
ALPHABET = ["a", "b", "c", "A", "B", "Z", "1", "2", "42", " ", "  ", "\t", "\n", "\r\n", ".", ",", "!?", "'s", "'", "-", "_", "$", "\u00e9", "e\u0301", "\u00c5",
            "\u0130", "\u00df", "\ufb01", "\u00bd", "\u00b2", "\u2167", "\u0663", "\u4e2d", "\u3042", "\uff21", "\u1100\u1161", "\uac00", "\u200b", "\u00a0", "\u3000", "\u2581",
            "\U0001f600", "\U0001f468\u200d\U0001f469", "\u0bcd", "\u0e33", "\u05d0", "\u0000", "\u0007", "\ufffd", "\u180e", "\u2028", "\u203f", "<tok>", "wor", "word", "<s>"]


def texts(count=14):
    out = ["", " ", "abc word 12", "  a  b "]
    for _ in range(count):
        out.append("".join(R.choice(ALPHABET) if R.random() < 0.93 else chr(R.choice([R.randrange(1, 0xD800), R.randrange(0xE000, 0x11000)])) for _ in range(R.randrange(1, 14))))
    return out


def characters(*more):
    found = dict.fromkeys(c for word in ALPHABET for c in word)
    return list(dict.fromkeys(["<unk>"] + list(found) + list(more)))


def words():
    vocabulary = {piece: i for i, piece in enumerate(characters("ab", "abc", "\u2581a", "\u2581ab", "wo", "wor", "word", "12", "<0xC3>", "##a", "a</w>", "b</w>", "##ab", "bc</w>", "1"))}
    merges = [pair for pair in [("a", "b"), ("ab", "c"), ("\u2581", "a"), ("\u2581a", "b"), ("w", "o"), ("wo", "r"), ("wor", "d"), ("1", "2")]]
    return vocabulary, merges


def bpe(**more):
    vocabulary, merges = words()
    return models.BPE(vocabulary, merges, unk_token="<unk>", **more)


def bytes_bpe():
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: i for i, piece in enumerate(alphabet + ["ab", "\u0120a", "\u0120ab", "wo", "12", "123", "\u0102", "<s>"][:6])}
    return models.BPE(vocabulary, [("a", "b"), ("\u0120", "a"), ("\u0120", "ab"), ("w", "o"), ("1", "2"), ("12", "3")])


def unigram(byte_fallback=False):
    pieces = [(p, -float(3 + (i * 7) % 11) - i / 64) for i, p in enumerate(characters("ab", "abc", "\u2581", "\u2581a", "\u2581ab", "word", "wor", "12", "\u2581\u2581", "e\u0301")) if p not in ("Z", "\u4e2d", "\u3042", "\U0001f600")]
    pieces[0] = ("<unk>", 0.0)
    if byte_fallback:
        pieces += [("<0x%02X>" % b, -20.0) for b in range(256)]
    return models.Unigram(pieces, 0, byte_fallback)


def darts(entries):
    """A double array in darts-clone's units of sorted byte strings -> values; enough for a few dozen entries."""
    units = {0: 0}

    def build(node, group, depth):
        labels = sorted({key[depth] if depth < len(key) else 0 for key, _ in group})
        offset = 1
        while any((offset ^ label) in units for label in labels) or offset >= 1 << 21:
            offset += 1
        has_leaf = labels[0] == 0
        units[node] |= (offset ^ node) << 10 | (1 << 8 if has_leaf else 0)
        for label in labels:
            units[offset ^ label] = label
        for label in labels:
            part = [(key, value) for key, value in group if (key[depth] if depth < len(key) else 0) == label]
            if label == 0:
                units[offset] = 1 << 31 | part[0][1]
            else:
                build(offset ^ label, part, depth + 1)

    build(0, sorted(entries), 0)
    return b"".join(struct.pack("<I", units.get(i, 0)) for i in range(max(units) + 256))


def charsmap():
    table = {"\ufb01": "fi", "\u00bd": "1/2", "\uff21": "A", "e\u0301": "\u00e9", "\u3000": " ", "\u00a0": " ", "\t": " ", "\u200b": "", "\U0001f468": "man", "\u1100": "G", "\u00b2": "2"}
    names, entries = b"", []
    for key, value in table.items():
        entries.append((key.encode(), len(names)))
        names += value.encode() + b"\0"
    units = darts(entries)
    return struct.pack("<I", len(units)) + units + names


def tokenizer(model, normalizer=None, pre=None, post=None, decoder=None, added=()):
    t = Tokenizer(model)
    if normalizer is not None:
        t.normalizer = normalizer
    if pre is not None:
        t.pre_tokenizer = pre
    if decoder is not None:
        t.decoder = decoder
    special = [token for token in added if token.special]
    t.add_special_tokens(special)
    t.add_tokens([token for token in added if not token.special])
    if post is not None:
        t.post_processor = post(t)
    return t


N, P, D = normalizers, pre_tokenizers, decoders
METASPACE = D.Metaspace()
LLAMA = D.Sequence([D.Replace("\u2581", " "), D.ByteFallback(), D.Fuse(), D.Strip(" ", 1, 0)])


def all_tokenizers():
    for name, n in {"NFC": N.NFC(), "NFD": N.NFD(), "NFKC": N.NFKC(), "NFKD": N.NFKD(), "Lowercase": N.Lowercase(), "Strip": N.Strip(), "StripLeft": N.Strip(True, False),
                    "StripAccents": N.Sequence([N.NFD(), N.StripAccents()]), "Prepend": N.Prepend("ab"), "Replace": N.Replace("a", "bb"), "Nmt": N.Nmt(),
                    "ReplaceRegex": N.Replace(tokenizers.Regex("\\s+|\\d"), "_"), "Bert": N.BertNormalizer(), "BertCased": N.BertNormalizer(lowercase=False),
                    "BertPlain": N.BertNormalizer(False, False, True, False), "ByteLevel": N.ByteLevel(), "Precompiled": N.Precompiled(charsmap()),
                    "Sequence": N.Sequence([N.Nmt(), N.NFKC(), N.Replace(tokenizers.Regex(" {2,}"), " "), N.Lowercase()])}.items():
        yield "normalizer " + name, tokenizer(bpe(fuse_unk=False), normalizer=n, decoder=D.Fuse())
    behaviours = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
    splits = {"Split %s%s" % (b, " inverted" if i else ""): P.Split(tokenizers.Regex("[\\s.!?]|\\d"), b, i) for b in behaviours for i in (False, True)}
    splits.update({"SplitString": P.Split("a", "merged_with_next"), "Digits": P.Digits(False), "DigitsEach": P.Digits(True), "Whitespace": P.Whitespace(), "WhitespaceSplit": P.WhitespaceSplit(),
                   "Punctuation": P.Punctuation(), "PunctuationContiguous": P.Punctuation("contiguous"), "Bert": P.BertPreTokenizer(), "CharDelimiter": P.CharDelimiterSplit("b"),
                   "FixedLength": P.FixedLength(3), "Words": P.Split(tokenizers.Regex("\\b|\\W"), "isolated"),
                   "Sequence": P.Sequence([P.WhitespaceSplit(), P.Punctuation(), P.Digits(True)])})
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            splits["Metaspace %s %s" % (scheme, split)] = P.Metaspace(prepend_scheme=scheme, split=split)
    for name, p in splits.items():
        yield "pre-tokenizer " + name, tokenizer(bpe(fuse_unk=True), pre=p, decoder=D.Fuse(), added=[AddedToken("<tok>", special=True)])
    for name, p in {"ByteLevel": P.ByteLevel(False), "ByteLevelSpace": P.ByteLevel(True), "ByteLevelNoRegex": P.ByteLevel(True, use_regex=False),
                    "DigitsByteLevel": P.Sequence([P.Digits(True), P.ByteLevel(False)]),
                    "ByteLevelInside": P.Sequence([P.Punctuation("contiguous"), P.ByteLevel(False), P.Digits(False), P.Split(tokenizers.Regex("[0-9][0-9][0-9]"), "isolated")])}.items():
        yield "pre-tokenizer " + name, tokenizer(bytes_bpe(), pre=p, decoder=D.ByteLevel())
    yield "bytes without their decoder", tokenizer(bytes_bpe(), pre=P.ByteLevel(True))
    yield "no decoder", tokenizer(bpe(), pre=P.WhitespaceSplit())
    vocabulary, _ = words()
    yield "BPE suffix", tokenizer(models.BPE(dict(vocabulary, **{"c</w>": len(vocabulary)}), [("b", "c</w>")], unk_token="<unk>", end_of_word_suffix="</w>"), pre=P.WhitespaceSplit(), decoder=D.BPEDecoder())
    yield "BPE prefix", tokenizer(models.BPE(dict(vocabulary, **{"##b": len(vocabulary)}), [("a", "##b"), ("##a", "##b")], unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=True), pre=P.WhitespaceSplit(), decoder=D.Fuse())
    yield "BPE ignores merges", tokenizer(bpe(ignore_merges=True), pre=P.WhitespaceSplit(), decoder=D.Fuse())
    yield "WordLevel", tokenizer(models.WordLevel({"<unk>": 0, "a": 1, "word": 2, "ab": 3, "abc": 4, ".": 5, "12": 6}, "<unk>"), normalizer=N.Lowercase(), pre=P.Whitespace())
    for fallback in (False, True):
        yield "Unigram %s" % fallback, tokenizer(unigram(fallback), normalizer=N.Sequence([N.Precompiled(charsmap()), N.Replace(tokenizers.Regex(" {2,}"), " ")]), pre=P.Metaspace(), decoder=METASPACE)
        yield "Unigram whole %s" % fallback, tokenizer(unigram(fallback), normalizer=N.Sequence([N.Prepend("\u2581"), N.Replace(" ", "\u2581")]), decoder=LLAMA)
    flags = [dict(), dict(lstrip=True), dict(rstrip=True), dict(lstrip=True, rstrip=True), dict(single_word=True), dict(normalized=True), dict(normalized=True, single_word=True, lstrip=True),
             dict(special=True), dict(special=True, rstrip=True, normalized=True)]
    for i, flag in enumerate(flags):
        flag = dict(dict(special=False, normalized=False), **flag)
        for normalizer in (None, N.Lowercase()):
            yield "added token %d %s" % (i, bool(normalizer)), tokenizer(bpe(fuse_unk=True), normalizer=normalizer, decoder=D.Fuse(),
                                                                        added=[AddedToken("wor", **flag), AddedToken("<tok>", **flag), AddedToken("ord!", special=False, normalized=True), AddedToken("AB", **flag)])
    ends = {"Template": lambda t: processors.TemplateProcessing(single="<s> $A <e> <e>", special_tokens=[("<s>", t.token_to_id("<s>")), ("<e>", t.token_to_id("<e>"))]),
            "Roberta": lambda t: processors.RobertaProcessing(("<e>", t.token_to_id("<e>")), ("<s>", t.token_to_id("<s>"))),
            "Bert": lambda t: processors.BertProcessing(("<e>", t.token_to_id("<e>")), ("<s>", t.token_to_id("<s>"))),
            "Sequence": lambda t: processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", t.token_to_id("<s>"))])])}
    for name, post in ends.items():
        yield "post-processor " + name, tokenizer(bpe(), post=post, decoder=D.Fuse(), added=[AddedToken("<s>", special=True), AddedToken("<e>", special=True)])
    for name, d in {"Strip": D.Strip("a", 1, 0), "FuseStrip": D.Sequence([D.Fuse(), D.Strip("a", 2, 1)]), "Replace": D.Replace(tokenizers.Regex("[ab]+"), "x"), "Metaspace": METASPACE,
                    "MetaspaceNever": D.Metaspace(prepend_scheme="never"), "BPEDecoder": D.BPEDecoder("c"), "Llama": LLAMA}.items():
        yield "decoder " + name, tokenizer(bpe(), normalizer=N.Replace(" ", "\u2581"), decoder=d)


def cases(t, name):
    out = []
    for text in texts():
        plain, ids = t.encode(text, add_special_tokens=False).ids, t.encode(text).ids
        out.append({"text": text, "ids": plain, "ids_with_special": ids})
        try:
            out[-1]["decoded"] = t.decode(plain, skip_special_tokens=False)
        except BaseException as problem:  # the library's own: it panics on some empty texts
            if type(problem).__name__ != "PanicException":
                raise
    return out


def main():
    rows = []
    for name, t in all_tokenizers():
        rows.append({"name": name, "tokenizer": json.loads(t.to_str()), "cases": cases(t, name)})
    json.dump({"made_by": "tokenizers " + tokenizers.__version__, "rows": rows}, sys.stdout, ensure_ascii=True, separators=(",", ":"))


main()
