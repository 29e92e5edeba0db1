"""What runs inside a job, on OCI and on a laptop alike: staging, training, merging, serving.

In the bucket it lies under ``code/recipes/``, in a job under ``/mnt/code/recipes/``, which
``PYTHONPATH=/mnt/code`` makes a package: ``python -m recipes.stage``, ``torchrun --module
recipes.sft`` and so on. Modules import one another relatively, and nothing else of this project.
"""
