//! Numbers as JSON writes them, compared digit by digit: no rounding at 2^53, no overflow at 10^308.

use std::cmp::Ordering;

/// A number of JSON's grammar. Two are equal if they are the same number, however they are spelt: `70`, `70.0` and `7E1`.
#[derive(Debug, Clone)]
pub struct Decimal {
    /// As it was written.
    written: Box<str>,
    negative: bool,
    /// The number is 0.`digits` × 10^`exponent`. There are no leading and no trailing zeros; zero has no digits.
    digits: Box<[u8]>,
    exponent: i128,
}

/// What an exponent of more digits than these counts as. (Nobody writes one: where there are so many digits, only the sign of
/// the exponent matters.)
const HUGE: i128 = i128::MAX / 4;

impl Decimal {
    /// Reads a number of JSON's grammar ([RFC 8259, section 6](https://www.rfc-editor.org/rfc/rfc8259#section-6)); `None` for
    /// anything else. `012`, an account's number say, is not one: its digits count.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        // Most texts that are asked about are no numbers.
        if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit());
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            None => (unsigned, 0),
            Some((mantissa, exponent)) => {
                let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
                if !all_digits(digits) {
                    return None;
                }
                let size = digits.parse::<i128>().unwrap_or(HUGE).min(HUGE);
                (mantissa, if exponent.starts_with('-') { -size } else { size })
            }
        };
        let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
        let leads_with_zero = whole.len() > 1 && whole.starts_with('0');
        if !all_digits(whole) || leads_with_zero || fraction.is_some_and(|fraction| !all_digits(fraction)) {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.unwrap_or_default().bytes()).collect();
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(zeros, |last| last + 1);
        let point = i128::try_from(whole.len()).ok()? - i128::try_from(zeros).ok()?;
        Some(Self { written: text.into(), negative, digits: digits[zeros..end].into(), exponent: exponent + point })
    }

    /// As it was written.
    pub fn written(&self) -> &str {
        &self.written
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let reversed = |order: Ordering, reversed: bool| if reversed { order.reverse() } else { order };
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => reversed(Ordering::Less, other.negative),
            (false, true) => reversed(Ordering::Greater, self.negative),
            (false, false) if self.negative != other.negative => reversed(Ordering::Greater, self.negative),
            // Of both the first digit is not 0.
            (false, false) => {
                let sizes = self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
                reversed(sizes, self.negative)
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Decimal {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn numbers_compare_exactly() {
        let ordered = [
            "-1e400",
            "-10",
            "-9.5",
            "-0.1",
            "0",
            "1e-400",
            "0.1",
            "9",
            "9.50001",
            "10",
            "9007199254740993",
            "1e400",
            "1e99999999999999999998",
            "1e99999999999999999999",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(number(a).cmp(&number(b)), i.cmp(&j), "{a} {b}");
            }
        }
        for (a, b) in [("1.0", "1"), ("100", "1e2"), ("0", "-0.0"), ("0", "0E1"), ("0.010", "1e-2"), ("70", "7E+1")] {
            assert_eq!(number(a), number(b), "{a} {b}");
        }
    }

    #[test]
    fn only_what_json_calls_a_number_is_one() {
        for other in
            ["", "-", "1.", ".5", "0x1", "1e", "NaN", "1 ", "+1", "01", "-00", "012345678901", "1e+", "1.e1", "é"]
        {
            assert!(Decimal::parse(other).is_none(), "{other:?}");
        }
    }

    /// One of the spellings of a number: zeros behind the point, the point moved by the exponent.
    fn spelt(digits: u64, negative: bool, zeros: usize, shift: i32, letter: char) -> String {
        let sign = if negative { "-" } else { "" };
        let zeros_behind = "0".repeat(zeros);
        match shift {
            0 if zeros == 0 => format!("{sign}{digits}"),
            0 => format!("{sign}{digits}.{zeros_behind}"),
            1.. => {
                let places = shift.unsigned_abs() as usize;
                let padded = format!("{digits:0width$}", width = places + 1);
                let (whole, fraction) = padded.split_at(padded.len() - places);
                format!("{sign}{whole}.{fraction}{zeros_behind}{letter}{shift}")
            }
            _ => format!("{sign}{}{letter}{shift}", u128::from(digits) * 10_u128.pow(shift.unsigned_abs())),
        }
    }

    proptest! {
        #[test]
        fn every_spelling_of_a_number_is_that_number(
            (one, other) in prop_oneof![(0_u64..20, 0_u64..20), (any::<u64>(), any::<u64>())],
            (negative, zeros) in (any::<bool>(), 0_usize..5),
            (shift, letter) in (-6_i32..7, prop_oneof![Just('e'), Just('E')]),
        ) {
            let (one, other) = (i128::from(one), i128::from(other));
            let spelling = spelt(u64::try_from(one).unwrap(), negative, zeros, shift, letter);
            let value = if negative { -one } else { one };
            prop_assert_eq!(number(&spelling).cmp(&number(&other.to_string())), value.cmp(&other), "{} {}", spelling, other);
        }
    }
}
