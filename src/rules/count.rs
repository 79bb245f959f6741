//! How many values a field must have.

/// What `count` asks of the number of a field's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// It is one of these.
    Is(Vec<u64>),
    /// It is above this one.
    Above(u64),
    /// It is below this one.
    Below(u64),
}

impl Count {
    /// The largest number that it may be compared with: a record of CloudTrail's has at most 256 KiB.
    pub const MOST: u64 = 100_000;

    /// Whether so many values are right.
    pub fn accepts(&self, count: u64) -> bool {
        match self {
            Self::Is(counts) => counts.contains(&count),
            Self::Above(bound) => count > *bound,
            Self::Below(bound) => count < *bound,
        }
    }

    /// Whether every number that this accepts is one that `wide` accepts.
    #[cfg(feature = "cli")]
    pub(crate) fn implies(&self, wide: &Self) -> bool {
        match self {
            Self::Is(counts) => counts.iter().all(|count| wide.accepts(*count)),
            Self::Above(bound) => matches!(wide, Self::Above(wide) if wide <= bound),
            Self::Below(bound) => (0..*bound).all(|count| wide.accepts(count)),
        }
    }

    /// The same with one more or one fewer let in at its bound; `None` where it has no bound to move.
    #[cfg(feature = "cli")]
    pub(crate) fn wider(&self) -> Option<Self> {
        match self {
            Self::Is(_) => None,
            Self::Above(bound) => bound.checked_sub(1).map(Self::Above),
            Self::Below(bound) => Some(Self::Below(bound + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count() -> impl Strategy<Value = Count> {
        prop_oneof![
            prop::collection::vec(0..6_u64, 1..4).prop_map(Count::Is),
            (0..6_u64).prop_map(Count::Above),
            (1..6_u64).prop_map(Count::Below),
        ]
    }

    proptest! {
        #[test]
        fn what_implies_accepts_no_more(narrow in count(), wide in count()) {
            // Beyond the largest bound nothing changes any more.
            let is_within = (0..10).all(|number| !narrow.accepts(number) || wide.accepts(number));
            prop_assert_eq!(narrow.implies(&wide), is_within);
        }

        #[test]
        fn what_is_wider_accepts_one_number_more(narrow in count()) {
            let Some(wide) = narrow.wider() else { return Ok(()) };
            prop_assert!(narrow.implies(&wide));
            prop_assert_eq!((0..10).filter(|number| wide.accepts(*number) && !narrow.accepts(*number)).count(), 1);
        }
    }
}
