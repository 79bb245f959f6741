//! The fields that a cell, a title or a throttle may name: aliases, and paths into CloudTrail's record.

use crate::cloudtrail::accounts::{AccountFact, Accounts};
use crate::cloudtrail::countries::{CODES, Countries};
use crate::cloudtrail::own_resources::OwnResources;
use crate::cloudtrail::places::Places;
use crate::cloudtrail::{ALIASES, Alias, AliasTarget, ComputedAlias, Names, PARTITIONS, TOP_LEVEL};
use crate::config::suggestion;
use crate::facts::{self, DERIVED, DerivedField};

/// A field whose name has been understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field's name, as the author wrote it.
    pub written: String,
    /// What it stands for.
    pub target: FieldTarget,
}

/// Where a field's values come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldTarget {
    /// Keys from the record's top, or from the element inside `item`; none: the element itself.
    Path(Vec<Box<str>>),
    /// A value worked out from several places of the record: one at most.
    Computed(ComputedAlias),
    /// Values worked out from the request and the response of certain calls.
    Derived(&'static DerivedField),
    /// The country of `sourceIPAddress`, by this database.
    Country(Countries),
    /// What these say of the account: one at most.
    OfAccount(AccountFact, Accounts),
    /// The function's own resource that the call names, by what is known of them: one at most.
    OwnResource(OwnResources),
    /// What the call acts on, as people say it.
    Targets,
}

/// What fields ask besides the record.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The database that the alias `country` asks.
    pub countries: Option<Countries>,
    /// The names that the aliases `account_name` and `ou` ask.
    pub accounts: Option<Accounts>,
    /// Where addresses are. No field asks it: messages tell it.
    pub places: Option<Places>,
    /// What the alias `own_resource` asks. It is the process's: no package holds it.
    pub own: OwnResources,
}

impl Surroundings {
    /// What findings tell besides their record.
    pub(crate) fn names(&self) -> Names {
        let places = self.places.clone().map(|places| places.with_countries(self.countries.clone()));
        Names { accounts: self.accounts.clone(), places }
    }
}

impl From<OwnResources> for Surroundings {
    fn from(own: OwnResources) -> Self {
        Self { own, ..Self::default() }
    }
}

/// Why a field could not be understood, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The diagnostic's code.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// The remedy.
    pub help: String,
    /// The field that is meant, if that is sure.
    pub meant: Option<String>,
}

impl Field {
    /// A field of the record: an alias that asks the record alone, a derived field, or a path that begins with a top-level field of CloudTrail's
    /// record.
    ///
    /// # Errors
    /// A path that cannot be read, or that no record can hold.
    pub fn parse(written: &str) -> Result<Self, FieldError> {
        Self::parse_with(written, &Surroundings::default())
    }

    /// As [`Field::parse`], with what the other aliases ask.
    ///
    /// # Errors
    /// `country` without a database, and `account_name` or `ou` without accounts, too.
    pub fn parse_with(written: &str, surroundings: &Surroundings) -> Result<Self, FieldError> {
        let target = if let Some(alias) = ALIASES.iter().find(|alias| alias.name == written) {
            match alias.target {
                AliasTarget::Path(path) => FieldTarget::Path(path.iter().map(|&key| key.into()).collect()),
                AliasTarget::Computed(alias) => FieldTarget::Computed(alias),
                AliasTarget::Country => FieldTarget::Country(surroundings.countries.clone().ok_or_else(no_countries)?),
                AliasTarget::OfAccount(fact) => {
                    FieldTarget::OfAccount(fact, surroundings.accounts.clone().ok_or_else(|| no_accounts(written))?)
                }
                AliasTarget::OwnResource => FieldTarget::OwnResource(surroundings.own.clone()),
                AliasTarget::Targets => FieldTarget::Targets,
            }
        } else if let Some(field) = facts::derived(written) {
            FieldTarget::Derived(field)
        } else {
            let path = parse_path(written)?;
            let first = path.first().map_or("", |key| key);
            if !TOP_LEVEL.contains(&first) {
                return Err(unknown_field(written, first));
            }
            FieldTarget::Path(path)
        };
        Ok(Self { written: written.to_owned(), target })
    }

