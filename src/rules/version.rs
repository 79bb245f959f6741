//! The versions of this product, by which packs date their rules.

use std::fmt;

use crate::config::TextFormat;

/// A version: `MAJOR.MINOR.PATCH`, as `offlimits --version` prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version([u32; 3]);

impl Version {
    /// Reads one; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.').map(|part| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'));
            is_number.then(|| part.parse().ok()).flatten()
        });
        let version = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then_some(Self(version))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.0;
        write!(f, "{major}.{minor}.{patch}")
    }
}

/// How a version is written.
pub(crate) static VERSION: TextFormat = TextFormat {
    what: "version",
    code: "bad-version",
    pattern: r"^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$",
    max_characters: None,
    fits: |text| Version::parse(text).is_some(),
    remedy: |_| "write a version of offlimits, such as 0.2.0: `offlimits --version` prints that of the tool".into(),
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let version = |text| Version::parse(text).unwrap();
        assert!(version("0.9.0") < version("0.10.0") && version("0.10.0") < version("1.0.0"));
        assert_eq!(version("10.2.3").to_string(), "10.2.3");
        for wrong in ["", "1", "1.2", "1.2.3.4", "1.2.x", "v1.2.3", "1.2.-3", "1.2.03", "1..3", "1.2.99999999999"] {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
    }
}
