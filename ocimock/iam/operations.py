"""Which permissions each operation needs, and on what.

One line an operation, by its SDK method name: ``operation  needs…``, where a need is

``PERMISSION``
    on the operation's own target: the resource that the path names, else the bucket in the path,
    else the compartment in the body or the query;
``PERMISSION@field``
    on what a field of the body names, by OCID; ``@a.b`` for a nested one, ``@a~b`` for *b* where
    *a* is not given, ``@a?`` for no need at all where it is not given, ``@a!`` where it is not
    given or stays as it is;
``PERMISSION@.field``
    on what a field of the operation's own target names;
``PERMISSION@<name>``
    on what :mod:`ocimock.iam.targets` finds under that name, for all that is odd;
``A|B``
    either of the two;
``A^B``
    A where the object that the path names is new, B where it is there already;
``own``
    nothing for a user's own record;
``free``
    nothing for anybody who is authenticated;
``open``
    nothing at all: the link in the path is the right.

Operations in CamelCase are acts that no SDK client has, under OCI's own names.

Sources: OCI documentation, Policy Reference: the tables "Permissions Required for Each API
Operation" of Core Services, Object Storage, IAM with Identity Domains, Vault, Logging, Monitoring,
Container Registry; Data Science, "Policies"; "Moving Resources to a Different Compartment" (both
compartments). Where OCI documents nothing, which is most work requests and lists of shapes, the
resource's own INSPECT or READ stands in.
"""

from __future__ import annotations

