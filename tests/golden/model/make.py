#!/usr/bin/env python3
"""Makes tiny random models with transformers and writes what it computes: FOLDER/NAME/{config.json, model.safetensors, reference.json}.

    python3 make.py FOLDER [NAME...]

reference.json has the logits of two sequences at every position and a greedy continuation, float32, eager attention. Weights are large enough that every
part of a model moves its logits. The folders beside this file were made with it (transformers 5.24, torch 2.13) or, those of llama, qwen, gemma, phi,
gpt2, gpt_neox, opt and mistral, in the same way with 5.23; their GGUF files by llama.cpp's converter.
"""
import json, os, sys

import torch
from transformers import AutoConfig, AutoModelForCausalLM

SIZES = dict(hidden_size=32, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=96,
             max_position_embeddings=64, bos_token_id=1, eos_token_id=2, pad_token_id=0)

MODELS = {
    "llama_biased": ("llama", dict(SIZES, attention_bias=True, mlp_bias=True)),
    "llama_yarn": ("llama", dict(SIZES, rope_parameters=dict(rope_type="yarn", rope_theta=10000.0, factor=4.0,
                                                             original_max_position_embeddings=16))),
    "qwen2_window": ("qwen2", dict(SIZES, num_hidden_layers=3, use_sliding_window=True, sliding_window=5, max_window_layers=1)),
    "phi3_long": ("phi3", dict(SIZES, hidden_size=64, original_max_position_embeddings=16,
                               rope_parameters=dict(rope_type="longrope", rope_theta=10000.0, partial_rotary_factor=0.75,
                                                    short_factor=[1.0, 1.1, 1.2, 1.3, 1.4, 1.5], long_factor=[1.5, 2.0, 2.5, 3.0, 3.5, 4.0]))),
    "gpt_neox_sequential": ("gpt_neox", dict(SIZES, num_key_value_heads=None, use_parallel_residual=False)),
    "smollm3": ("smollm3", dict(SIZES, num_hidden_layers=4)),
    "olmo2": ("olmo2", dict(SIZES)),
    "granite": ("granite", dict(SIZES, embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.2, logits_scaling=2.0)),
    "stablelm": ("stablelm", dict(SIZES, use_qkv_bias=True)),
    "stablelm_parallel": ("stablelm", dict(SIZES, use_parallel_residual=True)),
}


def randomise(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, 1.2 / parameter.shape[-1] ** 0.5 if "embed" not in name and "head" not in name else 0.5)
            elif name.endswith("bias"):
                parameter.normal_(0.0, 0.3)
            else:
                parameter.uniform_(0.6, 1.4)


def make(folder, name):
    kind, settings = MODELS[name]
    config = AutoConfig.for_model(kind, **{key: value for key, value in settings.items() if value is not None})
    config._attn_implementation = "eager"
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, attn_implementation="eager").eval()
    randomise(model)
    generator = torch.Generator().manual_seed(7)
    ids = torch.randint(3, config.vocab_size, (2, 24), generator=generator)
    with torch.no_grad():
        logits = model(ids).logits
        text = ids[:1, :8]
        while text.shape[1] < 24:
            text = torch.cat([text, model(text).logits[:, -1:].argmax(-1)], 1)
    place = os.path.join(folder, name)
    model.save_pretrained(place)
    os.path.exists(os.path.join(place, "generation_config.json")) and os.remove(os.path.join(place, "generation_config.json"))
    with open(os.path.join(place, "reference.json"), "w") as out:
        json.dump({"input_ids": ids.tolist(), "logits": [[[round(x, 6) for x in row] for row in one] for one in logits.tolist()],
                   "greedy_from_first_8": text[0].tolist()}, out)
    print(name, "largest logit", float(logits.abs().max()))


if __name__ == "__main__":
    for model_name in sys.argv[2:] or MODELS:
        make(sys.argv[1], model_name)
