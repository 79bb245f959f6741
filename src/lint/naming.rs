//! What to write instead of names that no record has: the nearest known one, the one that people mean, or two cells for one.

use super::calls::{EVENT, SERVICE, row_accepts};
use super::catalogue::{Catalogue, camel_case_words, suggested};
use super::logic::PatternWord;
use super::view::{CellView, Leaf, LeafCondition, RowView};
use crate::config::{Advice, Fix, Suggestion, quoted, suggestion};
use crate::rules::pattern::pattern_meant;
use crate::text::enumerated;

/// Of [`NICKNAMES`], those that may mean another service as well.
const AMBIGUOUS_NICKNAMES: [&str; 5] = ["cloudwatch", "cognito", "console", "email", "login"];

/// What people call a service → its `eventSource`.
const NICKNAMES: [(&str, &str); 19] = [
    ("cloudwatch", "monitoring"),
    ("cloudwatchlogs", "logs"),
    ("cognito", "cognito-idp"),
    ("console", "signin"),
    ("directory-service", "ds"),
    ("efs", "elasticfilesystem"),
    ("elb", "elasticloadbalancing"),
    ("elbv2", "elasticloadbalancing"),
    ("email", "ses"),
    ("emr", "elasticmapreduce"),
    ("eventbridge", "events"),
    ("identity-center", "sso"),
    ("login", "signin"),
    ("mq", "amazonmq"),
    ("opensearch", "es"),
    ("parameterstore", "ssm"),
    ("s3-control", "s3"),
    ("step-functions", "states"),
    ("stepfunctions", "states"),
];

/// What to write instead of a service that no record has: in a cell, or in a channel's filter.
pub(super) fn service_advice(catalogue: &'static Catalogue, written: &str, leaf: Option<&Leaf<'_>>) -> Advice {
    if let Some(pattern) = pattern_meant(written) {
        return format!("write the pattern \"{pattern}\": \"is\" compares whole values, and * stands for itself")
            .into();
    }
    let word = plain_word(written);
    let bare = word.strip_suffix(".amazonaws.com").unwrap_or(&word).to_lowercase();
    let known = |name: &str| catalogue.services.contains_key(format!("{name}.amazonaws.com").as_str());
    let exact = leaf.filter(|leaf| matches!(leaf.condition, LeafCondition::Exactly(_)));
    let meant = |name: &str, is_sure: bool| {
        let name = format!("{name}.amazonaws.com");
        let help = format!("did you mean \"{name}\"?");
        match exact.filter(|_| is_sure) {
            Some(leaf) => leaf.replaced_by(&name, help),
            None => help.into(),
        }
    };
    if let Some((nickname, name)) = NICKNAMES.iter().find(|(nickname, _)| *nickname == bare) {
        return meant(name, !AMBIGUOUS_NICKNAMES.contains(nickname));
    }
    if known(&bare) {
        return meant(&bare, true);
    }
    if let Some(recorded) = catalogue.unrecorded.get(bare.as_str()) {
        let names: Vec<String> = recorded.iter().map(|name| format!("\"{name}.amazonaws.com\"")).collect();
        return format!("records have {} for it", enumerated(&names)).into();
    }
    let otherwise = "look the eventSource up in a real record; if it is new, allow this lint";
    let word = plain_word(&word);
    let near = suggested(&word, [catalogue.service_names()]);
    match leaf {
        Some(leaf) => advised(leaf, &word, near, otherwise),
        None => near.map_or_else(|| otherwise.into(), |near| near.question().into()),
    }
}

/// Whether the leaf is the one text of the cell's `is`.
pub(super) fn is_only(cell: &CellView<'_>, leaf: &Leaf<'_>) -> bool {
    let members = cell.node.members().unwrap_or_default();
    let is = members.first().filter(|member| members.len() == 1 && member.key == "is");
    leaf.literal().is_some_and(|span| is.is_some_and(|is| is.node.span == *span))
}

/// What to write where a text says more than one name: `!StopLogging` is `not`, and `DeleteTrail,StopLogging` a list. `None` where it
/// does not, or the names in it are not known.
pub(super) fn several_advice(cell: &CellView<'_>, leaf: &Leaf<'_>, is_known: impl Fn(&str) -> bool) -> Option<Advice> {
    let written = leaf.condition.written();
    let is_exact = matches!(leaf.condition, LeafCondition::Exactly(_));
    let condition = |text: &str| if is_exact { format!("{{\"is\": {text}}}") } else { text.to_owned() };
    if let Some(name) = written.strip_prefix('!').map(str::trim) {
        let meant = condition(&quoted(name));
        return Some(format!("write {{\"not\": {meant}}} for whatever is none of it: a ! stands for itself").into());
    }
    let separators: &[char] = if is_exact { &[',', ';', '|', ' ', '\n', '\t'] } else { &[',', ';', ' ', '\n', '\t'] };
    let names: Vec<&str> = written.split(separators).map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.len() < 2 || !names.iter().all(|name| is_known(name)) {
        return None;
    }
    let list: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    let list = format!("[{}]", list.join(", "));
    let fix = leaf.literal().filter(|_| is_exact && is_only(cell, leaf)).map(|span| Fix::replace(span, list.as_str()));
    Some(Advice::new(format!("write a list, of which one is enough: {}", condition(&list))).with_fix(fix))
}