CORE = """
list_vcns VCN_READ
get_vcn VCN_READ
create_vcn VCN_CREATE
update_vcn VCN_UPDATE
delete_vcn VCN_DELETE
change_vcn_compartment VCN_MOVE VCN_MOVE@compartmentId
add_vcn_cidr VCN_UPDATE
modify_vcn_cidr VCN_UPDATE
remove_vcn_cidr VCN_UPDATE
list_subnets SUBNET_READ
get_subnet SUBNET_READ
create_subnet SUBNET_CREATE VCN_ATTACH@vcnId ROUTE_TABLE_ATTACH@routeTableId~vcnId \
SECURITY_LIST_ATTACH@securityListIds~vcnId DHCP_ATTACH@dhcpOptionsId~vcnId
update_subnet SUBNET_UPDATE ROUTE_TABLE_ATTACH@routeTableId! ROUTE_TABLE_DETACH@routeTableId! \
SECURITY_LIST_ATTACH@securityListIds! SECURITY_LIST_DETACH@securityListIds! \
DHCP_ATTACH@dhcpOptionsId! DHCP_DETACH@dhcpOptionsId!
delete_subnet SUBNET_DELETE VCN_DETACH@.vcnId ROUTE_TABLE_DETACH@.routeTableId \
SECURITY_LIST_DETACH@.securityListIds DHCP_DETACH@.dhcpOptionsId
change_subnet_compartment SUBNET_MOVE SUBNET_MOVE@compartmentId
list_route_tables ROUTE_TABLE_READ
get_route_table ROUTE_TABLE_READ
create_route_table ROUTE_TABLE_CREATE VCN_ATTACH@vcnId INTERNET_GATEWAY_ATTACH@<internet-gateways> \
NAT_GATEWAY_ATTACH@<nat-gateways> SERVICE_GATEWAY_ATTACH@<service-gateways>
update_route_table ROUTE_TABLE_UPDATE INTERNET_GATEWAY_ATTACH@<internet-gateways> \
NAT_GATEWAY_ATTACH@<nat-gateways> SERVICE_GATEWAY_ATTACH@<service-gateways>
delete_route_table ROUTE_TABLE_DELETE VCN_DETACH@.vcnId
change_route_table_compartment ROUTE_TABLE_MOVE ROUTE_TABLE_MOVE@compartmentId
list_security_lists SECURITY_LIST_READ
get_security_list SECURITY_LIST_READ
create_security_list SECURITY_LIST_CREATE VCN_ATTACH@vcnId
update_security_list SECURITY_LIST_UPDATE
delete_security_list SECURITY_LIST_DELETE VCN_DETACH@.vcnId
change_security_list_compartment SECURITY_LIST_MOVE SECURITY_LIST_MOVE@compartmentId
list_dhcp_options DHCP_READ
get_dhcp_options DHCP_READ
create_dhcp_options DHCP_CREATE VCN_ATTACH@vcnId
update_dhcp_options DHCP_UPDATE
delete_dhcp_options DHCP_DELETE VCN_DETACH@.vcnId
change_dhcp_options_compartment DHCP_MOVE DHCP_MOVE@compartmentId
list_internet_gateways INTERNET_GATEWAY_READ
get_internet_gateway INTERNET_GATEWAY_READ
create_internet_gateway INTERNET_GATEWAY_CREATE VCN_ATTACH@vcnId
update_internet_gateway INTERNET_GATEWAY_UPDATE
delete_internet_gateway INTERNET_GATEWAY_DELETE VCN_DETACH@.vcnId
change_internet_gateway_compartment INTERNET_GATEWAY_MOVE INTERNET_GATEWAY_MOVE@compartmentId
list_nat_gateways NAT_GATEWAY_READ
get_nat_gateway NAT_GATEWAY_READ
create_nat_gateway NAT_GATEWAY_CREATE VCN_READ@vcnId VCN_ATTACH@vcnId
update_nat_gateway NAT_GATEWAY_UPDATE
delete_nat_gateway NAT_GATEWAY_DELETE VCN_READ@.vcnId VCN_DETACH@.vcnId
change_nat_gateway_compartment NAT_GATEWAY_MOVE NAT_GATEWAY_MOVE@compartmentId
list_services free
get_service free
list_service_gateways SERVICE_GATEWAY_READ
get_service_gateway SERVICE_GATEWAY_READ
create_service_gateway SERVICE_GATEWAY_CREATE VCN_READ@vcnId VCN_ATTACH@vcnId \
ROUTE_TABLE_ATTACH@routeTableId?
update_service_gateway SERVICE_GATEWAY_UPDATE ROUTE_TABLE_ATTACH@routeTableId!
delete_service_gateway SERVICE_GATEWAY_DELETE VCN_READ@.vcnId VCN_DETACH@.vcnId
change_service_gateway_compartment SERVICE_GATEWAY_MOVE SERVICE_GATEWAY_MOVE@compartmentId
attach_service_id SERVICE_GATEWAY_ADD_SERVICE
detach_service_id SERVICE_GATEWAY_DELETE_SERVICE
list_network_security_groups NETWORK_SECURITY_GROUP_READ
get_network_security_group NETWORK_SECURITY_GROUP_READ
create_network_security_group NETWORK_SECURITY_GROUP_CREATE VCN_ATTACH@vcnId
update_network_security_group NETWORK_SECURITY_GROUP_UPDATE
delete_network_security_group NETWORK_SECURITY_GROUP_DELETE VCN_DETACH@.vcnId
change_network_security_group_compartment NETWORK_SECURITY_GROUP_MOVE \
NETWORK_SECURITY_GROUP_MOVE@compartmentId
list_network_security_group_security_rules NETWORK_SECURITY_GROUP_LIST_SECURITY_RULES
add_network_security_group_security_rules NETWORK_SECURITY_GROUP_UPDATE_SECURITY_RULES
update_network_security_group_security_rules NETWORK_SECURITY_GROUP_UPDATE_SECURITY_RULES
remove_network_security_group_security_rules NETWORK_SECURITY_GROUP_UPDATE_SECURITY_RULES
AttachVnic VNIC_CREATE VNIC_ATTACH SUBNET_ATTACH
DetachVnic VNIC_DELETE VNIC_DETACH SUBNET_DETACH
"""

