"""What it takes to see a resource in a search: the permission that its lists need.

Source: OCI documentation, "Overview of Search": results hold what the caller may view.
"""

INSPECTION = {
    "vcn": "VCN_READ",
    "subnet": "SUBNET_READ",
    "routetable": "ROUTE_TABLE_READ",
    "securitylist": "SECURITY_LIST_READ",
    "dhcpoptions": "DHCP_READ",
    "natgateway": "NAT_GATEWAY_READ",
    "internetgateway": "INTERNET_GATEWAY_READ",
    "servicegateway": "SERVICE_GATEWAY_READ",
    "networksecuritygroup": "NETWORK_SECURITY_GROUP_READ",
    "compartment": "COMPARTMENT_INSPECT",
    "dynamicgroup": "DYNAMIC_GROUP_INSPECT",
    "group": "GROUP_INSPECT",
    "user": "USER_INSPECT",
    "policy": "POLICY_READ",
    "loggroup": "LOG_GROUP_INSPECT",
    "log": "LOG_GROUP_INSPECT",
    "vault": "VAULT_INSPECT",
    "key": "KEY_INSPECT",
    "vaultsecret": "SECRET_INSPECT",
    "bucket": "BUCKET_INSPECT",
    "containerrepo": "REPOSITORY_INSPECT",
    "alarm": "ALARM_INSPECT",
    "tagnamespace": "TAG_NAMESPACE_INSPECT",
    "tagdefault": "TAG_DEFAULT_INSPECT",
    "logsavedsearch": "LOG_GROUP_INSPECT",
    "datasciencemodelgroup": "DATA_SCIENCE_MODEL_GROUP_INSPECT",
    "datascienceprivateendpoint": "DATA_SCIENCE_PRIVATE_ENDPOINT_INSPECT",
    "datascienceproject": "DATA_SCIENCE_PROJECT_INSPECT",
    "datasciencenotebooksession": "DATA_SCIENCE_NOTEBOOK_SESSION_INSPECT",
    "datasciencejob": "DATA_SCIENCE_JOB_INSPECT",
    "datasciencejobrun": "DATA_SCIENCE_JOB_RUN_INSPECT",
    "datasciencemodel": "DATA_SCIENCE_MODEL_INSPECT",
    "datasciencemodelversionset": "DATA_SCIENCE_MODEL_VERSION_SET_INSPECT",
    "datasciencemodeldeployment": "DATA_SCIENCE_MODEL_DEPLOYMENT_INSPECT",
}
"""By the kind of the record."""
