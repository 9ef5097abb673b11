"""The distillation step of the demo shape in PyTorch and transformers, as a peer for distil_bench.

Reads lines "VARIANT STEPS" from standard input, VARIANT one of eager, autocast, compiled; answers with the seconds of each step.
eager: float32. autocast: bfloat16 by torch.autocast. compiled: the same through torch.compile. Fused AdamW, gradients clipped to norm 1.
"""

import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

LAYERS, WIDTH, HEADS, FFN, PIECES, SEQUENCES, LENGTH = 6, 256, 8, 688, 4096, 16, 128
TEMPERATURE, ALPHA = 2.0, 0.3


def make_model():
    return LlamaForCausalLM(LlamaConfig(
        vocab_size=PIECES, hidden_size=WIDTH, intermediate_size=FFN, num_hidden_layers=LAYERS, num_attention_heads=HEADS,
        num_key_value_heads=HEADS, max_position_embeddings=LENGTH, tie_word_embeddings=False, use_cache=False))


def loss_of(teacher_logits, student_logits, ids):
    teacher = torch.log_softmax(teacher_logits[:, :-1].float() / TEMPERATURE, -1)
    student_rows = student_logits[:, :-1].float()
    student = torch.log_softmax(student_rows / TEMPERATURE, -1)
    rows = teacher.shape[0] * teacher.shape[1]
    divergence = torch.nn.functional.kl_div(student, teacher, reduction="sum", log_target=True) / rows
    hard = torch.nn.functional.cross_entropy(student_rows.reshape(-1, PIECES), ids[:, 1:].reshape(-1))
    return ALPHA * hard + (1 - ALPHA) * TEMPERATURE**2 * divergence


class Variant:
    def __init__(self, name):
        torch.manual_seed(1)
        self.student, self.teacher = make_model(), make_model().eval()
        self.optimiser = torch.optim.AdamW(self.student.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
        self.autocast = name != "eager"
        self.read = lambda model, ids: model(input_ids=ids).logits
        self.compare = loss_of
        if name == "compiled":
            self.read_student = torch.compile(self.read)
            self.read_teacher = torch.compile(self.read)
            self.compare = torch.compile(loss_of)
        else:
            self.read_student = self.read_teacher = self.read

    def step(self):
        ids = torch.randint(3, PIECES, (SEQUENCES, LENGTH))
        begin = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.autocast):
            with torch.no_grad():
                teacher_logits = self.read_teacher(self.teacher, ids)
            loss = self.compare(teacher_logits, self.read_student(self.student, ids), ids)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad()
        return time.perf_counter() - begin


def main():
    variants = {}
    print("ready", flush=True)
    for line in sys.stdin:
        name, steps = line.split()
        if name not in variants:
            variants[name] = Variant(name)
            variants[name].step()
            variants[name].step()
        print(" ".join(f"{variants[name].step():.6f}" for _ in range(int(steps))), flush=True)


if __name__ == "__main__":
    main()
