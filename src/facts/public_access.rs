//! The field about things that a call makes public, by other means than a policy.

use super::network::{Network, are_the_world};
use super::placed::Placed;
use super::policy::Found;
use super::public_acl::acl;
use super::public_block::block;
use super::shared_with::SHARED_WITH;
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record};

/// By what a call makes something public.
pub(super) const PUBLIC_ACCESS: DerivedField = DerivedField {
    name: "public_access",
    calls: PUBLISHERS,
    values: public_access,
    description: "by what the call makes something public: everybody may read, every AWS account may read (ACLs, in each of their forms), \
                  publicly accessible, shared with everybody, function URL without authentication, public access block off, or which part of \
                  the block is off (BlockPublicAcls off)",
};

macro_rules! calls {
    ($($service:literal: $($event:literal)+;)+) => {
        &[$(ServiceCalls { service: concat!($service, ".amazonaws.com"), events: &[$($event),+] },)+]
    };
}

/// The calls, collected from botocore 1.43: every member of a request or response that makes something public.
pub(super) const PUBLISHERS: &[ServiceCalls] = calls! {
    "apprunner": "CreateService" "UpdateService";
    "codebuild": "UpdateProjectVisibility";
    "dms": "CreateInstanceProfile" "CreateReplicationInstance" "ModifyInstanceProfile";
    "ec2": "CreateVpcBlockPublicAccessExclusion" "DisableImageBlockPublicAccess" "DisableSnapshotBlockPublicAccess"
           "EnableSnapshotBlockPublicAccess" "ModifyFpgaImageAttribute" "ModifyImageAttribute" "ModifySnapshotAttribute"
           "ModifyVpcBlockPublicAccessOptions" "ModifyVpcEndpointServicePermissions";
    "eks": "CreateCluster" "UpdateClusterConfig";
    "elasticmapreduce": "PutBlockPublicAccessConfiguration";
    "imagebuilder": "CreateDistributionConfiguration" "UpdateDistributionConfiguration";
    "kafka": "CreateCluster" "CreateClusterV2" "UpdateConnectivity";
    "lambda": "CreateFunctionUrlConfig" "UpdateFunctionUrlConfig";
    "lightsail": "CreateRelationalDatabase" "CreateRelationalDatabaseFromSnapshot" "UpdateBucket" "UpdateRelationalDatabase";
    "m2": "CreateEnvironment";
    "amazonmq": "CreateBroker";
    "neptune-graph": "CreateGraph" "CreateGraphUsingImportTask" "RestoreGraphFromSnapshot" "UpdateGraph";
    "quicksight": "UpdatePublicSharingSettings";
    "rds": "CreateDBCluster" "CreateDBInstance" "CreateDBInstanceReadReplica" "CreateDBShardGroup" "ModifyDBClusterSnapshotAttribute"
           "ModifyDBInstance" "ModifyDBSnapshotAttribute" "RestoreDBClusterFromS3" "RestoreDBClusterFromSnapshot"
           "RestoreDBClusterToPointInTime" "RestoreDBInstanceFromDBSnapshot" "RestoreDBInstanceFromS3"
           "RestoreDBInstanceToPointInTime";
    "redshift": "CreateCluster" "ModifyCluster" "RestoreFromClusterSnapshot";
    "redshift-serverless": "CreateWorkgroup" "UpdateWorkgroup";
    "s3": "CopyObject" "CreateBucket" "CreateMultipartUpload" "DeleteAccountPublicAccessBlock" "DeleteBucketPublicAccessBlock"
          "PutAccountPublicAccessBlock" "PutBucketAcl" "PutBucketPublicAccessBlock" "PutObject" "PutObjectAcl";
    "ssm": "ModifyDocumentPermission" "UpdateServiceSetting";
    "timestream-influxdb": "CreateDbCluster" "CreateDbInstance" "RestoreFromDbBackup";
};

/// Members that say that something is public, and what they then hold.
const FLAGS: [(&str, &str, &str); 8] = [
    ("publiclyAccessible", "true", "publicly accessible"),
    ("isPubliclyAccessible", "true", "publicly accessible"),
    ("publicConnectivity", "true", "publicly accessible"),
    ("type", "SERVICE_PROVIDED_EIPS", "publicly accessible"),
    ("authType", "NONE", "function URL without authentication"),
    ("projectVisibility", "PUBLIC_READ", "everybody may read"),
    ("publicSharingEnabled", "true", "everybody may read"),
    ("getObject", "public", "everybody may read"),
];

