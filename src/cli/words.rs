//! What commands say alike: numbers with their noun and with commas, and that there is nothing of a name.

use crate::config::suggestion;

/// A number and its noun, which gets an `s` unless there is exactly one: `1 rule`, `2 rules`, `1,500 such days`.
pub(super) fn counted(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A number with commas between its thousands: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut parts: Vec<&str> = Vec::new();
    if first > 0 {
        parts.push(&digits[..first]);
    }
    parts.extend((first..digits.len()).step_by(3).map(|place| &digits[place..place + 3]));
    parts.join(",")
}

/// Whether a thing of this name is there, if one is asked for; says on stderr which are, where it is not.
pub(super) fn is_there(what: &str, name: Option<&str>, names: &[&str]) -> bool {
    let Some(name) = name.filter(|name| !names.contains(name)) else { return true };
    let meant =
        suggestion(name, names.iter().copied()).map(|near| format!(": {}", near.question())).unwrap_or_default();
    eprintln!("error: there is no {what} \"{name}\"{meant}");
    eprintln!("help: {}", those_there(what, names));
    false
}

/// The most names that a sentence lists.
const NAMES: usize = 20;

/// `the channels are mail, pager and topic`; of many the first, and how many more there are.
fn those_there(what: &str, names: &[&str]) -> String {
    match names {
        [] => format!("rules.json has no {what} at all"),
        [only] => format!("the only {what} is {only}"),
        [all @ .., last] if names.len() <= NAMES => format!("the {what}s are {} and {last}", all.join(", ")),
        _ => {
            let more = grouped((names.len() - NAMES) as u64);
            format!("the {what}s are {} and {more} more", names[..NAMES].join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_is_there_is_told_in_a_sentence() {
        assert_eq!(those_there("channel", &[]), "rules.json has no channel at all");
        assert_eq!(those_there("channel", &["topic"]), "the only channel is topic");
        assert_eq!(those_there("channel", &["a", "b", "c"]), "the channels are a, b and c");
        let many = ["x"; 1021];
        assert!(those_there("rule", &many).ends_with(" x, x and 1,001 more"));
    }

    #[test]
    fn one_alone_has_no_plural() {
        assert_eq!(counted(0_usize, "rule"), "0 rules");
        assert_eq!(counted(1_usize, "rule"), "1 rule");
        assert_eq!(counted(1500_u64, "such day"), "1,500 such days");
    }
}
