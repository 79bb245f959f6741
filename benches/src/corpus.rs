//! Where the records come from: an archive that is named, else the re-sampled corpus beside the project, else made-up traffic.

use std::path::{Path, PathBuf};
use std::process::Command;

use offlimits::cloudtrail::envelope;
use offlimits::scan::{Input, files, gunzipped};

use crate::traffic;

/// Records that the corpus has, and files.
const RECORDS: usize = 200_000;
const FILES: usize = 22;

/// What is measured on.
pub(crate) struct Corpus {
    /// What the records are, for the tables.
    pub(crate) name: String,
    /// Each record's JSON.
    pub(crate) records: Vec<String>,
    /// Log files of them, `.json.gz`.
    pub(crate) folder: PathBuf,
}

impl Corpus {
    /// The log files of `archive`, if it is named.
    pub(crate) fn find(archive: Option<PathBuf>) -> Self {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let generator = benches.join("../../shared/data/corpus/generate.py");
        let target = benches.join("target/corpus");
        let (name, folder) = match archive {
            Some(folder) => ("the records of an archive", folder),
            None if generator.exists() => {
                // Beside the log files stand the lists of what is in them.
                let folder = made(&target.join("resampled"), |folder| generate(&generator, folder));
                ("real records, re-sampled", folder.join("AWSLogs"))
            }
            None => ("made-up records", made(&target.join("made-up"), write)),
        };
        let records: Vec<String> = files::inputs(std::slice::from_ref(&folder))
            .flat_map(|input| {
                let Input::File(path) = input else { panic!("{input} cannot be read") };
                let file = std::fs::File::open(path).expect("the file is there");
                let text = std::io::read_to_string(gunzipped(file).expect("it is read")).expect("it is UTF-8");
                envelope::open(&text).records
            })
            .map(|record| record.json)
            .collect();
        Self { name: name.to_owned(), records, folder }
    }

    /// Some of the log files, packed.
    pub(crate) fn files(&self, count: usize) -> Vec<Vec<u8>> {
        let files = files::inputs(std::slice::from_ref(&self.folder)).take(count);
        files.map(|input| std::fs::read(input.to_string()).expect("the file is there")).collect()
    }

    /// The mean length of a record.
    pub(crate) fn bytes(&self) -> usize {
        self.records.iter().map(String::len).sum::<usize>() / self.records.len().max(1)
    }
}

/// A folder that is made once; a run that was interrupted leaves none.
fn made(folder: &Path, make: impl FnOnce(&Path)) -> PathBuf {
    if !folder.exists() {
        let begun = folder.with_extension("begun");
        std::fs::create_dir_all(&begun).expect("target/ can be written");
        make(&begun);
        std::fs::rename(&begun, folder).expect("target/ can be written");
    }
    folder.to_owned()
}

fn generate(generator: &Path, folder: &Path) {
    let status = Command::new("python3")
        .arg(generator)
        .args(["--records", &RECORDS.to_string(), "--files", &FILES.to_string(), "--out"])
        .arg(folder)
        .status();
    assert!(status.is_ok_and(|status| status.success()), "the corpus' generator fails");
}

fn write(folder: &Path) {
    let records = traffic::records(RECORDS, 1);
    for (number, records) in records.chunks(RECORDS / FILES + 1).enumerate() {
        let file = std::fs::File::create(folder.join(format!("{number:03}.json.gz"))).expect("target/ can be written");
        let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        std::io::Write::write_all(&mut gzip, format!("{{\"Records\":[{}]}}", records.join(",")).as_bytes())
            .expect("target/ can be written");
        gzip.finish().expect("target/ can be written");
    }
}
