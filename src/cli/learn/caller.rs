//! Who made a call, by nothing that the caller chooses: what an exception may be bound to.

use crate::cloudtrail::{ComputedAlias, Record};

/// Who made a call, as cells of an exception: fields, and the one value that each must have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Caller {
    /// The name that people know.
    pub(super) name: String,
    pub(super) kind: CallerKind,
    cells: Vec<(&'static str, String)>,
}

/// What kind of caller it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum CallerKind {
    /// An IAM user, or a person of IAM Identity Center: what they know or have can be stolen and used from anywhere.
    Person,
    /// A role.
    Role,
    /// A service of AWS's that acts by itself.
    Service,
}

/// The role or the user whose session it is: AWS writes its ARN, account and path included, and nobody else can have it.
const ISSUER: &str = "userIdentity.sessionContext.sessionIssuer.arn";
const ISSUER_PATH: [&str; 4] = ["userIdentity", "sessionContext", "sessionIssuer", "arn"];

impl Caller {
    /// Who made the call of a record. None: nobody to whom an exception could be bound. That is root, whom nothing should be made
    /// a habit of; callers of other accounts, of whom a record has an id alone; and whoever is not named.
    pub(super) fn of(record: &Record<'_>) -> Option<Self> {
        let text = |path: &[&str]| record.non_empty(path).map(str::to_owned);
        let account = text(&["userIdentity", "accountId"]);
        let principal = record.computed(ComputedAlias::Principal)?.into_owned();
        match record.text(&["userIdentity", "type"])? {
            "IAMUser" => {
                let arn = text(&["userIdentity", "arn"])?;
                Some(Self { name: principal, kind: CallerKind::Person, cells: vec![("userIdentity.arn", arn)] })
            }
            "AssumedRole" => {
                let role = record.computed(ComputedAlias::Role)?.into_owned();
                let is_person = role != principal;
                let mut cells = match text(&ISSUER_PATH) {
                    Some(issuer) => vec![(ISSUER, issuer)],
                    None => vec![("role", role), ("userIdentity.accountId", account?)],
                };
                if is_person {
                    // Identity Center names the session after the person.
                    cells.push(("principal", principal.clone()));
                }
                let kind = if is_person { CallerKind::Person } else { CallerKind::Role };
                Some(Self { name: principal, kind, cells })
            }
            "AWSService" => {
                let service = text(&["userIdentity", "invokedBy"])?;
                let mut cells = vec![("identity", "AWSService".to_owned()), ("userIdentity.invokedBy", service)];
                cells.extend(account.map(|account| ("userIdentity.accountId", account)));
                Some(Self { name: principal, kind: CallerKind::Service, cells })
            }
            _ => None,
        }
    }

    /// The cells that no other caller satisfies.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.cells.iter().map(|(field, value)| (*field, value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(identity: &str) -> Option<Caller> {
        let json = format!(r#"{{"eventName":"X","userIdentity":{identity}}}"#);
        Caller::of(&Record::parse(&json).unwrap())
    }

    fn session(role: &str, session: &str) -> String {
        let arn = format!("arn:aws:iam::111122223333:role/{role}");
        format!(
            r#"{{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/{role}/{session}","principalId":"AROA:{session}",
            "sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"{arn}","userName":"{role}"}}}}}}"#
        )
    }

    #[test]
    fn a_role_is_its_arn_whatever_its_session_is_called() {
        let (one, other) = (caller(&session("ci", "a")).unwrap(), caller(&session("ci", "b")).unwrap());
        assert_eq!(one, other);
        assert_eq!((one.name.as_str(), one.kind), ("ci", CallerKind::Role));
        assert_eq!(one.cells().collect::<Vec<_>>(), [(ISSUER, "arn:aws:iam::111122223333:role/ci")]);
    }

    #[test]
    fn a_role_without_its_arn_is_its_name_in_its_account() {
        let arn = "arn:aws:sts::111122223333:assumed-role/ci/x";
        let ci = caller(&format!(r#"{{"type":"AssumedRole","accountId":"111122223333","arn":"{arn}"}}"#)).unwrap();
        assert_eq!(ci.cells().collect::<Vec<_>>(), [("role", "ci"), ("userIdentity.accountId", "111122223333")]);
    }

    #[test]
    fn people_of_identity_center_are_told_apart_and_roles_that_take_their_names_are_not_they() {
        let role = "AWSReservedSSO_Admin_0123456789abcdef";
        let jana = caller(&session(role, "jana@example.com")).unwrap();
        assert_eq!(jana.kind, CallerKind::Person);
        assert_ne!(jana, caller(&session(role, "omar@example.com")).unwrap());
        assert!(jana.cells().any(|cell| cell == ("principal", format!("{role}/jana@example.com").as_str())));
        assert!(jana.cells().any(|(field, _)| field == ISSUER));
    }

    #[test]
    fn nobody_is_taken_for_another() {
        let user = caller(r#"{"type":"IAMUser","userName":"ci","arn":"arn:aws:iam::111122223333:user/ci"}"#).unwrap();
        assert_eq!((user.name.as_str(), user.kind), ("ci", CallerKind::Person));
        assert_ne!(user, caller(&session("ci", "a")).unwrap());
        for nobody in [
            r#"{"type":"Root","arn":"arn:aws:iam::111122223333:root","accountId":"111122223333"}"#,
            r#"{"type":"AWSAccount","principalId":"AIDAEXAMPLE","accountId":"999999999999"}"#,
            r#"{"type":"IAMUser","userName":"HIDDEN_DUE_TO_SECURITY_REASONS"}"#,
            r#"{"type":"AssumedRole","principalId":"AROA:x"}"#,
            r#"{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/ci/x"}"#,
            r#"{"type":"Unknown"}"#,
            "{}",
        ] {
            assert_eq!(caller(nobody), None, "{nobody}");
        }
    }
}
