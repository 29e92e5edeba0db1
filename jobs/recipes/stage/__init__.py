"""Model and data set from the Hugging Face hub into the bucket, once.

    python -m recipes.stage --model ORG/NAME --model-to oci://B@N/base/SLUG \\
        --dataset ORG/NAME --dataset-to oci://B@N/data/SLUG

Then every node of every fine-tuning reads the bucket: no node downloads from the hub, and no job
but this one needs a token. Checksums are the hub's, compared while the bytes pass by; nothing but
a few parts is ever in memory, and of the model nothing on disk. ``tunestack-stage.json``, written
last, says what lies there (see :mod:`.manifest`); a second run for the same commit finds it and
is done.
"""
