//! What people call accounts, and the organizational unit of each: from `accounts.json` beside the rules.
//!
//! An organization may have tens of thousands of accounts, and most events match nothing. So the names travel beside the rules
//! as a table, `accounts.index`, that is never read whole: whoever has a finding searches it for one account, and a start reads
//! nothing of it. [`table`] writes it, and [`Accounts`] reads it, from memory or from a file.
//!
//! The table holds, one after the other, all numbers with the lowest byte first:
//!
//! ```text
//! HEAD      the kind of the file and the version of this form
//! u32       how many accounts
//! 20 bytes  for each account, by ascending id: u64 id, u32 and u32 where its name and its unit begin among the texts,
//!           u16 and u16 how many bytes these have
//! texts     UTF-8, each of them once
//! ```

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::sync::Arc;

use super::account_id::account_number;

/// The name of the file that people write, beside `rules.json`.
pub const FILE: &str = "accounts.json";
/// The name of the table that is made of it, beside a bundle.
pub const TABLE: &str = "accounts.index";
/// The most characters of a name, or of a unit. Organizations allows 50 of an account's name, and 128 of each of five units.
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html>
pub const MAX_CHARACTERS: usize = 700;
/// What stands between a unit and one inside it.
pub const INSIDE: char = '/';

const HEAD: &[u8] = b"offlimits accounts 1\n";
/// Where the first entry begins.
const ENTRIES: usize = HEAD.len() + 4;
/// Bytes of an entry.
const ENTRY: usize = 20;

/// What is known of one account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountFacts {
    /// What people call it: `production`.
    pub name: String,
    /// The organizational unit that it is in, with those around it, the outermost first: `Workloads/Prod`. `None` directly
    /// below the root, and where nobody says.
    pub unit: Option<String>,
}

/// What a field asks of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccountFact {
    /// [`AccountFacts::name`].
    Name,
    /// [`AccountFacts::unit`].
    Unit,
}

/// The names of accounts. Clones share them.
#[derive(Clone)]
pub struct Accounts(Arc<dyn TableBytes>);

/// Where the bytes of a table are.
pub trait TableBytes: Send + Sync {
    /// Fills the buffer with the bytes from `offset` on.
    ///
    /// # Errors
    /// They cannot be read, or the table ends before.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// Why a table does not tell an account's name.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountsError {
    /// It cannot be read.
    #[error("{TABLE} cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It holds something else than [`table`] writes.
    #[error("{TABLE} is damaged, or another version's")]
    Damaged,
}

impl TableBytes for Vec<u8> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).ok();
        let bytes = start.and_then(|start| self.get(start..start.checked_add(buffer.len())?));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Whether a unit is this one, or inside it.
pub fn is_within(unit: &str, outer: &str) -> bool {
    unit.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with(INSIDE))
}

