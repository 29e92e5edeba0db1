"""Data Science: projects, notebook sessions, jobs and their simulated runs, the model catalog with
version sets and groups, deployments, private endpoints and work requests.

Not here: pipelines, schedules, ML applications, compute targets, signatures, deployments of model
groups, and Oracle's lists of containers and of fast-launch configurations, whose contents nobody
but Oracle knows. What would run code on OCI says that it is simulated.
"""
