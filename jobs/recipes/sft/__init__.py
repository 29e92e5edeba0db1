"""Supervised fine-tuning of a causal language model, by LoRA or in full, on one GPU or on many.

    torchrun --nproc-per-node 2 --module recipes.sft --model /mnt/base --data /mnt/data \
        --output /mnt/outputs --checkpoints oci://bucket@namespace/checkpoints/run

Plain PyTorch: FSDP2 (``fully_shard``) over NCCL on GPUs, over gloo on CPUs; without torchrun it
is one process. The same options, data and global batch give the same losses whatever the number
of processes.

How it ends:

===  ==========================================================================================
  0  trained; the result is in ``--output``
  1  failed; the last line says which rank and why
  2  wrong options or missing files; nothing was started
 75  told to stop; a checkpoint was saved, the same command goes on from it
===  ==========================================================================================

It is told to stop by SIGTERM, by SIGINT, or by an object ``stop/<OCID of the run>`` in the folder
of the checkpoints, which it looks for every 15 seconds.
"""