OBJECT_STORAGE = """
get_namespace OBJECTSTORAGE_NAMESPACE_READ@<asked-compartment>
get_namespace_metadata OBJECTSTORAGE_NAMESPACE_READ
update_namespace_metadata OBJECTSTORAGE_NAMESPACE_UPDATE
list_buckets BUCKET_INSPECT
create_bucket BUCKET_CREATE KEY_ASSOCIATE@kmsKeyId?
get_bucket BUCKET_READ
head_bucket BUCKET_INSPECT
update_bucket BUCKET_UPDATE BUCKET_CREATE@compartmentId! KEY_ASSOCIATE@kmsKeyId!
delete_bucket BUCKET_DELETE
list_retention_rules BUCKET_READ
list_objects OBJECT_INSPECT
list_object_versions OBJECT_INSPECT
get_object OBJECT_READ
head_object OBJECT_READ|OBJECT_INSPECT
put_object OBJECT_CREATE^OBJECT_OVERWRITE
delete_object OBJECT_DELETE@<objects> OBJECT_VERSION_DELETE@<object-versions>
batch_delete_objects OBJECT_DELETE@<objects> OBJECT_VERSION_DELETE@<object-versions>
rename_object OBJECT_CREATE@<renamed> OBJECT_OVERWRITE@<renamed>
copy_object OBJECT_READ@<copied> OBJECT_CREATE^OBJECT_OVERWRITE@<copy>
create_multipart_upload OBJECT_CREATE@<uploaded> OBJECT_OVERWRITE@<uploaded>
upload_part OBJECT_CREATE OBJECT_OVERWRITE
commit_multipart_upload OBJECT_CREATE OBJECT_OVERWRITE
abort_multipart_upload OBJECT_DELETE
list_multipart_uploads BUCKET_READ
list_multipart_upload_parts OBJECT_INSPECT
create_preauthenticated_request PAR_MANAGE
get_preauthenticated_request PAR_MANAGE|BUCKET_READ
list_preauthenticated_requests PAR_MANAGE|BUCKET_READ
delete_preauthenticated_request PAR_MANAGE
get_by_link open
head_by_link open
put_by_link open
get_work_request OBJECT_READ
list_work_requests OBJECT_INSPECT
list_work_request_errors OBJECT_READ
list_work_request_logs OBJECT_READ
cancel_work_request OBJECT_DELETE
"""

