"""The rehearsal's tiny Llama and dialogues, for the tests of the recipes."""

from demo.tiny import PROMPT, Shape, dialogues, make, write_dialogues, write_model

__all__ = ["PROMPT", "Shape", "dialogues", "make", "write_dialogues", "write_model"]
