//! Whom a policy names, in one spelling for each.

use crate::cloudtrail::is_account_id;
use crate::facts::placed::Placed;

/// Somebody whom a policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) enum Who {
    /// Everybody, signed in or not.
    Everybody,
    /// An account: its id, or the ARN of its root.
    Account(String),
    /// A user, a role, a session: its ARN.
    Arn(String),
    /// An AWS service: `ec2.amazonaws.com`.
    Service(String),
    /// Those whom an identity provider vouches for: `token.actions.githubusercontent.com`.
    Federated(String),
    /// The owner of a bucket, by S3's own id.
    Canonical(String),
    /// What AWS knows by another name, such as the id of a user that is gone.
    Other(String),
}

/// One of a statement's principals, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) struct Principal {
    pub(in crate::facts) who: Who,
    pub(in crate::facts) place: String,
}

/// Whom a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) enum Principals {
    /// `Principal`
    Only(Vec<Principal>),
    /// `NotPrincipal`, and where it stands.
    AllBut(Vec<Principal>, String),
    /// Neither: whoever has the policy.
    Unsaid,
}

impl Who {
    /// Reads what stands under `AWS`, or as a principal by itself. A wildcard in the place of the account leaves it open.
    pub(in crate::facts) fn aws(text: &str) -> Self {
        if text.bytes().all(|byte| byte == b'*') {
            return Self::Everybody;
        }
        if is_account_id(text) {
            return Self::Account(text.to_owned());
        }
        match account_of_arn(text) {
            Some(account) if account.contains(['*', '?']) => Self::Everybody,
            Some(account) if is_account_id(account) && text.ends_with(":root") && text.contains(":iam::") => {
                Self::Account(account.to_owned())
            }
            Some(_) => Self::Arn(text.to_owned()),
            None if text.contains('*') => Self::Everybody,
            None => Self::Other(text.to_owned()),
        }
    }

    /// Reads what stands under `Service`.
    pub(in crate::facts) fn service(text: &str) -> Self {
        Self::Service(text.to_ascii_lowercase())
    }

    /// Reads what stands under `Federated`: a provider's ARN is shortened to its name.
    fn federated(text: &str) -> Self {
        let name = text.split_once(":oidc-provider/").map(|(_, name)| name);
        let name = name.or_else(|| text.find("saml-provider/").map(|start| &text[start..]));
        Self::Federated(name.unwrap_or(text).to_owned())
    }

    /// The account, where it is known.
    pub(in crate::facts) fn account(&self) -> Option<&str> {
        match self {
            Self::Account(account) => Some(account),
            Self::Arn(arn) => account_of_arn(arn).filter(|account| is_account_id(account)),
            _ => None,
        }
    }

    /// As people and rules read it: `everybody`, `999999999999`, an ARN, `service ec2.amazonaws.com`, `federated …`.
    pub(in crate::facts) fn name(&self) -> String {
        match self {
            Self::Everybody => "everybody".to_owned(),
            Self::Account(text) | Self::Arn(text) | Self::Other(text) => text.clone(),
            Self::Service(name) => format!("service {name}"),
            Self::Federated(provider) => format!("federated {provider}"),
            Self::Canonical(id) => format!("canonical user {id}"),
        }
    }
}

impl Principals {
    pub(super) fn read(statement: &Placed<'_>) -> Self {
        match (statement.get("Principal"), statement.get("NotPrincipal")) {
            (Some(placed), _) => Self::Only(principals(&placed)),
            (None, Some(placed)) => Self::AllBut(principals(&placed), placed.place),
            (None, None) => Self::Unsaid,
        }
    }

    /// One principal.
    pub(in crate::facts) fn one(who: Who, place: &str) -> Self {
        Self::Only(vec![Principal { who, place: place.to_owned() }])
    }
}

/// Whom a statement names, in words, and whether it is about everybody but them; `None` if it names nobody.
pub(crate) fn principal_names(statement: &Placed<'_>) -> Option<(bool, Vec<String>)> {
    let names = |list: &[Principal]| list.iter().map(|principal| principal.who.name()).collect();
    match Principals::read(statement) {
        Principals::Only(list) => Some((false, names(&list))),
        Principals::AllBut(list, _) => Some((true, names(&list))),
        Principals::Unsaid => None,
    }
}

/// `"*"`, `"999999999999"`, a list of such, or an object by kind.
fn principals(placed: &Placed<'_>) -> Vec<Principal> {
    let mut found = Vec::new();
    for element in placed.elements() {
        if let Some(text) = element.text() {
            found.push(Principal { who: Who::aws(text), place: element.place });
            continue;
        }
        for (kind, list) in element.members() {
            for one in list.elements() {
                let Some(text) = one.text() else { continue };
                let who = match kind.to_ascii_lowercase().as_str() {
                    "service" => Who::service(text),
                    "federated" => Who::federated(text),
                    "canonicaluser" => Who::Canonical(text.to_owned()),
                    _ => Who::aws(text),
                };
                found.push(Principal { who, place: one.place });
            }
        }
    }
    found
}

/// The fifth part of an ARN.
pub(super) fn account_of_arn(text: &str) -> Option<&str> {
    let mut parts = text.splitn(6, ':');
    let scheme = parts.next()?;
    let account = parts.nth(3)?;
    (scheme == "arn" && parts.next().is_some()).then_some(account)
}
