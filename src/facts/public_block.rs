//! Switches that keep things private, turned off.

use super::placed::Placed;
use super::policy::Found;

/// The parts of S3's block.
const PARTS: [&str; 4] = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

const OFF: &str = "public access block off";

/// Adds what a call turns off.
pub(super) fn block(service: &str, event: &str, request: Option<&Placed<'_>>, found: &mut Found) {
    match (service, event) {
        ("s3.amazonaws.com", "DeleteAccountPublicAccessBlock" | "DeleteBucketPublicAccessBlock")
        | ("ec2.amazonaws.com", "DisableImageBlockPublicAccess" | "DisableSnapshotBlockPublicAccess") => {
            found.add(OFF.to_owned(), "eventName");
        }
        ("ec2.amazonaws.com", "CreateVpcBlockPublicAccessExclusion") => {
            said(request, "internetGatewayExclusionMode", &|_| true, found);
        }
        ("ec2.amazonaws.com", "EnableSnapshotBlockPublicAccess") => {
            said(request, "State", &|state| state == "unblocked", found);
        }
        ("ec2.amazonaws.com", "ModifyVpcBlockPublicAccessOptions") => {
            said(request, "internetGatewayBlockMode", &|mode| mode == "off", found);
        }
        ("elasticmapreduce.amazonaws.com", "PutBlockPublicAccessConfiguration") => {
            said(request, "blockPublicSecurityGroupRules", &|blocks| blocks == "false", found);
        }
        ("ssm.amazonaws.com", "UpdateServiceSetting") => {
            let setting = request.and_then(|request| request.text_of(&["settingId"])).unwrap_or_default();
            if setting.ends_with("/ssm/documents/console/public-sharing-permission") {
                said(request, "settingValue", &|value| value.eq_ignore_ascii_case("enable"), found);
            }
        }
        ("s3.amazonaws.com", "PutAccountPublicAccessBlock" | "PutBucketPublicAccessBlock") => {
            let block = request.and_then(|request| request.get("PublicAccessBlockConfiguration"));
            if let Some(block) = block.filter(|block| block.node.members().is_some()) {
                parts(&block, found);
            }
        }
        _ => {}
    }
}

/// A part that is not named is off: the call replaces what there was. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html>.
fn parts(block: &Placed<'_>, found: &mut Found) {
    let off: Vec<&str> = PARTS.into_iter().filter(|part| block.text_of(&[part]) != Some("true")).collect();
    if off.len() == PARTS.len() {
        found.add(OFF.to_owned(), &block.place);
        return;
    }
    for part in off {
        let place = block.get(part).map_or_else(|| block.place.clone(), |placed| placed.place);
        found.add(format!("{part} off"), &place);
    }
}

/// Adds that a block is off if a member of the request, wherever it stands, says so.
fn said(request: Option<&Placed<'_>>, key: &str, is_off: &dyn Fn(&str) -> bool, found: &mut Found) {
    if let Some(request) = request {
        request.each_object(&mut |object| {
            if let Some(member) = object.get(key).filter(|member| member.text().is_some_and(is_off)) {
                found.add(OFF.to_owned(), &member.place);
            }
        });
    }
}
