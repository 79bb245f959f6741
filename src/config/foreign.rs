//! Keys and words that people bring along from other tools and languages, and what is said here instead. What is near to one of
//! our own names is found without a table; these are not.

use super::advice::{Advice, Fix};
use super::words::{alternatives, quoted};
use crate::json::{Member, Node};

/// A word of elsewhere.
struct ForeignWord {
    /// What the list of words is of, as [`super::WordList::what`] says.
    of: &'static str,
    /// The words, in small letters.
    theirs: &'static [&'static str],
    /// What may be meant: one of these.
    ours: &'static [&'static str],
    /// What else there is to know.
    why: &'static str,
}

const WORDS: [ForeignWord; 9] = [
    ForeignWord {
        of: "severity",
        theirs: &["critical", "crit"],
        ours: &["very-high", "extreme"],
        why: ": act immediately, or drop everything",
    },
    ForeignWord {
        of: "severity",
        theirs: &["info", "informational", "information"],
        ours: &["low"],
        why: ", the least",
    },
    ForeignWord { of: "severity", theirs: &["moderate"], ours: &["medium"], why: "" },
    ForeignWord {
        of: "channel type",
        theirs: &["email", "e-mail", "mail", "sms", "topic"],
        ours: &["sns"],
        why: ": the stack's parameter Email subscribes an address to its topic",
    },
    ForeignWord { of: "channel type", theirs: &["msteams", "ms-teams", "microsoft-teams"], ours: &["teams"], why: "" },
    ForeignWord { of: "channel type", theirs: &["http", "https", "url"], ours: &["webhook"], why: "" },
    ForeignWord { of: "mode", theirs: &["disabled", "disable", "inactive", "none", "false"], ours: &["off"], why: "" },
    ForeignWord { of: "mode", theirs: &["enabled", "enable", "active", "on", "true"], ours: &["alert"], why: "" },
    ForeignWord {
        of: "mode",
        theirs: &["staging", "staged", "test", "dry-run", "dryrun", "log", "quiet", "silent"],
        ours: &["stage"],
        why: ": findings are counted and logged, and not sent",
    },
];

/// What to write instead of a word of elsewhere. It is put right by machine where it can only mean one of ours, and nothing else has
/// to be done.
pub(super) fn instead_of_word(of: &str, written: &str, node: &Node<'_>) -> Option<Advice> {
    let folded = written.to_lowercase();
    let word = WORDS.iter().find(|word| word.of == of && word.theirs.contains(&folded.as_str()))?;
    let help = format!("write {}{}", alternatives(word.ours.iter().copied()), word.why);
    let fix = match word.ours {
        [ours] if word.why.is_empty() => Some(Fix::replace(&node.span, quoted(ours))),
        _ => None,
    };
    Some(Advice::new(help).with_fix(fix))
}

/// A key of elsewhere.
struct ForeignKey {
    /// The object that it stands in, as [`super::ObjectSpec::name`] says.
    of: &'static [&'static str],
    /// The keys.
    theirs: &'static [&'static str],
    says: KeySays,
}

/// What stands for a key of elsewhere.
enum KeySays {
    /// Another key, with the same value.
    Key(&'static str),
    /// For one value in JSON and another, these members.
    Members(&'static [(&'static str, &'static str)]),
    /// What these words say.
    Words(&'static str),
}

const RULES: &[&str] = &["Rule", "Override"];

const KEYS: [ForeignKey; 13] = [
    ForeignKey {
        of: RULES,
        theirs: &["enabled", "active", "enable"],
        says: KeySays::Members(&[("false", "\"mode\": \"off\""), ("true", "\"mode\": \"alert\"")]),
    },
    ForeignKey {
        of: RULES,
        theirs: &["disabled", "disable"],
        says: KeySays::Members(&[("true", "\"mode\": \"off\""), ("false", "\"mode\": \"alert\"")]),
    },
    ForeignKey { of: RULES, theirs: &["level", "risk_level", "risk"], says: KeySays::Key("severity") },
    ForeignKey { of: RULES, theirs: &["exceptions", "exception", "except", "exclude"], says: KeySays::Key("unless") },
    ForeignKey { of: RULES, theirs: &["channels", "channel", "destinations"], says: KeySays::Key("notify") },
    ForeignKey {
        of: &["Rule"],
        theirs: &["name"],
        says: KeySays::Words("write \"title\" for what people read, and \"id\" for what the rule is called"),
    },
    ForeignKey {
        of: &["Rule"],
        theirs: &["condition", "conditions", "detection", "match", "filter", "pattern"],
        says: KeySays::Words("write what is off limits in \"when\", such as {\"event\": {\"is\": \"StopLogging\"}}"),
    },
    ForeignKey {
        of: &["Rule"],
        theirs: &["references", "reference", "playbook", "documentation", "url"],
        says: KeySays::Words("write a link in \"runbook\", or a sentence in \"description\""),
    },
    ForeignKey { of: &["Exception"], theirs: &["comment", "why", "description"], says: KeySays::Key("reason") },
    ForeignKey {
        of: &["Exception"],
        theirs: &["until", "expiry", "expiration", "to", "end", "ends"],
        says: KeySays::Key("expires"),
    },
    ForeignKey { of: &["Exception"], theirs: &["start", "starts", "begin", "begins"], says: KeySays::Key("from") },
    ForeignKey { of: &["Throttle", "Threshold"], theirs: &["group_by", "groupby"], says: KeySays::Key("by") },
    ForeignKey {
        of: &["Throttle", "Threshold"],
        theirs: &["timeframe", "interval", "period", "minutes", "seconds"],
        says: KeySays::Words("write \"window\": a number and s, m or h, such as \"15m\""),
    },
];

/// What to write instead of a key of elsewhere. `is_free` tells whether a key of ours does not stand there yet.
pub(super) fn instead_of_key(of: &str, member: &Member<'_>, is_free: impl Fn(&str) -> bool) -> Option<Advice> {
    let folded = member.key.to_lowercase();
    let key = KEYS.iter().find(|key| key.of.contains(&of) && key.theirs.contains(&folded.as_str()))?;
    Some(match key.says {
        KeySays::Words(help) => help.into(),
        KeySays::Key(ours) => Advice::new(format!("write \"{ours}\""))
            .with_fix(is_free(ours).then(|| Fix::replace(&member.key_span, quoted(ours)))),
        KeySays::Members(pairs) => {
            let Some((_, ours)) = pairs.iter().find(|(value, _)| *value == member.node.compact()) else {
                let ours: Vec<&str> = pairs.iter().map(|(_, ours)| *ours).collect();
                return Some(format!("write {}", ours.join(" or ")).into());
            };
            let name = ours.split('"').nth(1).unwrap_or_default();
            let whole = member.key_span.start..member.node.span.end;
            Advice::new(format!("write {ours}")).with_fix(is_free(name).then(|| Fix::replace(&whole, *ours)))
        }
    })
}
