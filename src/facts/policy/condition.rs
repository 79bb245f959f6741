//! What a condition asks of a caller, and whether a caller can meet it.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>, and of keys that are
//! missing or have many values
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>.

use ipnet::IpNet;

use super::caller::Held;
use super::glob::Glob;
use super::principal::{Who, account_of_arn};
use crate::facts::network::{Network, are_the_world};
use crate::facts::placed::Placed;

/// One condition: all of a statement's must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facts) struct Condition<'r> {
    kind: Kind,
    negated: bool,
    /// It also holds of a key that is missing: `…IfExists`, `ForAllValues:…`.
    lenient: bool,
    /// It never holds of a key that is missing: `ForAnyValue:…`.
    any_value: bool,
    /// In small letters: `aws:principalorgid`.
    pub(super) key: String,
    pub(super) values: Vec<&'r str>,
    pub(super) place: String,
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `StringEquals`, `StringEqualsIgnoreCase`: wildcards stand for themselves.
    Text,
    /// `StringLike`, `ArnEquals`, `ArnLike`
    Pattern,
    /// `IpAddress`
    Network,
    Bool,
    /// Whether the key is missing.
    Null,
    /// What a caller can wait for, or what AWS does not know: numbers, dates, and the rest.
    Unjudged,
}

/// Whether a condition holds of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// Whatever the caller does, it does not.
    Never,
    /// The caller can bring it about, and can avoid it.
    Can,
    /// Whatever the caller does.
    Always,
}

/// How much of what a stranger may have the values of a condition take in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    None,
    Some,
    All,
}

impl<'r> Condition<'r> {
    /// The conditions of a statement.
    pub(in crate::facts) fn read_all(statement: &Placed<'r>) -> Vec<Self> {
        let mut found = Vec::new();
        for (operator, keys) in statement.get("Condition").iter().flat_map(Placed::members) {
            for (key, values) in keys.members() {
                let values_read = values.elements().iter().filter_map(Placed::text).collect();
                found.push(Self::new(operator, key, values_read, values.place));
            }
        }
        found
    }

    pub(in crate::facts) fn new(operator: &str, key: &str, values: Vec<&'r str>, place: String) -> Self {
        let operator = operator.to_ascii_lowercase();
        let (all, any) = (operator.strip_prefix("forallvalues:"), operator.strip_prefix("foranyvalue:"));
        let plain = all.or(any).unwrap_or(&operator);
        let if_exists = plain.strip_suffix("ifexists");
        let (kind, negated) = match if_exists.unwrap_or(plain) {
            "stringequals" | "stringequalsignorecase" => (Kind::Text, false),
            "stringnotequals" | "stringnotequalsignorecase" => (Kind::Text, true),
            "stringlike" | "arnequals" | "arnlike" => (Kind::Pattern, false),
            "stringnotlike" | "arnnotequals" | "arnnotlike" => (Kind::Pattern, true),
            "ipaddress" => (Kind::Network, false),
            "notipaddress" => (Kind::Network, true),
            "bool" => (Kind::Bool, false),
            "null" => (Kind::Null, false),
            _ => (Kind::Unjudged, false),
        };
        let lenient = if_exists.is_some() || all.is_some();
        Self { kind, negated, lenient, any_value: any.is_some(), key: key.to_ascii_lowercase(), values, place }
    }

