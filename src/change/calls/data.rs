//! Where data is kept, who gets at it, and where it goes.

use super::calls;
use crate::change::entry::Entry;
use crate::change::entry::Part::{
    Counted, Details, Fact, If, Policies, Request, Response, Special, Switch, Without, Words,
};
use crate::change::special::{acl, deletion, machines, public_block, settings, sharing};

const OUTSIDE: &str = "lets_in_outside";

pub(super) const CALLS: &[Entry] = calls! {
    "s3" {
        "PutBucketPolicy" "PutAccessPointPolicy" => [Fact("lets in", OUTSIDE), Policies("bucket policy", "")];
        "DeleteBucketPolicy" => [Words("bucket policy", "none any more")];
        "PutBucketAcl" "PutObjectAcl" => [Special("ACL", acl), Request("object", "key")];
        "PutBucketPublicAccessBlock" "PutAccountPublicAccessBlock" => [Special("public access block", public_block)];
        "DeleteBucketPublicAccessBlock" "DeleteAccountPublicAccessBlock" => [Words("public access block", "off")];
        "PutBucketEncryption" => [
            Request("default encryption", "ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm"),
            Request("key", "ServerSideEncryptionConfiguration.Rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID")
        ];
        "DeleteBucketEncryption" => [Words("default encryption", "none any more but S3's own")];
        "PutBucketLifecycle" "PutBucketLifecycleConfiguration" => [
            Counted("deleted after", "LifecycleConfiguration.Rule.Expiration.Days", "days"), Request("deleted on", "LifecycleConfiguration.Rule.Expiration.Date"),
            Counted("older versions deleted after", "LifecycleConfiguration.Rule.NoncurrentVersionExpiration.NoncurrentDays", "days"),
            Request("of", "LifecycleConfiguration.Rule.Filter.Prefix|LifecycleConfiguration.Rule.Prefix"), Request("status", "LifecycleConfiguration.Rule.Status")
        ];
        "DeleteBucketLifecycle" => [Words("rules by which objects expire", "none any more")];
        "PutBucketReplication" => [
            Request("copied to", "ReplicationConfiguration.Rule.Destination.Bucket"), Request("of account", "ReplicationConfiguration.Rule.Destination.Account"),
            Request("by role", "ReplicationConfiguration.Role")
        ];
        "DeleteBucketReplication" => [Words("copies to another bucket", "off")];
        "PutBucketVersioning" => [
            Request("versioning", "VersioningConfiguration.Status"), Request("deletion with MFA", "VersioningConfiguration.MfaDelete|VersioningConfiguration.MFADelete")
        ];
        "PutBucketObjectLockConfiguration" => [
            Request("object lock", "ObjectLockConfiguration.ObjectLockEnabled"), Request("kept for", "ObjectLockConfiguration.Rule.DefaultRetention")
        ];
        "PutBucketCors" => [
            Request("origins", "CORSConfiguration.CORSRule.AllowedOrigin"), Request("methods", "CORSConfiguration.CORSRule.AllowedMethod")
        ];
        "DeleteBucketCors" => [Words("other origins", "none any more")];
        "PutBucketLogging" => [Request("access is logged to", "BucketLoggingStatus.LoggingEnabled.TargetBucket"), Without("BucketLoggingStatus.LoggingEnabled.TargetBucket", "access logging", "off")];
        "PutBucketWebsite" => [Words("website", "on"), Request("redirects to", "WebsiteConfiguration.RedirectAllRequestsTo.HostName")];
        "CreateBucket" => [Special("ACL", acl), Request("region", "CreateBucketConfiguration.LocationConstraint")];
        "PutObject" "CopyObject" "CreateMultipartUpload" "CompleteMultipartUpload" "UploadPart" "UploadPartCopy" => [
            Fact("encrypted with a key that AWS does not keep", "customer_key"), Special("ACL", acl), Request("object", "key"),
            Request("copied from", "x-amz-copy-source"), Request("key", "x-amz-server-side-encryption-aws-kms-key-id")
        ];
        "GetObject" "HeadObject" "DeleteObject" => [Request("object", "key"), Request("version", "versionId")];
        "JobCreated" => [Details("job", "jobId|jobArn"), Details("does", "operation"), Details("status", "status")];
    }
    "rds" {
        "ModifyDBInstance" "ModifyDBCluster" => [Special("each setting, with what it was before", settings)];
        "CreateDBInstance" "RestoreDBInstanceFromDBSnapshot" "RestoreDBInstanceToPointInTime" "RestoreDBInstanceFromS3" => [
            Fact("access", "public_access"), Special("instances", machines), Request("from snapshot", "dBSnapshotIdentifier"),
            Request("from", "sourceDBInstanceIdentifier|s3BucketName"), Request("engine", "engine"), Switch("encryption", "storageEncrypted"),
            Switch("deletion protection", "deletionProtection")
        ];
        "ModifyDBSnapshotAttribute" "ModifyDBClusterSnapshotAttribute" => [Special("shared with, no longer shared with", sharing)];
        "CreateDBSnapshot" "CreateDBClusterSnapshot" => [
            Request("new snapshot", "dBSnapshotIdentifier|dBClusterSnapshotIdentifier"), Request("of", "dBInstanceIdentifier|dBClusterIdentifier"),
            Switch("encryption", "storageEncrypted"), Response("encrypted", "encrypted")
        ];
        "CopyDBSnapshot" "CopyDBClusterSnapshot" => [
            Request("copied from", "sourceDBSnapshotIdentifier|sourceDBClusterSnapshotIdentifier"),
            Request("copied to", "targetDBSnapshotIdentifier|targetDBClusterSnapshotIdentifier"), Request("from region", "sourceRegion"),
            Request("key", "kmsKeyId")
        ];
        "StartExportTask" => [
            Request("to bucket", "s3BucketName"), Request("of", "sourceArn"), Request("by role", "iamRoleArn"), Request("key", "kmsKeyId")
        ];
        "DeleteDBInstance" "DeleteDBCluster" => [
            If("skipFinalSnapshot", "true", "final snapshot", "none"), Request("final snapshot", "finalDBSnapshotIdentifier"),
            If("deleteAutomatedBackups", "true", "automated backups", "deleted with it")
        ];
        "StopActivityStream" => [Words("activity stream", "off"), Request("of", "resourceArn")];
        "ModifyActivityStream" => [Request("activity stream", "auditPolicyState"), Request("of", "resourceArn")];
        "DeleteDBInstanceAutomatedBackup" "DeleteDBClusterAutomatedBackup" => [
            Request("deleted backups of", "dbiResourceId|dbClusterResourceId|dBInstanceAutomatedBackupsArn")
        ];
    }
    "redshift" {
        "AuthorizeSnapshotAccess" => [Fact("shared with", "shared_with"), Request("snapshot", "snapshotIdentifier|snapshotArn")];
        "ModifyCluster" => [Special("each setting, with what it was before", settings)];
        "DeleteCluster" => [
            If("skipFinalClusterSnapshot", "true", "final snapshot", "none"), Request("final snapshot", "finalClusterSnapshotIdentifier")
        ];
    }
    "elasticache" {
        "ModifyCacheCluster" "ModifyReplicationGroup" => [Special("each setting, with what it was before", settings)];
        "DeleteReplicationGroup" => [Request("final snapshot", "finalSnapshotIdentifier")];
    }
    "ec2" {
        "ModifySnapshotAttribute" "ModifyImageAttribute" "ModifyFpgaImageAttribute" => [
            Special("shared with, no longer shared with", sharing), Request("description", "description.value|description")
        ];
        "SharedSnapshotVolumeCreated" "SharedSnapshotCopyInitiated" => [Details("snapshot", "snapshotId"), Details("in account", "accountId|userId")];
        "CreateSnapshot" "CreateSnapshots" => [
            Response("new snapshot", "snapshotId|snapshotSet.snapshotId"), Request("of", "volumeId|instanceSpecification.instanceId"),
            Switch("encryption", "encrypted")
        ];
        "CopySnapshot" => [
            Request("copied from", "sourceSnapshotId"), Request("from region", "sourceRegion"), Request("to region", "destinationRegion"), Response("new snapshot", "snapshotId"),
            Request("key", "kmsKeyId")
        ];
        "CreateImage" => [Response("new image", "imageId"), Request("of", "instanceId"), Request("name", "name")];
        "RegisterImage" => [Response("new image", "imageId"), Request("from snapshot", "blockDeviceMapping.ebs.snapshotId"), Request("name", "name")];
        "CreateStoreImageTask" "ExportImage" => [
            Request("to bucket", "bucket|s3ExportLocation.s3Bucket"), Request("image", "imageId")
        ];
        "CreateInstanceExportTask" => [
            Request("to bucket", "exportToS3.s3Bucket|exportToS3Task.s3Bucket"), Request("of", "instanceId"), Request("as", "exportToS3.diskImageFormat|exportToS3Task.diskImageFormat")
        ];
        "CreateVolume" => [
            Response("new volume", "volumeId"), Request("from snapshot", "snapshotId"), Counted("size", "size", "GiB"), Switch("encryption", "encrypted")
        ];
        "AttachVolume" => [Request("attached volume", "volumeId"), Request("to", "instanceId")];
        "DisableEbsEncryptionByDefault" => [Words("encryption of new disks", "off by default")];
        "ModifyEbsDefaultKmsKeyId" => [Request("key of new disks", "kmsKeyId")];
        "DisableImageBlockPublicAccess" "DisableSnapshotBlockPublicAccess" => [Words("public access block", "off")];
    }
    "kms" {
        "ScheduleKeyDeletion" => [Special("deleted", deletion)];
        "CancelKeyDeletion" => [Words("deletion", "called off")];
        "DisableKey" => [Words("key", "off (what it encrypts cannot be read)")];
        "DeleteImportedKeyMaterial" => [Words("key material", "none any more (what it encrypts cannot be read)")];
        "ImportKeyMaterial" => [Request("key material", "expirationModel"), Request("until", "validTo")];
        "DisableKeyRotation" => [Words("rotation of the key", "off")];
        "PutKeyPolicy" "CreateKey" => [
            Fact("lets in", OUTSIDE), Policies("key policy", ""), Request("key material", "origin"),
            If("bypassPolicyLockoutSafetyCheck", "true", "check that keeps people from locking themselves out", "off")
        ];
        "CreateGrant" => [Fact("lets in", "lets_in"), Request("may", "operations"), Request("retired by", "retiringPrincipal")];
        "ReplicateKey" => [Request("copied to region", "replicaRegion"), Policies("key policy", "")];
        "CreateAlias" "UpdateAlias" => [Request("alias", "aliasName"), Request("of key", "targetKeyId")];
    }
    "secretsmanager" {
        "DeleteSecret" => [Special("deleted", deletion)];
        "GetSecretValue" => [Request("version", "versionStage|versionId")];
        "BatchGetSecretValue" => [Request("secrets read", "secretIdList"), Request("filters", "filters")];
        "PutResourcePolicy" => [Fact("lets in", OUTSIDE), Policies("policy", "")];
        "DeleteResourcePolicy" => [Words("policy", "none any more")];
        "ReplicateSecretToRegions" => [Request("copied to region", "addReplicaRegions.region"), Request("key", "addReplicaRegions.kmsKeyId")];
        "CancelRotateSecret" => [Words("rotation", "off")];
    }
    "ssm" {
        "ModifyDocumentPermission" => [Special("shared with, no longer shared with", sharing)];
        "PutParameter" => [Request("kind", "type"), Switch("overwrites", "overwrite")];
    }
    "dynamodb" {
        "PutResourcePolicy" => [Fact("lets in", OUTSIDE), Policies("policy", "")];
        "DeleteResourcePolicy" => [Words("policy", "none any more")];
        "ExportTableToPointInTime" => [Request("to bucket", "s3Bucket"), Request("of account", "s3BucketOwner"), Request("table", "tableArn")];
        "UpdateContinuousBackups" => [Switch("point-in-time recovery", "pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled")];
        "UpdateTable" => [Switch("deletion protection", "deletionProtectionEnabled"), Request("key", "sSESpecification.kMSMasterKeyId"), Request("streams", "streamSpecification")];
        "UpdateTimeToLive" => [Switch("items expire", "timeToLiveSpecification.enabled"), Request("by", "timeToLiveSpecification.attributeName")];
    }
    "backup" {
        "PutBackupVaultAccessPolicy" => [Fact("lets in", OUTSIDE), Policies("vault policy", "")];
        "DeleteBackupVaultAccessPolicy" => [Words("vault policy", "none any more")];
        "DeleteBackupVaultLockConfiguration" => [Words("vault lock", "off")];
        "DeleteRecoveryPoint" => [Request("deleted recovery point", "recoveryPointArn"), Request("in vault", "backupVaultName")];
        "UpdateRecoveryPointLifecycle" => [Counted("deleted after", "lifecycle.deleteAfterDays", "days"), Request("recovery point", "recoveryPointArn")];
    }
    "sns" {
        "Subscribe" => [Request("goes to", "endpoint"), Request("by", "protocol")];
        "AddPermission" => [Fact("lets in", OUTSIDE), Request("lets in", "aWSAccountId|aWSAccountIds"), Request("may", "actionName|actionNames")];
        "SetTopicAttributes" => [Fact("lets in", OUTSIDE), Policies("topic policy", ""), Request("attribute", "attributeName"), Request("value", "attributeValue")];
        "Unsubscribe" => [Request("no longer goes to", "subscriptionArn")];
    }
    "sqs" {
        "AddPermission" => [Fact("lets in", OUTSIDE), Request("lets in", "aWSAccountIds"), Request("may", "actions")];
        "SetQueueAttributes" => [Fact("lets in", OUTSIDE), Policies("queue policy", ""), Request("attributes", "attributes")];
        "PurgeQueue" => [Words("messages", "all of them deleted")];
    }
    "ecr" {
        "SetRepositoryPolicy" => [Fact("lets in", OUTSIDE), Policies("repository policy", "")];
    }
    "transfer" {
        "CreateServer" => [Request("reached by", "endpointType"), Request("protocols", "protocols"), Request("users by", "identityProviderType")];
        "CreateUser" => [Request("user", "userName"), Request("role", "role"), Request("folder", "homeDirectory|homeDirectoryMappings")];
        "ImportSshPublicKey" => [Fact("new key", "new_credential"), Request("user", "userName")];
        "CreateConnector" => [Request("to", "url"), Request("role", "accessRole")];
    }
    "acm-pca" {
        "DeleteCertificateAuthority" => [Special("deleted", deletion)];
    }
};