DATA_SCIENCE = """
list_projects DATA_SCIENCE_PROJECT_INSPECT
get_project DATA_SCIENCE_PROJECT_READ
create_project DATA_SCIENCE_PROJECT_CREATE
update_project DATA_SCIENCE_PROJECT_UPDATE
delete_project DATA_SCIENCE_PROJECT_DELETE
change_project_compartment DATA_SCIENCE_PROJECT_MOVE DATA_SCIENCE_PROJECT_MOVE@compartmentId
list_notebook_sessions DATA_SCIENCE_NOTEBOOK_SESSION_INSPECT
get_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_READ
create_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_CREATE DATA_SCIENCE_PROJECT_READ@projectId \
SUBNET_ATTACH@<subnets>
update_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_UPDATE SUBNET_ATTACH@<subnets>
delete_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_DELETE
activate_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_ACTIVATE
deactivate_notebook_session DATA_SCIENCE_NOTEBOOK_SESSION_DEACTIVATE
change_notebook_session_compartment DATA_SCIENCE_NOTEBOOK_SESSION_MOVE \
DATA_SCIENCE_NOTEBOOK_SESSION_MOVE@compartmentId
list_notebook_session_shapes DATA_SCIENCE_NOTEBOOK_SESSION_INSPECT
list_jobs DATA_SCIENCE_JOB_INSPECT
get_job DATA_SCIENCE_JOB_READ
create_job DATA_SCIENCE_JOB_CREATE DATA_SCIENCE_PROJECT_READ@projectId SUBNET_ATTACH@<subnets>
update_job DATA_SCIENCE_JOB_UPDATE SUBNET_ATTACH@<subnets>
delete_job DATA_SCIENCE_JOB_DELETE
change_job_compartment DATA_SCIENCE_JOB_MOVE DATA_SCIENCE_JOB_MOVE@compartmentId
list_job_shapes DATA_SCIENCE_JOB_INSPECT
create_job_artifact DATA_SCIENCE_JOB_CREATE
get_job_artifact_content DATA_SCIENCE_JOB_READ
head_job_artifact DATA_SCIENCE_JOB_READ
list_job_runs DATA_SCIENCE_JOB_RUN_INSPECT
get_job_run DATA_SCIENCE_JOB_RUN_READ
create_job_run DATA_SCIENCE_JOB_RUN_CREATE DATA_SCIENCE_JOB_READ@jobId \
DATA_SCIENCE_PROJECT_READ@projectId
update_job_run DATA_SCIENCE_JOB_RUN_UPDATE
cancel_job_run DATA_SCIENCE_JOB_RUN_UPDATE
delete_job_run DATA_SCIENCE_JOB_RUN_DELETE
change_job_run_compartment DATA_SCIENCE_JOB_RUN_MOVE DATA_SCIENCE_JOB_RUN_MOVE@compartmentId
list_models DATA_SCIENCE_MODEL_INSPECT
get_model DATA_SCIENCE_MODEL_READ
create_model DATA_SCIENCE_MODEL_CREATE DATA_SCIENCE_PROJECT_READ@projectId
update_model DATA_SCIENCE_MODEL_UPDATE
delete_model DATA_SCIENCE_MODEL_DELETE
activate_model DATA_SCIENCE_MODEL_UPDATE
deactivate_model DATA_SCIENCE_MODEL_UPDATE
change_model_compartment DATA_SCIENCE_MODEL_MOVE DATA_SCIENCE_MODEL_MOVE@compartmentId
create_model_artifact DATA_SCIENCE_MODEL_CREATE
get_model_artifact_content DATA_SCIENCE_MODEL_READ
head_model_artifact DATA_SCIENCE_MODEL_READ
export_model_artifact DATA_SCIENCE_MODEL_CREATE
import_model_artifact DATA_SCIENCE_MODEL_READ
register_model_artifact_reference DATA_SCIENCE_MODEL_CREATE
create_model_provenance DATA_SCIENCE_MODEL_CREATE
get_model_provenance DATA_SCIENCE_MODEL_READ
update_model_provenance DATA_SCIENCE_MODEL_UPDATE
list_model_version_sets DATA_SCIENCE_MODEL_VERSION_SET_INSPECT
get_model_version_set DATA_SCIENCE_MODEL_VERSION_SET_READ
create_model_version_set DATA_SCIENCE_MODEL_VERSION_SET_CREATE DATA_SCIENCE_PROJECT_READ@projectId
update_model_version_set DATA_SCIENCE_MODEL_VERSION_SET_UPDATE
delete_model_version_set DATA_SCIENCE_MODEL_VERSION_SET_DELETE
change_model_version_set_compartment DATA_SCIENCE_MODEL_VERSION_SET_MOVE \
DATA_SCIENCE_MODEL_VERSION_SET_MOVE@compartmentId
list_model_deployments DATA_SCIENCE_MODEL_DEPLOYMENT_INSPECT
get_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_READ
create_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_CREATE DATA_SCIENCE_PROJECT_READ@projectId \
DATA_SCIENCE_MODEL_READ@modelDeploymentConfigurationDetails.modelConfigurationDetails.modelId? \
SUBNET_ATTACH@<subnets>
update_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_UPDATE \
DATA_SCIENCE_MODEL_READ@modelDeploymentConfigurationDetails.modelConfigurationDetails.modelId? \
SUBNET_ATTACH@<subnets>
delete_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_DELETE
activate_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_ACTIVATE
deactivate_model_deployment DATA_SCIENCE_MODEL_DEPLOYMENT_DEACTIVATE
change_model_deployment_compartment DATA_SCIENCE_MODEL_DEPLOYMENT_MOVE \
DATA_SCIENCE_MODEL_DEPLOYMENT_MOVE@compartmentId
list_model_deployment_shapes DATA_SCIENCE_MODEL_DEPLOYMENT_INSPECT
predict DATA_SCIENCE_MODEL_DEPLOYMENT_PREDICT
predict_at DATA_SCIENCE_MODEL_DEPLOYMENT_PREDICT
predict_with_response_stream DATA_SCIENCE_MODEL_DEPLOYMENT_PREDICT
get_work_request DATA_SCIENCE_WORK_REQUEST_READ
list_work_requests DATA_SCIENCE_WORK_REQUEST_INSPECT
list_work_request_errors DATA_SCIENCE_WORK_REQUEST_READ
list_work_request_logs DATA_SCIENCE_WORK_REQUEST_READ
"""

