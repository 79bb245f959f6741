//! Real records of other people's. They are not ours to publish, so they lie beside the repository, where somebody has them.
//! A test does what it can without, and what it leaves out is told: on stderr, or in the file that `OFFLIMITS_LEFT_OUT`
//! names, which `make test` shows at its end. `OFFLIMITS_CORPORA=required` makes their absence a failure.
//! `tests/support/places.py` says the same to the tests in Python.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// The folder of all corpora, from the repository's.
const CORPORA: &str = "../shared/data";

/// The folder of all corpora, if it is there.
pub(crate) fn corpora() -> Option<PathBuf> {
    present(CORPORA)
}

/// The folder of one corpus, if it is there.
pub(crate) fn corpus(name: &str) -> Option<PathBuf> {
    corpora()?;
    present(&format!("{CORPORA}/{name}"))
}

fn present(path: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("OFFLIMITS_CORPORA").is_some_and(|corpora| corpora == "required");
    assert!(!required, "{path} is not there, and OFFLIMITS_CORPORA=required");
    // The harness names the thread of each test after it.
    leave_out(&format!("{path} is not there\t{}", std::thread::current().name().unwrap_or_default()));
    None
}

/// Tells once why which test does less.
fn leave_out(line: &str) {
    static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(line.to_owned()) {
        return;
    }
    let told = if let Some(list) = std::env::var_os("OFFLIMITS_LEFT_OUT") {
        std::fs::File::options()
            .append(true)
            .create(true)
            .open(list)
            .and_then(|mut list| list.write_all(format!("{line}\n").as_bytes()))
    } else {
        // Not `eprintln`: of a test that passes, nobody sees what it prints.
        std::io::stderr().write_all(format!("{}\n", line.replace('\t', ": left out by ")).as_bytes())
    };
    told.expect("what is left out can be told");
}