fn public_access(record: &Record<'_>) -> Vec<FactValue> {
    let mut found = Found::default();
    let service = record.text(&["eventSource"]).unwrap_or_default();
    let event = record.text(&["eventName"]).unwrap_or_default();
    let request = Placed::top(record, "requestParameters");
    if let Some(request) = &request {
        acl(request, &mut found);
    }
    block(service, event, request.as_ref(), &mut found);
    // What a call makes, its answer describes as it has become, defaults included. A change's answer may tell of what was so before.
    let makes = event.starts_with("Create") || event.starts_with("Restore");
    let response = Placed::top(record, "responseElements").filter(|_| makes);
    let endpoint = response.as_ref().and_then(cluster_endpoint).or_else(|| request.as_ref().and_then(cluster_endpoint));
    if let Some((true, place)) = endpoint {
        found.add("publicly accessible".to_owned(), &place);
    }
    let said = response.as_ref().map(flags).filter(|flags| !flags.is_empty());
    for (text, is_public, place) in said.or_else(|| request.as_ref().map(flags)).unwrap_or_default() {
        if is_public {
            found.add(text.to_owned(), &place);
        }
    }
    for value in SHARED_WITH.of(record).iter().filter(|value| value.text == "everybody") {
        found.add("shared with everybody".to_owned(), &value.place);
    }
    found.into_values()
}

/// The flags that there are: what each says, whether it does, and where it stands.
fn flags(placed: &Placed<'_>) -> Vec<(&'static str, bool, String)> {
    let mut found = Vec::new();
    placed.each_object(&mut |object| {
        // Kafka's kind of access; other objects have types too.
        let is_access = object.place.rsplit('.').next().is_some_and(|key| key.eq_ignore_ascii_case("publicAccess"));
        for (key, value, text) in FLAGS {
            let member = object.get(key).filter(|_| key != "type" || is_access);
            if let Some((said, member)) = member.and_then(|member| Some((member.text()?, member))) {
                found.push((text, said.eq_ignore_ascii_case(value), member.place));
            }
        }
    });
    found
}