IDENTITY = """
list_regions TENANCY_INSPECT
list_region_subscriptions TENANCY_INSPECT
get_tenancy TENANCY_INSPECT
list_availability_domains COMPARTMENT_INSPECT
list_fault_domains COMPARTMENT_INSPECT
list_compartments COMPARTMENT_INSPECT
get_compartment COMPARTMENT_INSPECT
create_compartment COMPARTMENT_CREATE
update_compartment COMPARTMENT_UPDATE
delete_compartment COMPARTMENT_DELETE
move_compartment ALL_RESOURCES_MANAGE@<shared-parent>
list_users USER_INSPECT
get_user USER_INSPECT own
create_user USER_CREATE
update_user USER_UPDATE
delete_user USER_DELETE
list_api_keys USER_READ own
upload_api_key USER_UPDATE USER_APIKEY_ADD own
delete_api_key USER_UPDATE USER_APIKEY_REMOVE own
list_user_group_memberships GROUP_INSPECT USER_INSPECT
get_user_group_membership USER_INSPECT GROUP_INSPECT
add_user_to_group GROUP_UPDATE@groupId USER_UPDATE@userId
remove_user_from_group GROUP_UPDATE@.groupId USER_UPDATE@.userId
list_groups GROUP_INSPECT
get_group GROUP_INSPECT
create_group GROUP_CREATE
update_group GROUP_UPDATE
delete_group GROUP_DELETE
list_dynamic_groups DYNAMIC_GROUP_INSPECT
get_dynamic_group DYNAMIC_GROUP_INSPECT
create_dynamic_group DYNAMIC_GROUP_CREATE
update_dynamic_group DYNAMIC_GROUP_UPDATE
delete_dynamic_group DYNAMIC_GROUP_DELETE
list_policies POLICY_READ
get_policy POLICY_READ
create_policy POLICY_CREATE
update_policy POLICY_UPDATE
delete_policy POLICY_DELETE
get_work_request COMPARTMENT_READ
list_work_requests COMPARTMENT_INSPECT
"""

KMS = """
list_vaults VAULT_INSPECT
get_vault VAULT_READ
get_vault_usage VAULT_READ
create_vault VAULT_CREATE
update_vault VAULT_UPDATE
schedule_vault_deletion VAULT_DELETE
cancel_vault_deletion VAULT_DELETE
change_vault_compartment VAULT_MOVE VAULT_MOVE@compartmentId
list_keys KEY_INSPECT@<key-in-vault>
list_key_versions KEY_INSPECT
get_key KEY_READ
get_key_version KEY_READ
create_key KEY_CREATE@<key-in-vault> VAULT_CREATE_KEY@<vault-host>
create_key_version KEY_ROTATE
update_key KEY_UPDATE
enable_key KEY_UPDATE
disable_key KEY_UPDATE
schedule_key_deletion KEY_DELETE
cancel_key_deletion KEY_DELETE
change_key_compartment KEY_MOVE KEY_MOVE@compartmentId
"""

