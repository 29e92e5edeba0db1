"""Job runs and deployments that really run, as processes on this machine.

``specs`` says what a node is; ``nodes`` starts one, as isolated from the host as the machine
allows; ``settings`` is what a mock is told of it all. Nothing here knows what a job or a deployment
is: the Data Science service translates its records into specs, and hears how they end.
"""
