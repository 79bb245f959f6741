//! The ids of accounts.

/// Whether a text is the id of an account: twelve digits, zeros at its beginning included
/// (<https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>).
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An account's id as a number, if the text is one.
pub fn account_number(text: &str) -> Option<u64> {
    is_account_id(text).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_twelve_digits() {
        assert!(is_account_id("012345678901"));
        for text in ["", "12345678901", "1234567890123", "12345678901x", "１23456789012", "aws"] {
            assert!(!is_account_id(text), "{text}");
        }
        assert_eq!(account_number("000000000012"), Some(12));
        assert_eq!(account_number("+00000000012"), None);
    }
}