    /// Whether it holds of a caller for whom its key holds this.
    pub(super) fn holds(&self, held: Held<'_>) -> Holds {
        let from = |holds: bool| if holds { Holds::Always } else { Holds::Never };
        match (self.kind, held) {
            (Kind::Null, Held::Chosen) => Holds::Can,
            (Kind::Null, Held::Unknown) => {
                from(self.values.iter().any(|value| value.eq_ignore_ascii_case("true"))).min(Holds::Can)
            }
            (Kind::Null, _) => {
                let missing = matches!(held, Held::Absent);
                from(self.values.iter().any(|value| value.eq_ignore_ascii_case(if missing { "true" } else { "false" })))
            }
            (_, Held::Absent) => from(self.lenient || (self.negated && !self.any_value)),
            (_, Held::Chosen) => match (self.values.is_empty(), self.negated || self.lenient) {
                (true, false) => Holds::Never,
                _ => Holds::Can,
            },
            (_, Held::Unknown) if self.lenient || self.negated => Holds::Can,
            (kind, Held::Unknown) => {
                let least = if kind == Kind::Network { Reach::Some } else { Reach::All };
                from(self.reach(Held::Stranger) >= least).min(Holds::Can)
            }
            (_, Held::Stranger | Held::ArnOf(_) | Held::Is(_)) => match (self.reach(held), self.negated) {
                (Reach::Some, _) => Holds::Can,
                (reach, negated) => from((reach == Reach::All) != negated),
            },
        }
    }

    /// How far the values reach into what the caller may have here.
    fn reach(&self, held: Held<'_>) -> Reach {
        match (self.kind, held) {
            (Kind::Network, Held::Is(network)) if self.holds_network(network) => return Reach::All,
            (Kind::Network, Held::Is(_)) => return Reach::None,
            (Kind::Network, _) => return self.reach_of_networks(),
            _ => {}
        }
        self.values.iter().map(|value| self.reach_of(value, held)).max().unwrap_or(Reach::None)
    }

    fn reach_of(&self, value: &str, held: Held<'_>) -> Reach {
        if let Some((_, variable)) = value.split_once("${") {
            // The resource's own account or organization is no stranger's. Other variables are the caller's own.
            let own = variable.trim_start().get(..12).is_some_and(|start| start.eq_ignore_ascii_case("aws:resource"));
            return if own && held == Held::Stranger { Reach::None } else { Reach::Some };
        }
        let equal = |equal: bool| if equal { Reach::All } else { Reach::None };
        match (self.kind, held) {
            (Kind::Text, Held::Is(text)) => equal(value == text),
            (Kind::Bool, Held::Is(text)) => equal(value.eq_ignore_ascii_case(text)),
            (Kind::Pattern, Held::Is(text)) => equal(Glob::new(value).matches(text)),
            (Kind::Pattern, Held::ArnOf(_)) if Glob::new(value).is_universal() => Reach::All,
            (Kind::Text | Kind::Pattern, Held::ArnOf(account)) => match account_of_arn(value) {
                Some(of) if !Glob::new(of).matches(account) => Reach::None,
                _ => Reach::Some,
            },
            (Kind::Pattern, _) if Glob::new(value).is_universal() => Reach::All,
            (Kind::Pattern, _) if is_open(&self.key, value) => Reach::Some,
            (Kind::Text | Kind::Pattern, _) => Reach::None,
            (Kind::Bool | Kind::Network | Kind::Null | Kind::Unjudged, _) => Reach::Some,
        }
    }

    fn networks(&self) -> impl Iterator<Item = IpNet> {
        self.values.iter().filter_map(|value| Network::parse(value)?.addresses())
    }

    /// Whether one of its networks holds another.
    fn holds_network(&self, other: &str) -> bool {
        let other = Network::parse(other).and_then(|network| network.addresses());
        other.is_some_and(|other| self.networks().any(|network| network.contains(&other)))
    }

    /// Strangers are somewhere in a network that is the whole of IPv4 or of IPv6, and in one that is too broad to be somebody's.
    /// S3 takes the same bounds for what is public:
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>.
    fn reach_of_networks(&self) -> Reach {
        let (v4, v6): (Vec<_>, Vec<_>) = self.networks().partition(|network| matches!(network, IpNet::V4(_)));
        let broad = |networks: &[IpNet], least: u8| networks.iter().any(|network| network.prefix_len() < least);
        match (are_the_world(&v4), are_the_world(&v6)) {
            (true, true) => Reach::All,
            (false, false) if !broad(&v4, 8) && !broad(&v6, 32) => Reach::None,
            _ => Reach::Some,
        }
    }

    /// Whether it names whom it lets in: it asks for one of its values, none of which strangers have.
    pub(super) fn names(&self) -> bool {
        self.compares_with_names() && !self.negated && self.reach(Held::Stranger) == Reach::None
    }

