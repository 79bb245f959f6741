//! Access control lists that let everybody in, in each of their forms.

use super::placed::Placed;
use super::policy::Found;
use super::shared_with::each_text;

/// Canned lists, and what they grant. Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>.
const CANNED: [(&str, &[(&str, &str)]); 3] = [
    ("public-read", &[("AllUsers", "READ")]),
    ("public-read-write", &[("AllUsers", "READ"), ("AllUsers", "WRITE")]),
    ("authenticated-read", &[("AuthenticatedUsers", "READ")]),
];

/// Headers that grant one permission.
const HEADERS: [(&str, &str); 5] = [
    ("x-amz-grant-read", "READ"),
    ("x-amz-grant-write", "WRITE"),
    ("x-amz-grant-read-acp", "READ_ACP"),
    ("x-amz-grant-write-acp", "WRITE_ACP"),
    ("x-amz-grant-full-control", "FULL_CONTROL"),
];

/// Adds what the lists in a request of S3 grant to everybody.
pub(super) fn acl(request: &Placed<'_>, found: &mut Found) {
    each_text(request, &["x-amz-acl"], &mut |text, place| {
        let canned = CANNED.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
        for (group, permission) in canned.map(|(_, grants)| *grants).unwrap_or_default() {
            grant(group, permission, place, found);
        }
    });
    for (header, permission) in HEADERS {
        each_text(request, &[header], &mut |text, place| {
            for grantee in text.split(',') {
                grant(grantee, permission, place, found);
            }
        });
    }
    if let Some(policy) = request.get("AccessControlPolicy") {
        policy.each_object(&mut |object| {
            let (grantee, permission) = (object.get("Grantee"), object.text_of(&["Permission"]));
            let uri = grantee.and_then(|grantee| grantee.get("URI"));
            if let (Some((uri, place)), Some(permission)) =
                (uri.and_then(|uri| Some((uri.text()?, uri.place))), permission)
            {
                grant(uri, permission, &place, found);
            }
        });
    }
}

/// Adds one grant, if it is to one of the groups that anybody is in: `AllUsers`, `uri="http://acs.amazonaws.com/groups/global/AllUsers"`.
fn grant(grantee: &str, permission: &str, place: &str, found: &mut Found) {
    let name = grantee.trim().trim_end_matches(['"', '\'']).rsplit('/').next().unwrap_or_default();
    let everybody = match name {
        _ if name.eq_ignore_ascii_case("AllUsers") => "everybody",
        _ if name.eq_ignore_ascii_case("AuthenticatedUsers") => "every AWS account",
        _ => return,
    };
    let may = match permission.to_ascii_uppercase().as_str() {
        "READ" => "may read",
        "WRITE" => "may write",
        "READ_ACP" => "may read the ACL",
        "WRITE_ACP" => "may write the ACL",
        "FULL_CONTROL" => "has full control",
        _ => return,
    };
    found.add(format!("{everybody} {may}"), place);
}
