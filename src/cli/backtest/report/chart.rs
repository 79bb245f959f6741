//! The chart of findings over time: its bars, in numbers.

use std::collections::BTreeMap;

use crate::cli::backtest::tally::SLOT;
use crate::time::{Date, Timestamp};

/// Widths of a bar, in seconds, of which the first that needs no more than [`BARS`] bars is taken.
const WIDTHS: [u64; 11] = [300, 900, 3600, 10_800, 21_600, 86_400, 259_200, 604_800, 2_419_200, 7_257_600, 31_449_600];
const BARS: u64 = 72;

/// Findings over time.
pub(super) struct Chart {
    /// Seconds of one bar.
    pub(super) width: u64,
    /// One after the other, without a gap.
    pub(super) bars: Vec<Bar>,
}

/// Findings of one stretch of time.
pub(super) struct Bar {
    /// Its first second, since 1970.
    pub(super) start: u64,
    /// By severity, the least first.
    pub(super) counts: [u64; 5],
}

impl Chart {
    /// From counts by slots of [`SLOT`] seconds.
    pub(super) fn from_slots(slots: &BTreeMap<u64, [u32; 5]>) -> Self {
        let (Some(first), Some(last)) = (slots.keys().next(), slots.keys().next_back()) else {
            return Self { width: WIDTHS[0], bars: Vec::new() };
        };
        let (first, last) = (first * SLOT, last * SLOT);
        let bars = |width: u64| last / width - first / width + 1;
        let width = WIDTHS.into_iter().find(|width| bars(*width) <= BARS).unwrap_or(WIDTHS[10]);
        let start = first / width;
        // Times are the caller's to a degree: a record of the year 9999 must not make a million bars.
        let count = bars(width).min(10 * BARS);
        let mut chart: Vec<Bar> =
            (start..start + count).map(|bar| Bar { start: bar * width, counts: [0; 5] }).collect();
        for (slot, counts) in slots {
            let place = usize::try_from(slot * SLOT / width - start).unwrap_or(usize::MAX);
            if let Some(bar) = chart.get_mut(place) {
                bar.counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
            }
        }
        Self { width, bars: chart }
    }

    /// The top of the scale: the least round number that no bar exceeds.
    pub(super) fn top(&self) -> u64 {
        let most = self.bars.iter().map(Bar::total).max().unwrap_or_default().max(1);
        let magnitude = 10_u64.pow(most.ilog10());
        [1, 2, 4, 5, 10].into_iter().map(|step| step * magnitude).find(|top| *top >= most).unwrap_or(most)
    }

    /// `2025-03-03 11:05`, or the day alone where a bar has a day or more.
    pub(super) fn label(&self, start: u64) -> String {
        let (day, minute) = (date_of(start), start % 86_400 / 60);
        if self.width >= 86_400 { day.to_string() } else { format!("{day} {:02}:{:02}", minute / 60, minute % 60) }
    }

    /// As [`Chart::label`], without the day where all bars are of one.
    pub(super) fn tick(&self, start: u64) -> String {
        let label = self.label(start);
        if self.is_one_day() { label[label.len() - 5..].to_owned() } else { label }
    }

    /// Whether all bars are of one day, and shorter than it.
    pub(super) fn is_one_day(&self) -> bool {
        let days = (self.bars.first().map(|bar| date_of(bar.start)), self.bars.last().map(|bar| date_of(bar.start)));
        self.width < 86_400 && days.0 == days.1
    }

    /// `5 minutes`
    pub(super) fn step(&self) -> String {
        let (number, unit) = match self.width {
            width if width < 3600 => (width / 60, "minute"),
            width if width < 86_400 => (width / 3600, "hour"),
            width => (width / 86_400, "day"),
        };
        if number == 1 { unit.to_owned() } else { format!("{number} {unit}s") }
    }
}

/// The day of a second since 1970.
fn date_of(seconds: u64) -> Date {
    Timestamp::from_millis(seconds.saturating_mul(1000)).date()
}

impl Bar {
    pub(super) fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_cover_every_finding_and_are_not_too_many() {
        for span in [1, 10, 100, 1000, 10_000, 100_000, 1_000_000] {
            let slots: BTreeMap<u64, [u32; 5]> =
                (0..=10).map(|n| (5_000_000 + n * span / 10, [1, 0, 0, 0, 2])).collect();
            let chart = Chart::from_slots(&slots);
            assert!((1..=72).contains(&chart.bars.len()), "{span}: {}", chart.bars.len());
            let counted: u64 = chart.bars.iter().map(Bar::total).sum();
            assert_eq!(counted, 3 * slots.len() as u64, "{span}");
            assert!(chart.bars.iter().all(|bar| bar.total() <= chart.top()));
        }
        assert!(Chart::from_slots(&BTreeMap::new()).bars.is_empty());
        let odd = BTreeMap::from([(0, [1; 5]), (840_000_000, [1; 5])]);
        assert!(Chart::from_slots(&odd).bars.len() <= 720);
    }

    #[test]
    fn labels_say_as_much_as_the_bars_do() {
        let chart = |width: u64| Chart { width, bars: vec![Bar { start: 0, counts: [0, 0, 0, 0, 37] }] };
        assert_eq!(
            (chart(300).label(1_741_000_500), chart(300).step()),
            ("2025-03-03 11:15".into(), "5 minutes".into())
        );
        assert_eq!((chart(86_400).label(1_741_000_500), chart(86_400).step()), ("2025-03-03".into(), "day".into()));
        assert_eq!(chart(300).top(), 40);
    }
}