/// The table of these accounts, by their [numbers](account_number). Texts beyond [`MAX_CHARACTERS`] are for whoever reads them
/// to refuse; here they would be cut.
pub fn table(accounts: &BTreeMap<u64, AccountFacts>) -> Vec<u8> {
    let mut places: HashMap<&str, u32> = HashMap::new();
    let mut texts = String::new();
    let mut entries = Vec::with_capacity(accounts.len() * ENTRY);
    for (number, AccountFacts { name, unit }) in accounts {
        let unit = unit.as_deref().unwrap_or_default();
        let [name_at, unit_at] = [name.as_str(), unit].map(|text| {
            *places.entry(text).or_insert_with(|| {
                let at = u32::try_from(texts.len()).unwrap_or(u32::MAX);
                texts.push_str(text);
                at
            })
        });
        entries.extend(number.to_le_bytes());
        entries.extend(name_at.to_le_bytes());
        entries.extend(unit_at.to_le_bytes());
        for text in [name.as_str(), unit] {
            entries.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
    }
    let count = u32::try_from(accounts.len()).unwrap_or(u32::MAX).to_le_bytes();
    [HEAD, &count, &entries, texts.as_bytes()].concat()
}

/// An entry of the table, but for the texts.
struct Entry {
    number: u64,
    name: (u64, usize),
    unit: (u64, usize),
}

impl Accounts {
    /// The accounts of a table, which is read where somebody asks.
    pub fn new(bytes: impl TableBytes + 'static) -> Self {
        Self(Arc::new(bytes))
    }

    /// What is known of the account of this id; `None` if it is not among them.
    ///
    /// # Errors
    /// The table does not tell.
    pub fn get(&self, id: &str) -> Result<Option<AccountFacts>, AccountsError> {
        let Some(number) = account_number(id) else { return Ok(None) };
        let count = self.count()?;
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = self.entry(middle, count)?;
            match entry.number.cmp(&number) {
                std::cmp::Ordering::Equal => return self.facts(&entry).map(Some),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        Ok(None)
    }

    /// One fact of an account. A table that does not tell is noted in the log, and counts as one that does not have it.
    pub fn fact(&self, id: &str, fact: AccountFact) -> Option<String> {
        let facts = self.get(id).inspect_err(log_unreadable).ok()??;
        match fact {
            AccountFact::Name => Some(facts.name),
            AccountFact::Unit => facts.unit,
        }
    }

    /// All of them, by ascending ids.
    ///
    /// # Errors
    /// The table does not tell.
    pub fn all(&self) -> Result<BTreeMap<u64, AccountFacts>, AccountsError> {
        let count = self.count()?;
        let entry = |place| {
            let entry = self.entry(place, count)?;
            Ok((entry.number, self.facts(&entry)?))
        };
        (0..count).map(entry).collect()
    }

    fn count(&self) -> Result<u64, AccountsError> {
        let mut head = [0; ENTRIES];
        self.0.read_at(0, &mut head)?;
        let (kind, count) = head.split_at(HEAD.len());
        let count: [u8; 4] = count.try_into().map_err(|_| AccountsError::Damaged)?;
        if kind == HEAD { Ok(u32::from_le_bytes(count).into()) } else { Err(AccountsError::Damaged) }
    }

    fn entry(&self, place: u64, count: u64) -> Result<Entry, AccountsError> {
        let mut bytes = [0; ENTRY];
        self.0.read_at(start_of(place), &mut bytes)?;
        let texts = start_of(count);
        let number =
            |range: std::ops::Range<usize>| bytes[range].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let text = |at: usize, length: usize| {
            (texts + number(at..at + 4), usize::from(bytes[length]) | usize::from(bytes[length + 1]) << 8)
        };
        Ok(Entry { number: number(0..8), name: text(8, 16), unit: text(12, 18) })
    }

    fn facts(&self, entry: &Entry) -> Result<AccountFacts, AccountsError> {
        let (name, unit) = (self.text(entry.name)?, self.text(entry.unit)?);
        Ok(AccountFacts { name, unit: Some(unit).filter(|unit| !unit.is_empty()) })
    }

    fn text(&self, (at, length): (u64, usize)) -> Result<String, AccountsError> {
        let mut text = vec![0; length];
        self.0.read_at(at, &mut text)?;
        String::from_utf8(text).map_err(|_| AccountsError::Damaged)
    }
}

/// Where the entry of this place begins; behind the last one, the texts.
const fn start_of(place: u64) -> u64 {
    ENTRIES as u64 + place * ENTRY as u64
}

/// Notes that a table does not tell. Whoever asked goes on without the name.
pub(crate) fn log_unreadable(error: &AccountsError) {
    tracing::error!(reason = %error, "the names of accounts are missing: package the rules again");
}

impl PartialEq for Accounts {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Accounts {}

impl fmt::Debug for Accounts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Accounts").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(number: u64) -> BTreeMap<u64, AccountFacts> {
        let facts = |place: u64| AccountFacts {
            name: format!("konto {place} é"),
            unit: (!place.is_multiple_of(3)).then(|| format!("Workloads/{}", place % 7)),
        };
        (0..number).map(|place| (place * place * 1_000_003, facts(place))).collect()
    }

    #[test]
    fn each_account_is_found_and_no_other() {
        for count in [0, 1, 2, 3, 1000] {
            let known = accounts(count);
            let accounts = Accounts::new(table(&known));
            assert_eq!(accounts.all().unwrap(), known);
            for (number, facts) in &known {
                assert_eq!(accounts.get(&format!("{number:012}")).unwrap().as_ref(), Some(facts));
                assert_eq!(accounts.get(&format!("{:012}", number + 1)).unwrap(), known.get(&(number + 1)).cloned());
            }
        }
        let accounts = Accounts::new(table(&accounts(9)));
        for id in ["", "0", "00000000000a", "0000000000000", "-00000000001", "999999999999"] {
            assert_eq!(accounts.get(id).unwrap(), None, "{id}");
        }
    }

    #[test]
    fn a_table_that_ends_early_is_an_error_and_no_missing_account() {
        let table = table(&accounts(50));
        let last = format!("{:012}", 49_u64 * 49 * 1_000_003);
        for end in 0..table.len() {
            let accounts = Accounts::new(table[..end].to_vec());
            assert!(accounts.get(&last).is_err(), "{end} of {}", table.len());
            assert_eq!(accounts.fact(&last, AccountFact::Name), None);
        }
        assert!(matches!(Accounts::new(vec![b'x'; 100]).get(&last), Err(AccountsError::Damaged)));
    }

    #[test]
    fn a_unit_is_within_itself_and_those_around_it() {
        assert!(is_within("Workloads/Prod", "Workloads/Prod") && is_within("Workloads/Prod", "Workloads"));
        assert!(!is_within("Workloads", "Workloads/Prod") && !is_within("Workloads2/Prod", "Workloads"));
    }
}
