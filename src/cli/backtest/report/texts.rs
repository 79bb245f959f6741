//! Texts, each kept once: an archive's findings say the same things again and again.

use std::collections::HashSet;
use std::sync::Arc;

/// The texts that are in use.
#[derive(Debug, Default)]
pub(super) struct TextPool(HashSet<Arc<str>>);

impl TextPool {
    /// The text, in the one copy that there is of it.
    pub(super) fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let text: Arc<str> = text.into();
        self.0.insert(Arc::clone(&text));
        text
    }

    /// Forgets what nobody uses any more.
    pub(super) fn sweep(&mut self) {
        self.0.retain(|text| Arc::strong_count(text) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_as_long_as_it_is_used() {
        let mut pool = TextPool::default();
        let (first, second) = (pool.get("a"), pool.get("a"));
        assert!(Arc::ptr_eq(&first, &second));
        pool.get("b");
        pool.sweep();
        assert_eq!(pool.0.len(), 1);
        drop((first, second));
        pool.sweep();
        assert!(pool.0.is_empty());
    }
}