    /// A field of one element, inside `item`: a path from the element, or `.` for the element itself.
    ///
    /// # Errors
    /// A path that cannot be read.
    pub fn parse_in_element(written: &str) -> Result<Self, FieldError> {
        let path = if written == "." { Vec::new() } else { parse_path(written)? };
        Ok(Self { written: written.to_owned(), target: FieldTarget::Path(path) })
    }

    /// Whether it stands for a path, and not for one value that is worked out.
    pub fn is_path(&self) -> bool {
        matches!(self.target, FieldTarget::Path(_))
    }

    /// A field of one element of this one, as a field of the record.
    #[cfg(feature = "cli")]
    pub(crate) fn below(&self, element: &Self) -> Self {
        let (FieldTarget::Path(array), FieldTarget::Path(path)) = (&self.target, &element.target) else {
            return self.clone();
        };
        let written =
            if path.is_empty() { self.written.clone() } else { format!("{}.{}", self.written, element.written) };
        Self { written, target: FieldTarget::Path(array.iter().chain(path).cloned().collect()) }
    }

    /// Whether CloudTrail writes its values as texts, whatever they are made of, so that every digit counts: account ids and
    /// versions. Of requests and answers this is known of account ids alone.
    #[cfg(feature = "cli")]
    pub(crate) fn always_text(&self) -> bool {
        const ANY_TYPE: [&str; 5] =
            ["requestParameters", "responseElements", "additionalEventData", "serviceEventDetails", "insightDetails"];
        let path = match &self.target {
            FieldTarget::Path(path) => path,
            FieldTarget::Derived(_) | FieldTarget::Targets => return false,
            FieldTarget::Computed(_)
            | FieldTarget::Country(_)
            | FieldTarget::OfAccount(..)
            | FieldTarget::OwnResource(_) => return true,
        };
        let any_type = path.first().is_some_and(|top| ANY_TYPE.contains(&&**top));
        !any_type || path.last().is_some_and(|key| key.ends_with("ccountId") || key.ends_with("ownerId"))
    }

    /// The short name of exactly this path, if there is one.
    pub fn alias(&self) -> Option<&'static str> {
        let FieldTarget::Path(path) = &self.target else { return None };
        let same = |names: &[&str]| names.len() == path.len() && names.iter().zip(path).all(|(a, b)| *a == &**b);
        let is_same = |alias: &&Alias| matches!(alias.target, AliasTarget::Path(names) if same(names));
        ALIASES.iter().find(is_same).map(|alias| alias.name)
    }

    /// The top-level fields of CloudTrail's record.
    pub fn top_level() -> &'static [&'static str] {
        &TOP_LEVEL
    }

    /// The only values that the field can have, if they are known.
    pub fn vocabulary(&self) -> Option<&'static [&'static str]> {
        match &self.target {
            FieldTarget::Computed(ComputedAlias::Outcome) => Some(&["success", "failure"]),
            FieldTarget::Computed(ComputedAlias::Mfa) => Some(&["yes", "no"]),
            FieldTarget::Computed(ComputedAlias::Partition) => Some(&PARTITIONS),
            FieldTarget::Country(_) => Some(&CODES),
            FieldTarget::Path(path) if path.len() == 1 && &*path[0] == "readOnly" => Some(&["true", "false"]),
            _ => None,
        }
    }
}

/// The names that are no paths.
fn short_names() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|alias| alias.name).chain(DERIVED.iter().map(|field| field.name))
}

/// What is wrong with a field whose first name no record has.
fn unknown_field(written: &str, first: &str) -> FieldError {
    let near = suggestion(first, short_names().chain(TOP_LEVEL));
    let help = near.map_or_else(
        || {
            let aliases: Vec<&str> = short_names().collect();
            format!(
                "write an alias ({}), or a path that begins with a top-level field of the record, such as \
                 requestParameters.bucketName",
                aliases.join(", ")
            )
        },
        |near| near.question(),
    );
    // Below an alias nothing stands.
    let meant = near.filter(|near| near.is_sure).and_then(|near| {
        let below = written.strip_prefix(first)?;
        (below.is_empty() || TOP_LEVEL.contains(&near.name)).then(|| format!("{}{below}", near.name))
    });
    let message = format!("CloudTrail records have no field \"{}\"", crate::text::clip(first, 80));
    FieldError { code: "unknown-field", message, help, meant }
}

