//! The calls that write a policy which says who is let in: to a thing, or into a role.
//!
//! Collected from botocore 1.43: every member of a request that is the text of a policy, and the calls that add a permission by
//! parameters. A service whose records have another name than its endpoint is listed by both: by CloudTrail's
//! (<https://docs.aws.amazon.com/eventbridge/latest/ref/events.html>), and by the endpoint's, lest some region keep to it. Left out are policies that let nobody in: those of sessions and endpoints, of data protection and lifecycles, and
//! those in other languages than IAM's.

use super::trusted::TRUST_POLICIES;
use super::value::ServiceCalls;

macro_rules! calls {
    ($($service:literal: $($event:literal)+;)+) => {
        &[$(ServiceCalls { service: concat!($service, ".amazonaws.com"), events: &[$($event),+] },)+ TRUST_POLICIES]
    };
}

pub(super) const RESOURCE_POLICIES: &[ServiceCalls] = calls! {
    "acm-pca": "CreatePermission" "PutPolicy";
    "aiops": "PutInvestigationGroupPolicy";
    "apigateway": "CreateDomainName" "CreateRestApi" "PutPortalProductSharingPolicy" "UpdateDomainName" "UpdateRestApi";
    "aps": "PutResourcePolicy";
    "backup": "CreateBackupAccessPoint" "PutBackupVaultAccessPolicy";
    "bedrock": "PutResourcePolicy";
    "bedrock-agentcore": "PutResourcePolicy";
    "bedrock-agentcore-control": "PutResourcePolicy";
    "billing": "PutResourcePolicy";
    "catalog.marketplace": "PutResourcePolicy";
    "cleanrooms-ml": "PutConfiguredAudienceModelPolicy";
    "cloudfront": "PutResourcePolicy";
    "cloudhsm": "PutResourcePolicy";
    "cloudsearch": "UpdateServiceAccessPolicies";
    "cloudtrail": "PutResourcePolicy";
    "codeartifact": "PutDomainPermissionsPolicy" "PutRepositoryPermissionsPolicy";
    "codebuild": "PutResourcePolicy";
    "codeguru-profiler": "PutPermission";
    "comprehend": "CreateDocumentClassifier" "CreateEntityRecognizer" "PutResourcePolicy";
    "controlplane.payment-cryptography": "PutResourcePolicy";
    "dsql": "CreateCluster" "PutClusterPolicy";
    "dynamodb": "CreateTable" "PutResourcePolicy";
    "ecr": "CreateRepositoryCreationTemplate" "PutRegistryPolicy" "SetRepositoryPolicy" "UpdateRepositoryCreationTemplate";
    "ecr-public": "SetRepositoryPolicy";
    "elasticfilesystem": "PutFileSystemPolicy";
    "elemental-inference": "PutFeedPolicy";
    "entityresolution": "AddPolicyStatement" "PutPolicy";
    "es": "CreateDomain" "CreateElasticsearchDomain" "UpdateDomainConfig" "UpdateElasticsearchDomainConfig";
    "events": "PutPermission" "PutResourcePolicy";
    "eventsv2": "PutResourcePolicy";
    "fsx": "CreateAndAttachS3AccessPoint";
    "glacier": "InitiateVaultLock" "SetVaultAccessPolicy";
    "glue": "PutResourcePolicy";
    "imagebuilder": "PutComponentPolicy" "PutContainerRecipePolicy" "PutImagePolicy" "PutImageRecipePolicy";
    "kafka": "PutClusterPolicy";
    "kinesis": "PutResourcePolicy";
    "kms": "CreateGrant" "CreateKey" "PutKeyPolicy" "ReplicateKey";
    "lambda": "AddLayerVersionPermission" "AddPermission" "PutResourcePolicy";
    "lex": "CreateResourcePolicy" "CreateResourcePolicyStatement" "UpdateResourcePolicy";
    "logs": "PutDeliveryDestinationPolicy" "PutDestinationPolicy" "PutResourcePolicy";
    "lookoutequipment": "PutResourcePolicy";
    "marketplacecatalog": "PutResourcePolicy";
    "mediapackagev2": "PutChannelPolicy" "PutOriginEndpointPolicy";
    "mediastore": "PutContainerPolicy";
    "mediatailor": "PutChannelPolicy";
    "network-firewall": "PutResourcePolicy";
    "networkmanager": "PutResourcePolicy";
    "oam": "PutSinkPolicy";
    "omics": "PutS3AccessPolicy";
    "organizations": "PutResourcePolicy";
    "osis": "PutResourcePolicy";
    "payment-cryptography": "PutResourcePolicy";
    "redshift": "PutResourcePolicy";
    "redshift-serverless": "PutResourcePolicy";
    "refactor-spaces": "PutResourcePolicy";
    "rekognition": "PutProjectPolicy";
    "route53resolver": "PutFirewallRuleGroupPolicy" "PutResolverQueryLogConfigPolicy" "PutResolverRulePolicy";
    "rum": "PutResourcePolicy";
    "s3": "PutAccessGrantsInstanceResourcePolicy" "PutAccessPointPolicy" "PutAccessPointPolicyForObjectLambda" "PutBucketPolicy"
          "PutMultiRegionAccessPointPolicy";
    "s3express": "PutAccessPointPolicy" "PutBucketPolicy";
    "s3files": "PutFileSystemPolicy";
    "s3tables": "PutTableBucketPolicy" "PutTablePolicy";
    "s3vectors": "PutVectorBucketPolicy";
    "sagemaker": "PutModelPackageGroupPolicy";
    "schemas": "PutResourcePolicy";
    "secretsmanager": "PutResourcePolicy";
    "serverlessrepo": "PutApplicationPolicy";
    "ses": "CreateEmailIdentityPolicy" "PutIdentityPolicy" "UpdateEmailIdentityPolicy";
    "signer": "AddProfilePermission";
    "sms-voice": "PutResourcePolicy";
    "sns": "AddPermission" "CreateTopic" "SetTopicAttributes";
    "sqs": "AddPermission" "CreateQueue" "SetQueueAttributes";
    "ssm": "PutResourcePolicy";
    "ssm-contacts": "PutContactPolicy";
    "ssm-incidents": "PutResourcePolicy";
    "vpc-lattice": "PutAuthPolicy" "PutResourcePolicy";
    "waf": "PutPermissionPolicy";
    "waf-regional": "PutPermissionPolicy";
    "wafv2": "PutPermissionPolicy";
    "xray": "PutResourcePolicy";
};