/// What to write where a permission stands in one cell: `iam:CreateUser` is a service and a call.
pub(super) fn split_advice(
    catalogue: &Catalogue,
    row: &RowView<'_>,
    cell: &CellView<'_>,
    leaf: &Leaf<'_>,
) -> Option<Advice> {
    let written = leaf.condition.written();
    let (service, event) =
        plain_word(written).split_once(':').map(|(service, event)| (service.to_owned(), event.to_owned()))?;
    let service =
        format!("{}.amazonaws.com", service.strip_suffix(".amazonaws.com").unwrap_or(&service).to_lowercase());
    let known = catalogue.services.get(service.as_str())?;
    let event = match known.renamed.get(event.as_str()).map(Vec::as_slice) {
        Some([recorded]) if known.call(&event).is_none() => (*recorded).to_owned(),
        _ => event,
    };
    // In the spelling of the cell that stands there.
    let is_long = cell.cell.field.written.starts_with("event") && cell.cell.field.written != "event";
    let (source, name) = if is_long { ("eventSource", "eventName") } else { ("service", "event") };
    let both = format!("\"{source}\": {{\"is\": {}}}, \"{name}\": {{\"is\": {}}}", quoted(&service), quoted(&event));
    let is_whole = is_only(cell, leaf) || leaf.literal() == Some(&cell.node.span);
    let is_sure = is_whole && !leaf.negated && known.call(&event).is_some();
    let fix = match (row.cell(SERVICE), row.cell(EVENT)) {
        (Some(_), Some(_)) if cell.is(EVENT) && row_accepts(row, SERVICE, &service) => {
            Some(Fix::replace(&cell.node.span, format!("{{\"is\": {}}}", quoted(&event))))
        }
        (Some(_), Some(_)) => None,
        _ => Some(Fix::replace(&(cell.key_span.start..cell.node.span.end), both.as_str())),
    };
    let advice = Advice::new(format!("a service and a call are two cells: write {both}"));
    Some(advice.with_fix(fix.filter(|_| is_sure)))
}

/// The word that a pattern names, without what is special in patterns.
pub(super) fn plain_word(written: &str) -> String {
    PatternWord::parse(written).map_or(written, |literal| literal.text).replace('\\', "")
}

/// The nearest known name, or other help.
pub(super) fn nearest<'k>(
    leaf: &Leaf<'_>,
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
    otherwise: &str,
) -> Advice {
    let word = plain_word(word);
    advised(leaf, &word, suggestion(&word, known), otherwise)
}

/// The known name that is near to a word of the leaf, or other help.
pub(super) fn advised(leaf: &Leaf<'_>, word: &str, near: Option<Suggestion<'_>>, otherwise: &str) -> Advice {
    let Some(near) = near else { return otherwise.into() };
    let written = leaf.condition.written();
    let meant = match leaf.condition {
        LeafCondition::Exactly(_) => Some(near.name.to_owned()),
        LeafCondition::Pattern(_) if written.contains(word) => Some(written.replacen(word, near.name, 1)),
        _ => None,
    };
    match meant.filter(|_| near.is_sure && is_slip(word, near.name)) {
        Some(meant) => leaf.replaced_by(&meant, near.question()),
        None => near.question().into(),
    }
}

/// Whether a name is another with a slip of the pen in it, and not a longer or a shorter one, which AWS may have made since, or one
/// with another word in it (`Egress` for `Ingress`), which may be meant.
pub(super) fn is_slip(written: &str, name: &str) -> bool {
    let extends = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
    let (lower, name_lower) = (written.to_lowercase(), name.to_lowercase());
    if extends(&lower, &name_lower) {
        return lower == name_lower;
    }
    let (words, known): (Vec<&str>, Vec<&str>) =
        (camel_case_words(written).collect(), camel_case_words(name).collect());
    let is_other_word = |(word, known): (&&str, &&str)| {
        !extends(&word.to_lowercase(), &known.to_lowercase()) && Catalogue::get().calls().any_has_word(word)
    };
    words.len() != known.len() || !words.iter().zip(&known).any(is_other_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_word_is_no_slip() {
        for (written, name) in [
            ("StopLoging", "StopLogging"),
            ("CreateUzer", "CreateUser"),
            ("createaccesskey", "CreateAccessKey"),
            ("DeleteBucketsPolicy", "DeleteBucketPolicy"),
            ("bucketNamme", "bucketName"),
        ] {
            assert!(is_slip(written, name), "{written} {name}");
        }
        for (written, name) in [
            ("AuthorizeCacheSecurityGroupEgress", "AuthorizeCacheSecurityGroupIngress"),
            ("DetachGroupPolicy", "AttachGroupPolicy"),
            ("PutSendQuota", "GetSendQuota"),
            ("ExportKeyPair", "ImportKeyPair"),
            ("StartInstances", "StartInstance"),
        ] {
            assert!(!is_slip(written, name), "{written} {name}");
        }
    }
}
