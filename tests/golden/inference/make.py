"""Writes distribution.json and sampler.json beside itself: what NumPy in float64 and transformers' logits processors say. Needs numpy, torch, transformers."""
import json
import math
import pathlib

import numpy as np
import torch
import transformers
from transformers.generation import logits_process

HERE = pathlib.Path(__file__).parent
NINF = -math.inf


def log_softmax(logits, temperature=1.0):
    x = np.asarray(logits, dtype=np.float64) / temperature
    x = x - x.max()
    return x - np.log(np.exp(x).sum())


def expectation(p, x):
    return float(np.where(p > 0, p * np.where(p > 0, x, 0.0), 0.0).sum())


def pair(teacher, student, temperature):
    a, b = log_softmax(teacher, temperature), log_softmax(student, temperature)
    p, q = np.exp(a), np.exp(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        m = np.log((p + q) / 2)
        terms = np.where(p > 0, p * (a - b), 0.0)
        order = sorted(range(len(p)), key=lambda i: (-abs(terms[i]), i))[:5]
        top = lambda x: sorted(range(len(x)), key=lambda i: (-x[i], i))[:10]
        return {
            "temperature": temperature, "teacher": floats(teacher), "student": floats(student),
            "teacher_log_probs": floats(a), "student_log_probs": floats(b),
            "kl": expectation(p, a - b), "reverse_kl": expectation(q, b - a), "js": (expectation(p, a - m) + expectation(q, b - m)) / 2,
            "tv": float(np.abs(p - q).sum() / 2), "teacher_entropy": -expectation(p, a), "student_entropy": -expectation(q, b),
            "teacher_top": top(np.asarray(teacher)), "student_top": top(np.asarray(student)),
            "overlap": len(set(top(np.asarray(teacher))) & set(top(np.asarray(student)))),
            "contributions": [{"id": i, "amount": float(terms[i])} for i in order],
        }


def floats(values):
    return [None if v == NINF else float(v) for v in values]  # JSON has no infinity: null is -inf


def rounded(generator, n, spread):
    return np.float32(np.round(generator.normal(0, spread, n), 3)).tolist()


def distribution():
    g = np.random.default_rng(20)
    pairs = []
    for n, spread, temperature in [(5, 1.0, 1.0), (17, 3.0, 1.0), (64, 2.0, 2.0), (101, 6.0, 0.5), (40, 30.0, 1.0)]:
        pairs.append(pair(rounded(g, n, spread), rounded(g, n, spread), temperature))
    base = rounded(g, 33, 2.0)
    pairs.append(pair(base, np.float32(np.asarray(base) + np.asarray(rounded(g, 33, 0.01))).tolist(), 1.0))
    both_ban = [NINF if i in (3, 20) else v for i, v in enumerate(base)]
    pairs.append(pair(both_ban, [NINF if i in (3, 20) else v for i, v in enumerate(rounded(g, 33, 2.0))], 1.0))
    tied = [1.0, 2.0, 2.0, 0.0, 2.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0]
    pairs.append(pair(tied, tied[::-1], 1.0))
    about = ("log softmax(logits / temperature) and the sums of the definitions in NumPy float64; null is -inf; ties by lower id; "
             "contributions: the five largest |p (log p - log q)|; made by make.py")
    write("distribution.json", {"about": about, "pairs": pairs})


def sampler():
    g = np.random.default_rng(21)
    cases = []
    settings = [
        {}, {"temperature": 0.5}, {"temperature": 1.7}, {"top_k": 5}, {"top_p": 0.7}, {"min_p": 0.1}, {"repeat_penalty": 1.3},
        {"temperature": 0.8, "top_k": 12, "top_p": 0.85}, {"temperature": 1.2, "top_p": 0.9, "min_p": 0.05},
        {"temperature": 0.7, "top_k": 20, "top_p": 0.95, "min_p": 0.02, "repeat_penalty": 1.1}, {"top_p": 0.01}, {"top_k": 1}, {"min_p": 1.0},
    ]
    for n, spread in [(40, 2.0), (150, 3.0)]:
        for s in settings:
            logits = rounded(g, n, spread)
            if s == {"top_k": 5}:
                ranked = sorted(range(n), key=lambda i: -logits[i])
                logits[ranked[5]] = logits[ranked[6]] = logits[ranked[4]]  # three share the fifth place
            history = [int(i) for i in g.integers(0, n, 12)]
            ids = torch.tensor([history])
            scores = torch.tensor([logits], dtype=torch.float32)
            chain = [
                ("repeat_penalty", lambda v: logits_process.RepetitionPenaltyLogitsProcessor(v)), ("temperature", logits_process.TemperatureLogitsWarper),
                ("top_k", logits_process.TopKLogitsWarper), ("top_p", logits_process.TopPLogitsWarper), ("min_p", logits_process.MinPLogitsWarper),
            ]
            for name, make in chain:
                if name in s:
                    scores = make(s[name])(ids, scores)
            probs = scores.double().softmax(-1)[0]
            kept = sorted((i for i in range(n) if scores[0, i] > NINF), key=lambda i: (-float(probs[i]), i))
            cases.append({"settings": s, "logits": logits, "history": history, "kept": kept, "probabilities": [round(float(probs[i]), 9) for i in kept]})
    about = (f"transformers {transformers.__version__} logits processors in the order of generation/utils.py, float32; kept ids with the probabilities that remain, "
             "most probable first; a setting not named is off, temperature 1; made by make.py")
    write("sampler.json", {"about": about, "cases": cases})


def write(name, content):
    (HERE / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")


distribution()
sampler()
