//! Which members of a request, or of its answer, name what a call acts on: `targets.txt` and its index `sections.txt`, which `generate.py`
//! writes and describes.
//!
//! The text is searched where it stands: nothing of it is read before there is a finding, and little then.

use std::cmp::Ordering;

use memchr::memmem;

const TEXT: &str = include_str!("targets.txt");
/// A line for each service: its name, the byte in [`TEXT`] at which its calls begin, and their length in bytes.
const SECTIONS: &str = include_str!("sections.txt");

/// A member that may name a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TargetMember {
    /// The member's name, or a path of names from the top: `roleName`, `accessKey.userName`.
    pub(super) name: &'static str,
    /// Whether it is looked for in the answer, and not in the request.
    pub(super) is_of_answer: bool,
}

/// How a call names its target: the first of these that is there, all members of it. `None` if the catalogue does not have the
/// call. `event` is without the version of an API.
pub(super) fn members_of(
    service: &str,
    event: &str,
) -> Option<impl Iterator<Item = impl Iterator<Item = TargetMember> + use<>> + use<>> {
    let entry = entry(section(service)?, event)?;
    // `-`: a call of this name acts on nothing that has a name.
    let alternatives = entry.split('|').filter(|alternative| *alternative != "-");
    Some(alternatives.map(|alternative| {
        alternative.split('+').map(|name| match name.strip_prefix('>') {
            Some(name) => TargetMember { name, is_of_answer: true },
            None => TargetMember { name, is_of_answer: false },
        })
    }))
}

/// The lines of a service. Which they are says a line of [`SECTIONS`], which stand in the order of the services' names.
fn section(service: &str) -> Option<&'static str> {
    let mut text = SECTIONS;
    while !text.is_empty() {
        let start = text[..text.len() / 2].rfind('\n').map_or(0, |end| end + 1);
        let (line, after) = text[start..].split_once('\n')?;
        let (name, place) = line.split_once(' ')?;
        match service.cmp(name) {
            Ordering::Equal => {
                let (from, length) = place.split_once(' ')?;
                return TEXT.get(from.parse().ok()?..)?.get(..length.parse().ok()?);
            }
            Ordering::Less => text = &text[..start],
            Ordering::Greater => text = after,
        }
    }
    None
}

/// The first word of the line that has this call.
fn entry(section: &'static str, event: &str) -> Option<&'static str> {
    if event.is_empty() || event.contains([' ', '\n']) {
        return None;
    }
    let word = format!(" {event}");
    let mut from = 0;
    loop {
        let at = from + memmem::find(&section.as_bytes()[from..], word.as_bytes())?;
        from = at + word.len();
        let line = section[..at].rfind('\n').map_or(0, |end| end + 1);
        // The first word is not a call, and a call may begin as another does.
        if at > line && section[from..].starts_with([' ', '\n']) {
            return section[line..].trim_start().split(' ').next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(service: &str, event: &str) -> Option<String> {
        let all = members_of(&format!("{service}.amazonaws.com"), event)?.map(|members| {
            let names = members.map(|one| format!("{}{}", if one.is_of_answer { ">" } else { "" }, one.name));
            names.collect::<Vec<_>>().join("+")
        });
        Some(all.collect::<Vec<_>>().join("|"))
    }

    #[test]
    fn each_call_has_its_members() {
        for (service, event, members) in [
            ("iam", "AttachRolePolicy", Some("roleName+policyArn")),
            ("iam", "CreateAccessKey", Some("userName|>accessKey.userName|>accessKey.accessKeyId")),
            ("iam", "ChangePassword", Some("")),
            ("iam", "NoSuchCall", None),
            ("iam", "userName", None),
            ("iam", "Create", None),
            ("iam", "CreateUser DeleteUser", None),
            ("ec2", "StopInstances", Some("instanceId")),
            ("eks", "DeleteNodegroup", Some("nodegroupName+clusterName")),
            ("kms", "ScheduleKeyDeletion", Some("keyId")),
            ("no-such-service", "StopInstances", None),
            ("", "", None),
        ] {
            assert_eq!(said(service, event).as_deref(), members, "{service} {event}");
        }
    }

    #[test]
    fn every_line_is_found_and_well_formed() {
        let mut service = "";
        let mut calls_seen = 0;
        for line in TEXT.lines().skip(1) {
            let Some(words) = line.strip_prefix(' ') else {
                assert!(service < line, "{service} stands before {line}");
                service = line;
                continue;
            };
            let (entry, calls) = words.split_once(' ').unwrap();
            assert!(entry.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"|+>.-_".contains(&byte)), "{line}");
            for call in calls.split(' ') {
                let members = said(service.strip_suffix(".amazonaws.com").unwrap(), call).unwrap();
                assert_eq!(if members.is_empty() { "-" } else { &members }, entry, "{service} {call}");
                calls_seen += 1;
            }
        }
        assert!(calls_seen > 10_000);
    }
}
