//! Patterns in which `*` is meant as in the names of files, and what is meant.

/// The pattern that a text with wildcards means, if it looks like one: `Run*` → `^Run`.
pub(crate) fn pattern_meant(written: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:/@ ".contains(c);
    let bare = written.trim_start_matches('^').trim_end_matches('$');
    // `.*` is a regular expression's; a name with dots and a star of its own is not.
    let is_wildcard = bare.contains('*')
        && !bare.contains(".*")
        && bare.chars().all(|c| plain(c) || c == '*' || c == '.')
        && bare.chars().any(|c| c.is_ascii_alphanumeric());
    if !is_wildcard {
        return None;
    }
    let starts = if bare.starts_with('*') { "" } else { "^" };
    let ends = if bare.ends_with('*') { "" } else { "$" };
    let inner = bare.trim_matches('*').replace('.', "\\.").replace('*', ".*");
    Some(format!("{starts}{inner}{ends}"))
}

#[cfg(test)]
mod tests {
    use super::pattern_meant;

    #[test]
    fn wildcards_are_told_from_regular_expressions() {
        for (written, pattern) in [
            ("Run*", "^Run"),
            ("^Delete*", "^Delete"),
            ("*Instances", "Instances$"),
            ("*Bucket*", "Bucket"),
            ("Put*Policy", "^Put.*Policy$"),
            ("s3*.amazonaws.com", "^s3.*\\.amazonaws\\.com$"),
            ("arn:aws:iam::*:role/admin", "^arn:aws:iam::.*:role/admin$"),
        ] {
            assert_eq!(pattern_meant(written).as_deref(), Some(pattern), "{written}");
        }
        for pattern in ["^Run", "Run.*", "^(Run).*", "a|b*", "[ab]*", "\\d*", "*", "Run", ".*Bucket*"] {
            assert_eq!(pattern_meant(pattern), None, "{pattern}");
        }
    }
}
