//! The field about credentials that a call has made, by what they are called. Never their secret.

use super::placed::{Placed, Values};
use super::value::{DerivedField, ServiceCalls};
use crate::cloudtrail::{FactValue, Record, without_version};

/// What a call has made for somebody to sign in with.
pub(super) const NEW_CREDENTIAL: DerivedField = DerivedField {
    name: "new_credential",
    calls: &[
        ServiceCalls {
            service: "iam.amazonaws.com",
            events: &[
                "CreateAccessKey",
                "CreateLoginProfile",
                "CreateServiceSpecificCredential",
                "CreateVirtualMFADevice",
                "ResetServiceSpecificCredential",
                "UploadSSHPublicKey",
                "UploadSigningCertificate",
            ],
        },
        ServiceCalls { service: "sts.amazonaws.com", events: &["GetFederationToken", "GetSessionToken"] },
        ServiceCalls { service: "ec2.amazonaws.com", events: &["CreateKeyPair", "ImportKeyPair"] },
        ServiceCalls { service: "lightsail.amazonaws.com", events: &["CreateBucketAccessKey"] },
        ServiceCalls { service: "iot.amazonaws.com", events: &["CreateKeysAndCertificate"] },
        ServiceCalls { service: "transfer.amazonaws.com", events: &["ImportSshPublicKey"] },
    ],
    values: new_credential,
    description: "what the call made to sign in with, by its id (AKIAIOSFODNN7EXAMPLE, a certificate's, a key pair's), or as login \
                  profile of James; never a secret; nothing where the call failed",
};

fn new_credential(record: &Record<'_>) -> Vec<FactValue> {
    let mut values = Values::default();
    let Some(answer) = Placed::top(record, "responseElements") else { return values.0 };
    let paths: &[&[&str]] = match without_version(record.text(&["eventName"]).unwrap_or_default()) {
        "CreateAccessKey" | "CreateBucketAccessKey" => &[&["accessKey", "accessKeyId"]],
        "CreateServiceSpecificCredential" | "ResetServiceSpecificCredential" => {
            &[&["serviceSpecificCredential", "serviceSpecificCredentialId"]]
        }
        "CreateVirtualMFADevice" => &[&["virtualMFADevice", "serialNumber"]],
        "UploadSSHPublicKey" => &[&["sSHPublicKey", "sSHPublicKeyId"]],
        "UploadSigningCertificate" => &[&["certificate", "certificateId"]],
        "GetFederationToken" | "GetSessionToken" => &[&["credentials", "accessKeyId"]],
        "CreateKeyPair" | "ImportKeyPair" => &[&["keyPairId"], &["keyName"]],
        "CreateKeysAndCertificate" => &[&["certificateId"]],
        "ImportSshPublicKey" => &[&["sshPublicKeyId"]],
        _ => {
            let user = answer.at(&["loginProfile", "userName"]);
            if let Some((name, place)) = user.and_then(|user| Some((user.text()?, user.place.clone()))) {
                values.add(format!("login profile of {name}"), &place);
            }
            &[]
        }
    };
    // Where the id is missing, what people call it stands in.
    let named = paths.iter().find_map(|path| answer.at(path).filter(|id| id.text().is_some()));
    if let Some(id) = named {
        values.add(id.text().unwrap_or_default(), &id.place);
    }
    values.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: &str, event: &str, parts: &str) -> Vec<(String, String)> {
        let json = format!(r#"{{"eventSource":"{service}.amazonaws.com","eventName":"{event}",{parts}}}"#);
        let record = Record::parse(&json).unwrap();
        NEW_CREDENTIAL.of(&record).iter().map(|value| (value.text.clone(), value.place.clone())).collect()
    }

    #[test]
    fn each_kind_is_called_by_its_id() {
        for (service, event, answer, id, place) in [
            (
                "iam",
                "CreateAccessKey",
                r#"{"accessKey":{"userName":"mara","accessKeyId":"AKIAIOSFODNN7EXAMPLE","status":"Active"}}"#,
                "AKIAIOSFODNN7EXAMPLE",
                "accessKey.accessKeyId",
            ),
            (
                "iam",
                "CreateLoginProfile",
                r#"{"loginProfile":{"userName":"mara"}}"#,
                "login profile of mara",
                "loginProfile.userName",
            ),
            (
                "iam",
                "CreateServiceSpecificCredential",
                r#"{"serviceSpecificCredential":{"serviceSpecificCredentialId":"ACCAEXAMPLE123EXAMPLE","servicePassword":"hunter2"}}"#,
                "ACCAEXAMPLE123EXAMPLE",
                "serviceSpecificCredential.serviceSpecificCredentialId",
            ),
            (
                "iam",
                "CreateVirtualMFADevice",
                r#"{"virtualMFADevice":{"serialNumber":"arn:aws:iam::111122223333:mfa/m"}}"#,
                "arn:aws:iam::111122223333:mfa/m",
                "virtualMFADevice.serialNumber",
            ),
            (
                "iam",
                "UploadSSHPublicKey",
                r#"{"sSHPublicKey":{"sSHPublicKeyId":"APKAEXAMPLE"}}"#,
                "APKAEXAMPLE",
                "sSHPublicKey.sSHPublicKeyId",
            ),
            (
                "iam",
                "UploadSigningCertificate",
                r#"{"certificate":{"certificateId":"TA7SMP42TDN5Z26OBPJE7EXAMPLE"}}"#,
                "TA7SMP42TDN5Z26OBPJE7EXAMPLE",
                "certificate.certificateId",
            ),
            (
                "sts",
                "GetFederationToken",
                r#"{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"hunter2"}}"#,
                "ASIAIOSFODNN7EXAMPLE",
                "credentials.accessKeyId",
            ),
            (
                "ec2",
                "CreateKeyPair",
                r#"{"keyName":"k","keyPairId":"key-0a1b","keyMaterial":"<sensitiveDataRemoved>"}"#,
                "key-0a1b",
                "keyPairId",
            ),
            ("ec2", "ImportKeyPair", r#"{"keyName":"k"}"#, "k", "keyName"),
            ("transfer", "ImportSshPublicKey", r#"{"sshPublicKeyId":"key-1"}"#, "key-1", "sshPublicKeyId"),
        ] {
            let expected = [(id.to_owned(), format!("responseElements.{place}"))];
            assert_eq!(said(service, event, &format!(r#""responseElements":{answer}"#)), expected, "{event}");
        }
    }

    #[test]
    fn what_failed_has_made_nothing() {
        let parts = r#""errorCode":"AccessDenied","requestParameters":{"userName":"mara"},"responseElements":null"#;
        assert_eq!(said("iam", "CreateAccessKey", parts), []);
        assert_eq!(said("iam", "CreateLoginProfile", parts), []);
        assert_eq!(said("iam", "DeleteAccessKey", r#""responseElements":{"accessKey":{"accessKeyId":"A"}}"#), []);
    }
}
