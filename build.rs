//! Gives the program a fingerprint of what decides an index of rules: its own sources, as far as they do, and `Cargo.lock`.
//!
//! A package holds an index that an earlier run of the tool wrote. The function uses it only if its own fingerprint is the one
//! noted there (`src/ruleset/package.rs`), so that no index outlives a change of how rules are read or filed. A change of what
//! an index does not depend on (the command line, the lints, the channels, the tests) leaves the fingerprint as it is.
//!
//! `tests/fingerprint.rs` holds [`LAYERS`] to what the sources use.
//!
//! And it has the function linked without the tables for unwinding, where a panic ends the process anyway
//! (`src/bin/bootstrap.ld`).

use std::env;
use std::fs;
use std::io;
use std::path::Path;

/// The layers of `src/lib.rs` that decide an index: `ruleset`, and all that it uses but the channels. (Channels are compiled
/// from the bundle at every start; an index holds nothing of them.)
pub(crate) const LAYERS: [&str; 14] = [
    "text",
    "time",
    "ids",
    "severity",
    "json",
    "redact",
    "cloudtrail",
    "facts",
    "change",
    "config",
    "rules",
    "finding",
    "engine",
    "ruleset",
];

/// The versions of the libraries: how `regex-syntax` takes a pattern apart decides where its rule is filed.
const LOCK: &str = "Cargo.lock";

fn main() -> io::Result<()> {
    // The folder of the package, where a build script runs.
    let package = Path::new("");
    for input in inputs(package) {
        println!("cargo::rerun-if-changed={input}");
    }
    println!("cargo::rustc-env=OFFLIMITS_FINGERPRINT={:016x}", fingerprint(package)?);
    println!("cargo::rerun-if-changed={LINKER_SCRIPT}");
    let is = |name: &str, value: &str| env::var_os(name).is_some_and(|found| found == value);
    // The function's profile, the only one of this level, and its panics end the process. (Cargo does not say which profile it is; and
    // `CARGO_CFG_PANIC` is of the target.)
    if is("OPT_LEVEL", "z") && is("CARGO_CFG_TARGET_OS", "linux") {
        let script = env::current_dir()?.join(LINKER_SCRIPT);
        println!("cargo::rustc-link-arg-bin=bootstrap=-Wl,-T,{}", script.display());
    }
    Ok(())
}

/// What the function is linked with in addition.
const LINKER_SCRIPT: &str = "src/bin/bootstrap.ld";

/// The files and folders that the fingerprint is of, relative to the package's. Only those that are there: Cargo would run
/// this script at every build for one that is not, and `Cargo.lock` is missing where the package is another's dependency.
fn inputs(package: &Path) -> Vec<String> {
    let layers = LAYERS.iter().flat_map(|layer| [format!("src/{layer}"), format!("src/{layer}.rs")]);
    layers.chain([LOCK.to_owned()]).filter(|input| package.join(input).exists()).collect()
}

/// The fingerprint of a package's files: the same on every system.
pub(crate) fn fingerprint(package: &Path) -> io::Result<u64> {
    let mut files = Vec::new();
    for input in inputs(package) {
        gather(package, input, &mut files)?;
    }
    files.sort();
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for file in files {
        let mut content = fs::read(package.join(&file))?;
        // Git may check texts out with other ends of lines on Windows.
        content.retain(|byte| *byte != b'\r');
        hash.add(file.as_bytes());
        hash.add(&content);
    }
    Ok(hash.0)
}

/// Adds a file, or the files in a folder but for those that hold tests alone. Paths have `/` on every system.
fn gather(package: &Path, path: String, files: &mut Vec<String>) -> io::Result<()> {
    if !package.join(&path).is_dir() {
        files.push(path);
        return Ok(());
    }
    for entry in fs::read_dir(package.join(&path))? {
        let name = entry?.file_name();
        if name != "tests.rs" {
            gather(package, format!("{path}/{}", name.to_string_lossy()), files)?;
        }
    }
    Ok(())
}

/// FNV-1a of 64 bits: the same with every compiler, and a build script needs no library for it.
struct Fnv(u64);

impl Fnv {
    /// Adds bytes behind their length, so that what ends one part cannot begin the next.
    fn add(&mut self, bytes: &[u8]) {
        for byte in (bytes.len() as u64).to_le_bytes().iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