fn no_countries() -> FieldError {
    FieldError {
        code: "no-countries",
        message: "\"country\" needs a database of countries, but there is none".to_owned(),
        help: "put one in MaxMind's format (GeoLite2 Country, DB-IP Country Lite, IPinfo Lite) beside this \
               rules.json, and name it countries.mmdb"
            .to_owned(),
        meant: None,
    }
}

fn no_accounts(written: &str) -> FieldError {
    FieldError { code: "no-accounts", message: no_accounts_for(written), help: ACCOUNTS_REMEDY.to_owned(), meant: None }
}

/// The remedy where the names of accounts are asked for and there are none.
pub(crate) const ACCOUNTS_REMEDY: &str =
    "write accounts.json beside this rules.json, by hand or with `offlimits accounts`";

/// What is wrong with a key that asks for the names of accounts where there are none.
pub(crate) fn no_accounts_for(key: &str) -> String {
    format!("\"{key}\" needs the names of accounts, but there is no accounts.json")
}

/// `a.b[*]["c.d"]` → `a`, `b`, `c.d`.
fn parse_path(written: &str) -> Result<Vec<Box<str>>, FieldError> {
    let error = |message: &str, help: &str| FieldError {
        code: "bad-path",
        message: format!("invalid path \"{written}\": {message}"),
        help: help.to_owned(),
        meant: None,
    };
    let mut path: Vec<Box<str>> = Vec::new();
    let mut rest = written;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("[\"") {
            let Some((key, after)) = after.split_once("\"]") else {
                return Err(error("a [\" is not closed", "close it with \"]"));
            };
            path.push(key.into());
            rest = after;
        } else if rest.starts_with('[') {
            return Err(error(
                "only [*] and [\"key\"] may stand in brackets",
                "arrays are walked: leave the index out, or use {\"item\": …} for conditions on one element",
            ));
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            if end == 0 {
                return Err(error("a name is missing beside a dot", "write names with one dot between them"));
            }
            path.push(rest[..end].into());
            rest = &rest[end..];
        }
        if let Some(after) = rest.strip_prefix('.') {
            if after.is_empty() {
                return Err(error("it ends in a dot", "write the name that follows, or delete the dot"));
            }
            rest = after;
        } else if !rest.is_empty() && !rest.starts_with('[') {
            return Err(error("a dot is missing after a bracket", "write a dot before the next name"));
        }
    }
    if path.is_empty() {
        return Err(error("it names nothing", "write a field's name"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(written: &str) -> Vec<String> {
        parse_path(written).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn paths_are_read_with_dots_stars_and_quoted_keys() {
        assert_eq!(path("a.b.c"), ["a", "b", "c"]);
        assert_eq!(path("a[*].b[*]"), ["a", "b"]);
        assert_eq!(path(r#"a["b.c:d"].e"#), ["a", "b.c:d", "e"]);
        for bad in ["", ".", "a.", ".a", "a..b", "a[0]", r#"a["b"#, r#"a["b"]c"#, "[*]"] {
            assert_eq!(parse_path(bad).unwrap_err().code, "bad-path", "{bad:?}");
        }
    }

    #[test]
    fn a_typo_never_becomes_a_dead_cell() {
        let error = Field::parse("requestParameter.bucketName").unwrap_err();
        assert_eq!((error.code, error.help.as_str()), ("unknown-field", r#"did you mean "requestParameters"?"#));
        assert_eq!(Field::parse("sourceIp").unwrap_err().help, r#"did you mean "source_ip"?"#);
        assert!(Field::parse("eventName").is_ok() && Field::parse("userIdentityType").is_ok());
    }
}
