"""A small server on transformers, for where vLLM is not: OpenAI's endpoints, one answer at a time.

For rehearsals and tests. It answers what vLLM answers for the same greedy request, and refuses by
name what it has not got.
"""
