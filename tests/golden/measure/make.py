"""Writes score.json and shares.json beside itself: what NumPy and SciPy say of made-up figures. Needs numpy, scipy."""
import json
import pathlib

import numpy as np
from scipy.stats import binomtest

HERE = pathlib.Path(__file__).parent
PER_CHUNK, CHUNKS = 25, 9
PERCENTILES = {"maximum": 100, "p99_9": 99.9, "p99": 99, "p95": 95, "p90": 90, "p75": 75, "median": 50, "p25": 25, "p10": 10, "p5": 5, "p1": 1,
               "p0_1": 0.1, "minimum": 0}


def estimate(x):
    """Mean, standard error by llama-perplexity's formula, and the error clustered by chunk by its definition, a sum at a time."""
    n, mean = len(x), np.mean(x)
    sums = (x - mean).reshape(CHUNKS, PER_CHUNK).sum(axis=1)
    return {"value": float(mean), "error": float(np.sqrt((np.mean(x * x) - mean * mean) / (n - 1))),
            "clustered_error": float(np.sqrt(np.var(sums, ddof=1) * CHUNKS) / n)}


def spread(x):
    return {name: float(np.percentile(x, q)) for name, q in PERCENTILES.items()}


def score():
    rng = np.random.default_rng(11)
    n = PER_CHUNK * CHUNKS
    chunk_effect = np.repeat(rng.normal(0, 0.3, CHUNKS), PER_CHUNK)
    base = -np.exp(rng.normal(0.2, 0.8, n))
    own = base - np.abs(rng.normal(0.05, 0.2, n)) + 0.2 * chunk_effect * (base < -0.5)
    own = np.minimum(own, -1e-4)
    kld = np.abs(rng.normal(0.05, 0.05, n)) * np.exp(chunk_effect)
    same = rng.random(n) < 0.85
    p, q = np.exp(base), np.exp(own)
    mean_own, mean_base = -own.mean(), -base.mean()
    ppl, base_ppl = np.exp(mean_own), np.exp(mean_base)
    e, b, r = estimate(-own), estimate(-base), estimate(base - own)
    cov = (np.mean(own * base) - own.mean() * base.mean()) / (n - 1)
    unc, base_unc = ppl * e["error"], base_ppl * b["error"]
    return {"per_chunk": PER_CHUNK, "log_probability": own.tolist(), "base_log_probability": base.tolist(), "kl_of_head": kld.tolist(),
            "same_top": same.tolist(),
            "expected": {"perplexity": {"value": ppl, "error": unc}, "base_perplexity": {"value": base_ppl, "error": base_unc},
                         "correlation": cov / (e["error"] * b["error"]), "log_ratio": r,
                         "ratio": {"value": np.exp(r["value"]), "error": np.exp(r["value"]) * r["error"]},
                         "difference": {"value": ppl - base_ppl, "error": np.sqrt(unc**2 + base_unc**2 - 2 * ppl * base_ppl * cov)},
                         "kld": estimate(kld), "kld_spread": spread(kld), "delta_p": estimate(q - p), "delta_p_spread": spread(q - p),
                         "rms_delta_p": {"value": np.sqrt(np.mean((q - p) ** 2)),
                                         "error": 0.5 / np.sqrt(np.mean((q - p) ** 2)) * estimate((q - p) ** 2)["error"]},
                         "same_top": {"value": same.mean(), "error": np.sqrt(same.mean() * (1 - same.mean()) / (n - 1))}}}


def shares():
    rows = []
    for right, of in [(0, 10), (1, 10), (10, 10), (28, 100), (97, 100), (500, 1000), (3, 7)]:
        ci = binomtest(right, of).proportion_ci(method="wilson")
        rows.append({"right": right, "of": of, "low": ci.low, "high": ci.high})
    return rows


for name, content in (("score", score()), ("shares", shares())):
    (HERE / f"{name}.json").write_text(json.dumps(content) + "\n")
