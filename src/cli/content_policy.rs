//! What the pages that commands write may do: nothing but show themselves.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};

/// The policy of a page with this style and this script: nothing else may take effect, nor be fetched, not even what an error of ours
/// let through. Source: <https://www.w3.org/TR/CSP3/>.
pub(super) fn content_policy(style: &str, script: Option<&str>) -> String {
    let script = script.map_or_else(|| "'none'".to_owned(), |script| format!("'sha256-{}'", hash(script)));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src {script}; base-uri 'none'; form-action 'none'",
        hash(style)
    )
}

/// SHA-256, as a policy names it.
fn hash(text: &str) -> String {
    BASE64.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_as_policies_have_them() {
        // openssl dgst -sha256 -binary | base64, of the empty text and of "abc".
        assert_eq!(hash(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
        assert_eq!(hash("abc"), "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
        assert!(content_policy("", None).contains("script-src 'none';"));
    }
}
