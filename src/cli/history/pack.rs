//! Puts blocks together to parts.

use super::part::Part;
use super::survey::Block;
use crate::ids::StableId;
use crate::scan::layout;

/// Ranges of one part: an execution of Step Functions takes 256 KiB of input, and a range is some 150 bytes.
const RANGES: usize = 400;

/// How large a part may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct PackBounds {
    pub(super) bytes: u64,
    pub(super) objects: u64,
}

/// Puts neighbours together until a part is full. Parts end with an account's month, so that further days change no part but the last.
///
/// Where a month is estimated, it is one part, or each of its days is: where the parts end must not hang on which days were listed.
pub(super) fn pack(bucket: &str, filter: &str, blocks: Vec<Block>, bounds: PackBounds) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut blocks = blocks.into_iter().peekable();
    while let Some(first) = blocks.next() {
        let mut month = vec![first];
        while let Some(block) = blocks.next_if(|block| block.group == month[0].group) {
            month.push(block);
        }
        let is_exact = month.iter().all(|block| block.exact);
        let fits = |blocks: &[Block], with: &Block| {
            let bytes: u64 = blocks.iter().map(|block| block.bytes).sum();
            let objects: u64 = blocks.iter().map(|block| block.objects).sum();
            blocks.len() < RANGES && bytes + with.bytes <= bounds.bytes && objects + with.objects <= bounds.objects
        };
        let whole: u64 = month.iter().map(|block| block.bytes).sum();
        let is_small = whole <= bounds.bytes;
        let mut open: Vec<Block> = Vec::new();
        for block in month {
            let goes_along = if is_exact { fits(&open, &block) } else { is_small && open.len() < RANGES };
            if !open.is_empty() && !goes_along {
                parts.push(part(bucket, filter, std::mem::take(&mut open)));
            }
            open.push(block);
        }
        parts.push(part(bucket, filter, open));
    }
    parts
}

fn part(bucket: &str, filter: &str, blocks: Vec<Block>) -> Part {
    // Of the folder of a day everything is read: the filter has chosen the day.
    let is_chosen_by_folder = blocks.iter().all(|block| layout::is_day(&block.range.prefix));
    let mut id = vec![bucket, if is_chosen_by_folder { "" } else { filter }];
    for block in &blocks {
        let range = &block.range;
        id.extend([range.prefix.as_str(), range.after.as_deref().unwrap_or_default()]);
        id.extend([range.through.as_deref().unwrap_or_default(), block.digest.as_deref().unwrap_or_default()]);
    }
    Part {
        id: StableId::hash(&id).as_str()[..24].to_owned(),
        objects: blocks.iter().map(|block| block.objects).sum(),
        bytes: blocks.iter().map(|block| block.bytes).sum(),
        exact: blocks.iter().all(|block| block.exact),
        ranges: blocks.into_iter().map(|block| block.range).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::s3::KeyRange;

    const BOUNDS: PackBounds = PackBounds { bytes: 100, objects: 50 };

    fn day(month: &str, day: u32, bytes: u64, exact: bool) -> Block {
        let group = format!("AWSLogs/111122223333/CloudTrail/eu-west-1/2025/{month}");
        let range = KeyRange::of_prefix(format!("{group}/{day:02}/"));
        Block { range, objects: 10, bytes, digest: None, exact, group }
    }

    fn days(parts: &[Part]) -> Vec<usize> {
        parts.iter().map(|part| part.ranges.len()).collect()
    }

    #[test]
    fn days_go_together_until_a_part_is_full_and_a_month_ends_one() {
        let blocks: Vec<Block> = (1..=7).map(|number| day("01", number, 30, true)).collect();
        assert_eq!(days(&pack("b", "", blocks.clone(), BOUNDS)), [3, 3, 1]);
        let mut with_next: Vec<Block> = blocks;
        with_next.push(day("02", 1, 1, true));
        assert_eq!(days(&pack("b", "", with_next, BOUNDS)), [3, 3, 1, 1]);
        let small: Vec<Block> = (1..=12).map(|number| day("01", number, 1, true)).collect();
        assert_eq!(days(&pack("b", "", small, BOUNDS)), [5, 5, 2], "objects count, too");
    }

    #[test]
    fn further_days_leave_the_parts_before_them_as_they_were() {
        let blocks = |last: u32| -> Vec<Block> { (1..=last).map(|number| day("01", number, 30, true)).collect() };
        let (before, after) = (pack("b", "", blocks(7), BOUNDS), pack("b", "", blocks(9), BOUNDS));
        assert_eq!(before[..2], after[..2]);
        assert_ne!(before[2].id, after[2].id);
    }

    #[test]
    fn where_it_is_estimated_parts_do_not_hang_on_which_days_were_listed() {
        let month = |listed: u32, bytes: u64| -> Vec<String> {
            let blocks = (1..=9).map(|number| day("01", number, bytes, number == listed)).collect();
            pack("b", "", blocks, BOUNDS).into_iter().map(|part| part.id).collect()
        };
        assert_eq!(month(1, 5).len(), 1);
        assert_eq!(month(1, 5), month(2, 6));
        assert_eq!(month(1, 50).len(), 9);
    }

    #[test]
    fn the_filter_of_names_is_part_of_what_no_folder_decides() {
        let id = |prefix: &str, filter: &str| {
            let block = Block { range: KeyRange::of_prefix(prefix), ..day("01", 1, 1, true) };
            pack("b", filter, vec![block], BOUNDS).remove(0).id
        };
        assert_ne!(id("odd/", "a"), id("odd/", "b"));
        let day = "AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/01/";
        assert_eq!(id(day, "a"), id(day, "b"));
    }
}
