"""Data Science: projects, notebooks, jobs and their simulated runs, models, deployments."""
