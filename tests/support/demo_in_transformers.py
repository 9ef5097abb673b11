"""What Hugging Face transformers makes of a model folder: ids and float32 logits of texts, as JSON on standard output.

usage: demo_in_transformers.py FOLDER TEXT...
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

folder, texts = sys.argv[1], sys.argv[2:]
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
rows = []
for text in texts:
    ids = tokenizer(text)["input_ids"]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0]
    rows.append({"text": text, "ids": ids, "back": tokenizer.decode(ids, skip_special_tokens=True), "logits": logits.tolist()})
json.dump(rows, sys.stdout)
