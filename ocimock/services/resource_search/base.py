"""The service, and what its results call the kinds of resources."""

from __future__ import annotations

from ...service import Service

SERVICE = Service(
    "resource_search",
    ("oci.resource_search.ResourceSearchClient",),
    labels=("query",),
)

# Kinds by OCI's names for them in search results.
TYPES = {
    "vcn": "Vcn",
    "subnet": "Subnet",
    "routetable": "RouteTable",
    "securitylist": "SecurityList",
    "dhcpoptions": "DHCPOptions",
    "natgateway": "NatGateway",
    "internetgateway": "InternetGateway",
    "servicegateway": "ServiceGateway",
    "networksecuritygroup": "NetworkSecurityGroup",
    "compartment": "Compartment",
    "dynamicgroup": "DynamicResourceGroup",
    "group": "Group",
    "user": "User",
    "policy": "Policy",
    "loggroup": "LogGroup",
    "log": "Log",
    "logsavedsearch": "LogSavedSearch",
    "alarm": "Alarm",
    "tagnamespace": "TagNamespace",
    "tagdefault": "TagDefault",
    "vault": "Vault",
    "key": "Key",
    "vaultsecret": "VaultSecret",
    "bucket": "Bucket",
    "containerrepo": "ContainerRepo",
    "datascienceproject": "DataScienceProject",
    "datasciencenotebooksession": "DataScienceNotebookSession",
    "datasciencejob": "DataScienceJob",
    "datasciencejobrun": "DataScienceJobRun",
    "datasciencemodel": "DataScienceModel",
    "datasciencemodelgroup": "DataScienceModelGroup",
    "datascienceprivateendpoint": "DataSciencePrivateEndpoint",
    "datasciencemodelversionset": "DataScienceModelVersionSet",
    "datasciencemodeldeployment": "DataScienceModelDeployment",
}
