"""One servable model from a base model and what the fine-tuning saved.

    python -m recipes.merge --base /mnt/base --adapter /mnt/outputs --output /mnt/merged
    python -m recipes.merge --base /mnt/base --fsdp-checkpoint /mnt/outputs --output /mnt/merged

``--adapter`` folds LoRA weights into the base model; ``--fsdp-checkpoint`` turns the sharded
checkpoint of a full-parameter run into a Hugging Face model. Either goes shard by shard, so that
a model of 26 GB needs the memory, and the disk, of one shard of it: the shards are the base
model's. Sums are made in fp32 and rounded once, to the type that the base model has.

Beside the weights the output has the configuration, the tokenizer, and ``tunestack.json``, written
last: what the model came from, and the SHA-256 of each file. A run that was cut off can be
repeated.
"""