/// Whether the endpoint of a cluster of EKS is open to the world, and where that stands; `None` if nothing is said about it. Source:
/// <https://docs.aws.amazon.com/eks/latest/APIReference/API_VpcConfigRequest.html>.
fn cluster_endpoint(placed: &Placed<'_>) -> Option<(bool, String)> {
    let config = placed.at(&["cluster", "resourcesVpcConfig"]).or_else(|| placed.get("resourcesVpcConfig"))?;
    let (access, networks) = (config.get("endpointPublicAccess"), config.get("publicAccessCidrs"));
    let is_open = access.as_ref().and_then(Placed::text).map(|text| text == "true");
    let world = networks.as_ref().map(|networks| {
        let parsed = networks.elements().into_iter().filter_map(|network| Network::parse(network.text()?)?.addresses());
        are_the_world(&parsed.collect::<Vec<_>>())
    });
    let place = access.or(networks)?.place;
    Some((is_open.unwrap_or(true) && world.unwrap_or(true), place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(service: &str, event: &str, request: &str, response: &str) -> Vec<(String, String)> {
        let record = format!(
            r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}","requestParameters":{request},"responseElements":{response}}}"#
        );
        let record = Record::parse(&record).unwrap();
        PUBLIC_ACCESS.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    fn texts(service: &str, event: &str, request: &str, response: &str) -> Vec<String> {
        asked(service, event, request, response).into_iter().map(|(text, _)| text).collect()
    }

    #[test]
    fn a_canned_list_counts_alone_and_in_a_list() {
        let place = |place: &str| format!("requestParameters.x-amz-acl{place}");
        assert_eq!(
            asked("s3", "PutBucketAcl", r#"{"bucketName":"b","acl":[""],"x-amz-acl":["public-read"]}"#, "null"),
            [("everybody may read".to_owned(), place("[0]"))]
        );
        assert_eq!(
            asked("s3", "PutBucketAcl", r#"{"bucketName":"b","acl":"","x-amz-acl":"public-read-write"}"#, "null"),
            [("everybody may read".to_owned(), place("")), ("everybody may write".to_owned(), place(""))]
        );
        assert_eq!(asked("s3", "PutObject", r#"{"x-amz-acl":"bucket-owner-full-control"}"#, "null"), []);
    }

    #[test]
    fn what_is_made_is_public_by_its_answer() {
        let request = r#"{"dBInstanceIdentifier":"db","dBSnapshotIdentifier":"s"}"#;
        let response = r#"{"publiclyAccessible":true,"dBInstanceIdentifier":"db"}"#;
        assert_eq!(
            asked("rds", "RestoreDBInstanceFromDBSnapshot", request, response),
            [("publicly accessible".to_owned(), "responseElements.publiclyAccessible".to_owned())]
        );
        assert_eq!(texts("rds", "ModifyDBInstance", request, response), [""; 0]);
        assert_eq!(texts("rds", "ModifyDBInstance", r#"{"publiclyAccessible":true}"#, "null"), ["publicly accessible"]);
        assert_eq!(texts("rds", "CreateDBInstance", r#"{"publiclyAccessible":true}"#, "null"), ["publicly accessible"]);
    }

    #[test]
    fn each_block_that_is_turned_off_is_told() {
        let off = ["public access block off"];
        let s3 = |flags: &str| {
            let request = format!(r#"{{"bucketName":"b","PublicAccessBlockConfiguration":{{"xmlns":"x",{flags}}}}}"#);
            texts("s3", "PutBucketPublicAccessBlock", &request, "null")
        };
        assert_eq!(s3(r#""BlockPublicAcls":false,"RestrictPublicBuckets":false"#), off);
        assert_eq!(
            s3(
                r#""BlockPublicAcls":false,"RestrictPublicBuckets":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true"#
            ),
            ["BlockPublicAcls off"]
        );
        assert_eq!(texts("s3", "PutBucketPublicAccessBlock", r#"{"bucketName":"b"}"#, "null"), [""; 0]);
        assert_eq!(texts("s3", "DeleteBucketPublicAccessBlock", r#"{"bucketName":"b"}"#, "null"), off);
        assert_eq!(texts("s3", "DeleteAccountPublicAccessBlock", "null", "null"), off);
        assert_eq!(texts("ec2", "DisableSnapshotBlockPublicAccess", "null", "null"), off);
        let enabled = r#"{"EnableSnapshotBlockPublicAccessRequest":{"State":"block-all-sharing"}}"#;
        assert_eq!(texts("ec2", "EnableSnapshotBlockPublicAccess", enabled, "null"), [""; 0]);
        let emr = r#"{"blockPublicAccessConfiguration":{"blockPublicSecurityGroupRules":false}}"#;
        assert_eq!(texts("elasticmapreduce", "PutBlockPublicAccessConfiguration", emr, "null"), off);
        let vpc = r#"{"ModifyVpcBlockPublicAccessOptionsRequest":{"InternetGatewayBlockMode":"off"}}"#;
        assert_eq!(texts("ec2", "ModifyVpcBlockPublicAccessOptions", vpc, "null"), off);
    }

    #[test]
    fn endpoints_that_everybody_reaches_are_told() {
        assert_eq!(
            texts("lambda", "CreateFunctionUrlConfig", r#"{"functionName":"f","authType":"NONE"}"#, "null"),
            ["function URL without authentication"]
        );
        assert_eq!(
            texts("lambda", "CreateFunctionUrlConfig", r#"{"functionName":"f","authType":"AWS_IAM"}"#, "null"),
            [""; 0]
        );
        for (request, response, is_public) in [
            (r#"{"resourcesVpcConfig":{"endpointPublicAccess":true}}"#, "null", true),
            (
                r#"{"resourcesVpcConfig":{"endpointPublicAccess":true,"publicAccessCidrs":["203.0.113.0/24"]}}"#,
                "null",
                false,
            ),
            (r#"{"resourcesVpcConfig":{"publicAccessCidrs":["0.0.0.0/0"]}}"#, "null", true),
            (r#"{"resourcesVpcConfig":{"endpointPublicAccess":false}}"#, "null", false),
            (
                r#"{"resourcesVpcConfig":{}}"#,
                r#"{"cluster":{"resourcesVpcConfig":{"endpointPublicAccess":true,"publicAccessCidrs":["0.0.0.0/0"]}}}"#,
                true,
            ),
        ] {
            let said = texts("eks", "CreateCluster", request, response);
            assert_eq!(said == ["publicly accessible"], is_public, "{request} {response}: {said:?}");
        }
        let kafka = r#"{"connectivityInfo":{"publicAccess":{"type":"SERVICE_PROVIDED_EIPS"}}}"#;
        assert_eq!(texts("kafka", "UpdateConnectivity", kafka, "null"), ["publicly accessible"]);
    }
}