    /// Whether it names those whom it leaves out, who of a `Deny` are those that it spares.
    pub(super) fn spares(&self) -> bool {
        self.compares_with_names() && self.negated
    }

    fn compares_with_names(&self) -> bool {
        matches!(self.kind, Kind::Text | Kind::Pattern | Kind::Network)
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.lenient
    }

    /// Whether another condition on the same key leaves a value to it. Networks are not compared.
    pub(super) fn leaves(&self, value: &str) -> bool {
        let takes = self.values.iter().any(|own| match self.kind {
            Kind::Pattern => Glob::new(own).matches(value),
            _ => *own == value,
        });
        self.lenient || !matches!(self.kind, Kind::Text | Kind::Pattern) || takes != self.negated
    }

    /// A value that no key has, since a wildcard stands for itself in it.
    pub(super) fn is_nobody(&self, value: &str) -> bool {
        self.kind == Kind::Text && value.contains(['*', '?'])
    }

    /// Whether a claim of an identity provider is fixed, so that not everybody who can sign in there has it. The audience is the same for all
    /// who ask AWS. Of a pattern the first name must be fixed: `repo:example/*` is, and `repo:*` is not.
    pub(super) fn fixes_claim(&self) -> bool {
        let Some((provider, claim)) = self.key.rsplit_once(':') else { return false };
        if matches!(provider, "aws" | "sts" | "iam") || claim == "amr" || self.negated || self.values.is_empty() {
            return false;
        }
        self.compares_with_names()
            && self.values.iter().all(|value| {
                let text = value.split_once("${").map_or(*value, |(before, _)| before);
                let fixed = match (self.kind, text.find(['*', '?'])) {
                    (Kind::Pattern, Some(wildcard)) => &text[..wildcard],
                    _ if text.len() == value.len() => return claim != "aud" || *value != "sts.amazonaws.com",
                    _ => text,
                };
                let name = fixed
                    .strip_prefix("system:serviceaccount:")
                    .or_else(|| fixed.split_once(':').map(|(_, name)| name));
                name.and_then(|name| name.find(['/', ':'])).is_some_and(|end| end > 0)
            })
    }
}

/// Whether strangers can have what a pattern with wildcards asks for. Of an ARN the account decides; where there is none, as of a
/// bucket, the whole. Of an organization's path its first part, of a role's session the role.
fn is_open(key: &str, pattern: &str) -> bool {
    let decisive = match key {
        "aws:principalarn" | "aws:sourcearn" | "s3:dataaccesspointarn" => match account_of_arn(pattern) {
            Some("") | None => pattern,
            Some(account) => account,
        },
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => {
            pattern.split('/').next().unwrap_or(pattern)
        }
        "aws:userid" => pattern.split(':').next().unwrap_or(pattern),
        _ => pattern,
    };
    decisive.contains(['*', '?'])
}

/// How narrowly a key says who, and whom a value of it names. The narrowest first.
pub(super) fn named_by(key: &str, value: &str) -> Option<(u8, String)> {
    let value = value.trim();
    Some(match key {
        "aws:principalarn" => (0, Who::aws(value).name()),
        "aws:principalaccount" | "kms:calleraccount" | "aws:sourceowner" => (1, value.to_owned()),
        "aws:sourcearn" | "s3:dataaccesspointarn" => (2, value.to_owned()),
        "aws:sourceaccount" | "s3:dataaccesspointaccount" | "aws:vpceaccount" => (3, value.to_owned()),
        "aws:principalservicename" => (4, format!("service {value}")),
        "aws:userid" => (5, value.to_owned()),
        "aws:principalorgid" | "aws:sourceorgid" | "aws:vpceorgid" => (6, format!("organization {value}")),
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:vpceorgpaths" => (7, format!("organization {value}")),
        "aws:sourcevpce" => (8, value.to_owned()),
        "aws:sourcevpc" => (9, value.to_owned()),
        "aws:sourceip" => (10, Network::parse(value)?.to_string()),
        _ => return None,
    })
}
