//! A value that is worked out of a record, and the record's memory of such values: however many rules ask for one, it is worked
//! out once.

use std::sync::OnceLock;

/// One value that is worked out of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactValue {
    /// The value in its canonical form, which conditions compare and people read: `tcp 22`.
    pub text: String,
    /// Where the record says it: `requestParameters.ipPermissions.items[0].ipRanges.items[1].cidrIp`.
    pub place: String,
}

/// What has been worked out of one record so far, by name. It only grows, so that what it has given stays where it is; and
/// threads may share it.
#[derive(Debug, Default, Clone)]
pub(super) struct FactMemory(OnceLock<Box<Remembered>>);

#[derive(Debug, Clone)]
struct Remembered {
    name: &'static str,
    values: Vec<FactValue>,
    next: FactMemory,
}

impl FactMemory {
    /// The values of this name, which `work_out` gives where they are not known yet.
    pub(super) fn get(&self, name: &'static str, work_out: impl FnOnce() -> Vec<FactValue>) -> &[FactValue] {
        let mut link = &self.0;
        while let Some(entry) = link.get() {
            if entry.name == name {
                return &entry.values;
            }
            link = &entry.next.0;
        }
        let mut values = Some(work_out());
        loop {
            // Meanwhile others may have put theirs here.
            let entry = link.get_or_init(|| {
                let values = values.take().unwrap_or_default();
                Box::new(Remembered { name, values, next: FactMemory::default() })
            });
            if entry.name == name {
                return &entry.values;
            }
            link = &entry.next.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_worked_out_once() {
        let memory = FactMemory::default();
        let value = |text: &str| vec![FactValue { text: text.to_owned(), place: "eventName".to_owned() }];
        // While one is worked out, another may be asked for.
        let first = memory.get("a", || {
            memory.get("b", || value("b"));
            value("a")
        });
        assert_eq!(memory.get("b", || unreachable!())[0].text, "b");
        assert_eq!(memory.get("c", Vec::new), []);
        assert_eq!((first[0].text.as_str(), memory.get("a", || unreachable!())), ("a", first));
        assert_eq!(memory.clone().get("c", || unreachable!()), []);
    }
}
