//! Tables as a package holds them: bytes that are used where they stand, so that a start copies nothing and allocates nothing for
//! a rule. A table that the tool has just made owns its bytes; one of a package borrows them, and both are read the same way.
//!
//! The form is each value behind the one before it, all numbers with the lowest byte first: a number as four or eight bytes, and a
//! table as its number of entries and then the entries. [`Unpacker`] looks at those lengths alone, once; every later look is checked
//! against the table's end like that of any other slice.

use std::borrow::Cow;
use std::ops::Deref;

/// What a package holds as it stands in memory.
pub(crate) trait Packed: Sized {
    /// Appends it.
    fn pack(&self, into: &mut Vec<u8>);

    /// The next thing in a package; `None` if the package ends before it does.
    fn unpack(from: &mut Unpacker) -> Option<Self>;
}

/// Packs and unpacks a struct by its fields, in this order.
macro_rules! packed_struct {
    ($name:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::engine::Packed for $name {
            fn pack(&self, into: &mut Vec<u8>) {
                $($crate::engine::Packed::pack(&self.$field, into);)+
            }

            fn unpack(from: &mut $crate::engine::Unpacker) -> Option<Self> {
                $(let $field = $crate::engine::Packed::unpack(from)?;)+
                Some(Self { $($field),+ })
            }
        }
    };
}
pub(crate) use packed_struct;

/// Reads a package from its beginning.
#[derive(Debug)]
pub(crate) struct Unpacker(&'static [u8]);

impl Unpacker {
    /// Reads these bytes.
    pub(crate) fn new(bytes: &'static [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub(crate) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, length: usize) -> Option<&'static [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// A table whose entries have `N` bytes each.
#[derive(Debug, Clone)]
pub(crate) struct Table<const N: usize>(Cow<'static, [[u8; N]]>);

/// An array of numbers.
pub(crate) type PackedU32s = Table<4>;

impl<const N: usize> Table<N> {
    /// The entries, to be changed. Those of a package are copied first.
    pub(super) fn to_mut(&mut self) -> &mut Vec<[u8; N]> {
        self.0.to_mut()
    }
}

impl<const N: usize> Default for Table<N> {
    fn default() -> Self {
        Self(Cow::Borrowed(&[]))
    }
}

impl<const N: usize> Deref for Table<N> {
    type Target = [[u8; N]];

    #[inline]
    fn deref(&self) -> &[[u8; N]] {
        &self.0
    }
}

impl<const N: usize> From<Vec<[u8; N]>> for Table<N> {
    fn from(entries: Vec<[u8; N]>) -> Self {
        Self(Cow::Owned(entries))
    }
}

impl<const N: usize> Packed for Table<N> {
    fn pack(&self, into: &mut Vec<u8>) {
        length(self.len()).pack(into);
        into.extend_from_slice(self.as_flattened());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        let count = u32::unpack(from)? as usize;
        let bytes = from.take(count.checked_mul(N)?)?;
        Some(Self(Cow::Borrowed(bytes.as_chunks().0)))
    }
}

impl From<Vec<u32>> for PackedU32s {
    fn from(numbers: Vec<u32>) -> Self {
        numbers.into_iter().map(u32::to_le_bytes).collect::<Vec<_>>().into()
    }
}

/// Bytes, such as those of a text.
#[derive(Debug, Default, Clone)]
pub(crate) struct PackedBytes(Cow<'static, [u8]>);

impl Deref for PackedBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for PackedBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Cow::Owned(bytes))
    }
}

impl Packed for PackedBytes {
    fn pack(&self, into: &mut Vec<u8>) {
        length(self.len()).pack(into);
        into.extend_from_slice(self);
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        let count = u32::unpack(from)? as usize;
        Some(Self(Cow::Borrowed(from.take(count)?)))
    }
}

impl Packed for u16 {
    fn pack(&self, into: &mut Vec<u8>) {
        into.extend(self.to_le_bytes());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(Self::from_le_bytes(*from.take(2)?.first_chunk()?))
    }
}

impl Packed for u32 {
    fn pack(&self, into: &mut Vec<u8>) {
        into.extend(self.to_le_bytes());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(Self::from_le_bytes(*from.take(4)?.first_chunk()?))
    }
}

impl Packed for u64 {
    fn pack(&self, into: &mut Vec<u8>) {
        into.extend(self.to_le_bytes());
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        Some(Self::from_le_bytes(*from.take(8)?.first_chunk()?))
    }
}

impl<T: Packed> Packed for Vec<T> {
    fn pack(&self, into: &mut Vec<u8>) {
        length(self.len()).pack(into);
        self.iter().for_each(|thing| thing.pack(into));
    }

    fn unpack(from: &mut Unpacker) -> Option<Self> {
        let count = u32::unpack(from)?;
        (0..count).map(|_| T::unpack(from)).collect()
    }
}

/// Numbers of a table, of four bytes each.
#[inline]
pub(crate) fn numbers(entries: &[[u8; 4]]) -> impl DoubleEndedIterator<Item = u32> + ExactSizeIterator + Clone {
    entries.iter().map(|entry| u32::from_le_bytes(*entry))
}

/// A number of a table. It ends the program where there is none, as an index does.
#[inline]
pub(crate) fn number(entries: &[[u8; 4]], place: usize) -> u32 {
    u32::from_le_bytes(entries[place])
}

/// A length in 32 bits. A Lambda function could not even hold rules whose literals are longer than 4 GiB together.
pub(super) fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    struct Both {
        numbers: PackedU32s,
        bytes: PackedBytes,
        sum: u64,
    }
    packed_struct!(Both { numbers, bytes, sum });

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(
            some in prop::collection::vec(any::<u32>(), 0..20),
            text in prop::collection::vec(any::<u8>(), 0..20),
            sum: u64,
        ) {
            let both = vec![Both { numbers: some.clone().into(), bytes: text.clone().into(), sum }];
            let mut packed = Vec::new();
            both.pack(&mut packed);
            let packed: &'static [u8] = packed.leak();
            let mut unpacker = Unpacker::new(packed);
            let read = Vec::<Both>::unpack(&mut unpacker).unwrap();
            prop_assert!(unpacker.is_at_end());
            prop_assert!(numbers(&read[0].numbers).eq(some) && *read[0].bytes == *text && read[0].sum == sum);
            // What is cut off is missed.
            for end in 0..packed.len() {
                prop_assert!(Vec::<Both>::unpack(&mut Unpacker::new(&packed[..end])).is_none());
            }
        }
    }

    #[test]
    fn a_length_that_no_package_has_is_not_believed() {
        assert!(Table::<32>::unpack(&mut Unpacker::new(&[0xff; 40])).is_none());
        assert!(Vec::<PackedBytes>::unpack(&mut Unpacker::new(&[0xff; 40])).is_none());
    }
}
