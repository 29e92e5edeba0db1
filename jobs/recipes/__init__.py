"""What runs inside a job or a container: ``python -m recipes.stage``, ``recipes.sft`` and so on.

The folder is put into the bucket as ``code/recipes`` and mounted at ``/mnt/code``, which is on
``PYTHONPATH``. So the package is called ``recipes`` where it runs, and its modules import one
another relatively and nothing else of this repository.
"""
