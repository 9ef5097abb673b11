"""The `tokenizers` library on the bench's corpus, one thread.

tokenizer_peer.py make CORPUS TOKENIZER_JSON   trains a byte-level BPE of 32,768 pieces on the corpus
tokenizer_peer.py time CORPUS TOKENIZER_JSON   prints the best processor seconds of two passes (so that its cache of words is warm) and the number of ids

Documents in CORPUS end with a zero byte.
"""
import os
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def documents(path):
    with open(path, encoding="utf-8", newline="") as file:
        return file.read().split("\0")[:-1]


def make(corpus, path):
    tokenizer = Tokenizer(models.BPE())
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(WORDS), "isolated"), byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=32768, show_progress=False, initial_alphabet=alphabet, special_tokens=["<|end|>"])
    tokenizer.train_from_iterator(documents(corpus), trainer)
    tokenizer.save(path)


def measure(corpus, path):
    tokenizer = Tokenizer.from_file(path)
    texts = documents(corpus)
    best = float("inf")
    for _ in range(2):
        begin = time.process_time()
        count = sum(len(tokenizer.encode(text, add_special_tokens=False).ids) for text in texts)
        best = min(best, time.process_time() - begin)
    print(best, count)


{"make": make, "time": measure}[sys.argv[1]](sys.argv[2], sys.argv[3])