VAULT = """
list_secrets SECRET_INSPECT
get_secret SECRET_READ
create_secret SECRET_CREATE VAULT_CREATE_SECRET@vaultId KEY_ENCRYPT@keyId KEY_DECRYPT@keyId
update_secret SECRET_UPDATE
schedule_secret_deletion SECRET_DELETE
cancel_secret_deletion SECRET_DELETE
change_secret_compartment SECRET_MOVE SECRET_UPDATE SECRET_MOVE@compartmentId \
SECRET_UPDATE@compartmentId
list_secret_versions SECRET_VERSION_INSPECT
get_secret_version SECRET_VERSION_READ
get_secret_bundle SECRET_BUNDLE_READ
get_secret_bundle_by_name SECRET_BUNDLE_READ@<named-secret>
list_secret_bundle_versions SECRET_BUNDLE_INSPECT
"""

LOGGING = """
list_log_groups LOG_GROUP_INSPECT
get_log_group LOG_GROUP_READ
create_log_group LOG_GROUP_CREATE
update_log_group LOG_GROUP_UPDATE
delete_log_group LOG_GROUP_DELETE
change_log_group_compartment LOG_GROUP_UPDATE LOG_GROUP_UPDATE@compartmentId
list_logs LOG_GROUP_INSPECT
get_log LOG_GROUP_READ
create_log LOG_GROUP_CREATE
update_log LOG_GROUP_UPDATE
delete_log LOG_GROUP_DELETE
change_log_log_group LOG_GROUP_UPDATE LOG_GROUP_UPDATE@targetLogGroupId
put_logs LOG_CONTENT_PUSH
search_logs LOG_CONTENT_READ@<searched-logs>
get_work_request LOG_GROUP_READ
list_work_requests LOG_GROUP_INSPECT
list_work_request_errors LOG_GROUP_INSPECT
list_work_request_logs LOG_GROUP_INSPECT
"""

MONITORING = """
list_metrics METRIC_INSPECT@<asked-metrics>
summarize_metrics_data METRIC_INSPECT@<asked-metrics> METRIC_READ@<asked-metrics>
post_metric_data METRIC_WRITE@<posted-metrics>
"""

ARTIFACTS = """
list_container_repositories REPOSITORY_INSPECT
get_container_repository REPOSITORY_READ
create_container_repository REPOSITORY_CREATE
update_container_repository REPOSITORY_MANAGE
delete_container_repository REPOSITORY_DELETE
change_container_repository_compartment REPOSITORY_MANAGE REPOSITORY_MANAGE@compartmentId
list_container_images REPOSITORY_INSPECT
get_container_image REPOSITORY_READ
get_container_configuration REPOSITORY_INSPECT
ReadDockerRepositoryMetadata REPOSITORY_READ
ReadDockerRepositoryManifest REPOSITORY_READ
PullDockerLayer REPOSITORY_READ
"""

LIMITS = """
list_services LIMITS_VIEW_INSPECT
list_limit_definitions LIMITS_VIEW_INSPECT
list_limit_values LIMITS_VIEW_INSPECT
get_resource_availability RESOURCE_AVAILABILITY_INSPECT
"""

# Anybody may search; what the caller may not inspect is not found (see enforcement.may_inspect).
RESOURCE_SEARCH = """
search_resources free
"""

TABLES = {
    "artifacts": ARTIFACTS,
    "core": CORE,
    "datascience": DATA_SCIENCE,
    "identity": IDENTITY,
    "kms": KMS,
    "limits": LIMITS,
    "logging": LOGGING,
    "monitoring": MONITORING,
    "objectstorage": OBJECT_STORAGE,
    "resource_search": RESOURCE_SEARCH,
    "vault": VAULT,
}
"""The tables above by the mock's names of services."""
