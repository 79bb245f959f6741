//! Small files that travel together: to hand a file over to a thread takes longer than to read a small one.

use std::fs;

use super::input::Input;

/// Packed bytes with which a batch is full: reading them takes about a millisecond, beside which handing them over is nothing.
const BYTES: u64 = 256 * 1024;
/// The most inputs of a batch.
const INPUTS: usize = 64;

/// Inputs that one thread reads, one after the other, in their order.
pub(super) struct Batches<I>(I);

impl<I: Iterator<Item = Input>> Batches<I> {
    pub(super) const fn new(inputs: I) -> Self {
        Self(inputs)
    }
}

impl<I: Iterator<Item = Input>> Iterator for Batches<I> {
    type Item = Vec<Input>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while bytes < BYTES && batch.len() < INPUTS {
            let Some(input) = self.0.next() else { break };
            bytes += weight(&input);
            batch.push(input);
        }
        (!batch.is_empty()).then_some(batch)
    }
}

/// The packed bytes of an input. What is no file (a pipe, say) ends its batch: nobody knows how long it takes.
fn weight(input: &Input) -> u64 {
    match input {
        Input::File(path) => {
            let file = fs::metadata(path).ok().filter(fs::Metadata::is_file);
            file.map_or(BYTES, |file| file.len())
        }
        Input::Skipped(..) => 0,
        Input::Stdin | Input::Remote(_) | Input::Bad(..) => BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_travel_together_and_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: usize| {
            let path = folder.path().join(name);
            fs::write(&path, vec![b' '; bytes]).unwrap();
            Input::File(path)
        };
        let large = usize::try_from(BYTES).unwrap();
        let mut inputs: Vec<Input> = (0..70).map(|number| file(&format!("{number:02}"), 10)).collect();
        inputs.push(file("70", large));
        inputs.extend([Input::Stdin, file("71", large / 2), file("72", large / 2), file("73", 1)]);
        let names: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let batches: Vec<Vec<Input>> = Batches::new(inputs.into_iter()).collect();
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [64, 7, 1, 2, 1]);
        assert_eq!(batches.iter().flatten().map(ToString::to_string).collect::<Vec<_>>(), names);
    }
}
