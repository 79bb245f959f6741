//! The version of an API in the name of a call.

/// A name without the date of its API: `UpdateFunctionCode20150331v2` → `UpdateFunctionCode`.
pub(crate) fn without_version(name: &str) -> &str {
    let unversioned = name.rsplit_once('v').filter(|(_, version)| is_digits(version)).map_or(name, |(rest, _)| rest);
    let date = |text: &str| match text.len() {
        8 => is_digits(text),
        10 => text.split('_').map(str::len).eq([4, 2, 2]) && text.split('_').all(is_digits),
        _ => false,
    };
    [8, 10]
        .into_iter()
        .filter_map(|length| unversioned.split_at_checked(unversioned.len().checked_sub(length)?))
        .find(|(name, end)| !name.is_empty() && date(end))
        .map_or(name, |(name, _)| name)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_names() {
        for (name, plain) in [
            ("UpdateFunctionCode20150331v2", "UpdateFunctionCode"),
            ("CreateFunction20150331", "CreateFunction"),
            ("CreateFunction2020_05_31", "CreateFunction"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("CreateVpc", "CreateVpc"),
            ("GetP12345678x", "GetP12345678x"),
            ("20150331", "20150331"),
            ("Éé20150331v", "Éé20150331v"),
        ] {
            assert_eq!(without_version(name), plain);
        }
    }
}
