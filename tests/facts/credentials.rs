//! The id of what a call has made to sign in with, in every shape; and never a secret beside it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shapes::{own_words, put, record, said, whole};
use crate::support::choices::{Choices, seeds};

const ROUNDS: u64 = 4_000;

/// A call, where its answer names what it has made, and the secret beside that.
const CALLS: [(&str, &str, &[&str], &[&str]); 15] = [
    ("iam", "CreateAccessKey", &["accessKey", "accessKeyId"], &["accessKey", "secretAccessKey"]),
    ("iam", "CreateLoginProfile", &["loginProfile", "userName"], &["loginProfile", "password"]),
    (
        "iam",
        "CreateServiceSpecificCredential",
        &["serviceSpecificCredential", "serviceSpecificCredentialId"],
        &["serviceSpecificCredential", "servicePassword"],
    ),
    (
        "iam",
        "ResetServiceSpecificCredential",
        &["serviceSpecificCredential", "serviceSpecificCredentialId"],
        &["serviceSpecificCredential", "serviceCredentialSecret"],
    ),
    ("iam", "CreateVirtualMFADevice", &["virtualMFADevice", "serialNumber"], &["virtualMFADevice", "base32StringSeed"]),
    ("iam", "UploadSSHPublicKey", &["sSHPublicKey", "sSHPublicKeyId"], &["sSHPublicKey", "sSHPublicKeyBody"]),
    ("iam", "UploadSigningCertificate", &["certificate", "certificateId"], &["certificate", "certificateBody"]),
    ("sts", "GetFederationToken", &["credentials", "accessKeyId"], &["credentials", "sessionToken"]),
    ("sts", "GetSessionToken", &["credentials", "accessKeyId"], &["credentials", "secretAccessKey"]),
    ("ec2", "CreateKeyPair", &["keyPairId"], &["keyMaterial"]),
    ("ec2", "ImportKeyPair", &["keyPairId"], &["keyFingerprint"]),
    ("ec2", "CreateKeyPair", &["keyName"], &["keyMaterial"]),
    ("lightsail", "CreateBucketAccessKey", &["accessKey", "accessKeyId"], &["accessKey", "secretAccessKey"]),
    ("iot", "CreateKeysAndCertificate", &["certificateId"], &["keyPair", "privateKey"]),
    ("transfer", "ImportSshPublicKey", &["sshPublicKeyId"], &["sshPublicKeyBody"]),
];

const IDS: [&str; 5] =
    ["AKIAIOSFODNN7EXAMPLE", "key-0123456789abcdef0", "mara", "arn:aws:iam::111122223333:mfa/m", "TA7SMP42"];
const WORDS: [(&str, &str); 3] = [("accessKeyId", "AKIAWORDS"), ("keyPairId", "key-words"), ("userName", "words")];

#[test]
fn what_was_made_is_called_by_its_id_and_no_secret_is_told() {
    let (mut made, mut failed) = (0_u64, 0_u64);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let (service, event, path, secret) = choices.of(&CALLS);
        let id = choices.of(&IDS);
        let mut request = json!({ "userName": "mara", "keyName": "k", "tagSpecifications": null });
        own_words(&mut choices, &mut request, &WORDS);
        let mut response = json!({ "requestId": "r" });
        put(&mut response, secret, json!(choices.of(&["hunter2", "<sensitiveDataRemoved>", "hunter2hunter2"])));
        put(&mut response, path, json!(id));
        if path == ["keyPairId"] && choices.one_in(2) {
            put(&mut response, &["keyName"], json!("a-name"));
        }
        own_words(&mut choices, &mut response, &WORDS);
        // The case of a key is not the same in all services.
        if choices.one_in(4) {
            response = super::shapes::capitals(&response);
        }
        let mut expected: BTreeSet<String> =
            [if event == "CreateLoginProfile" { format!("login profile of {id}") } else { id.to_owned() }].into();
        let (request, mut response) = (whole(&mut choices, request), whole(&mut choices, response));
        if choices.one_in(4) {
            response = choices.of(&["null", "{}", "[]", "\"\""]).parse().unwrap();
            expected.clear();
        }
        let mut json = record(service, event, &request, &response);
        if expected.is_empty() {
            json["errorCode"] = json!("AccessDenied");
            failed += 1;
        } else {
            made += 1;
        }
        let told = said("new_credential", &json);
        assert_eq!(told, expected, "seed {seed}: {json:#}");
        assert!(told.iter().all(|text| !text.contains("hunter2") && !text.contains('<')), "seed {seed}: {json:#}");
    }
    eprintln!("new_credential: {made} calls that made one and {failed} that failed, 0 disagreements");
    assert!(made > 0 && failed > 0);
}

const KEY_EVENTS: [&str; 11] = [
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "GetObject",
    "GetObjectAttributes",
    "HeadObject",
    "ListParts",
    "PutObject",
    "SelectObjectContent",
    "UploadPart",
    "UploadPartCopy",
];

/// The headers that bring a key, in some case.
fn header(choices: &mut Choices, prefix: &str) -> String {
    let name = format!("{prefix}server-side-encryption-customer-{}", choices.of(&["algorithm", "key-MD5", "key"]));
    match choices.below(3) {
        0 => name.to_uppercase(),
        1 => name.split('-').map(|word| word[..1].to_uppercase() + &word[1..]).collect::<Vec<_>>().join("-"),
        _ => name,
    }
}

/// Keys of the caller's own: what was applied, what was asked, what was answered; of a copy, not the source's.
#[test]
fn a_key_of_the_callers_is_told_wherever_it_is_said() {
    let (mut with, mut without) = (0_u64, 0_u64);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let event = choices.of(&KEY_EVENTS);
        let mut parts =
            [json!({ "bucketName": "b", "key": "x-amz-server-side-encryption-customer-key" }), json!({}), json!({})];
        let mut has_key = false;
        for part in &mut parts[..2] {
            if choices.one_in(4) {
                part[header(&mut choices, "x-amz-")] = json!("AES256");
                has_key = true;
            }
            if choices.one_in(4) {
                part[header(&mut choices, "x-amz-copy-source-")] = json!("AES256");
            }
            if choices.one_in(4) {
                part["x-amz-server-side-encryption"] = json!(choices.of(&["aws:kms", "AES256", "aws:kms:dsse"]));
                part["x-amz-server-side-encryption-aws-kms-key-id"] = json!("k");
            }
        }
        let applied =
            choices.of(&["", "SSE_C", "SSE_S3", "Default_SSE_S3", "SSE_KMS", "Default_SSE_KMS", "SSE_C_COPY"]);
        if !applied.is_empty() {
            parts[2]["SSEApplied"] = json!(applied);
            has_key |= applied == "SSE_C";
        }
        let [request, response, more] = parts.map(|part| whole(&mut choices, part));
        let mut json = record("s3", event, &request, &response);
        json["additionalEventData"] = more;
        let expected: BTreeSet<String> = has_key.then(|| "SSE-C".to_owned()).into_iter().collect();
        assert_eq!(said("customer_key", &json), expected, "seed {seed}: {json:#}");
        if has_key { with += 1 } else { without += 1 }
    }
    eprintln!("customer_key: {with} calls with a key and {without} without, 0 disagreements");
    assert!(with > 0 && without > 0);
}

#[test]
fn the_value_null_is_no_key() {
    let json =
        record("s3", "PutObject", &json!({ "x-amz-server-side-encryption-customer-algorithm": null }), &Value::Null);
    assert!(said("customer_key", &json).is_empty());
}
