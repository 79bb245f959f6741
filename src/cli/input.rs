//! What the command line is pointed at: files, folders, stdin, plain or gzip. The commands that read records share this:
//! what cannot be read is named on stderr, the rest goes on, and on a terminal one sees how far it is.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Read};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::words::counted;
use super::{Exit, parsers};
use crate::rules::quoted;
use crate::scan::layout::LogFilter;
use crate::scan::{self, Input, RecordVisitor, Scan, ScanEvent, files};
use crate::time::Date;

/// Bytes of a file that is read whole, decompressed: rules, credentials.
const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The text of a file, gunzipped where it is gzip, without a byte order mark. Bytes that are not UTF-8 become U+FFFD.
pub(super) fn read(path: &Path) -> io::Result<String> {
    let text = match String::from_utf8(read_bytes(path)?) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    };
    Ok(without_mark(text))
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let raw: Box<dyn Read> =
        if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(std::fs::File::open(path)?) };
    let mut bytes = Vec::new();
    scan::gunzipped(raw)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let message = format!("it holds more than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The text of a file that people write, such as `rules.json`: as [`read`] of one that is UTF-8.
///
/// # Errors
/// Whatever is not UTF-8, with its place: what would be read instead is no text that anybody has written.
pub(super) fn read_written(path: &Path) -> io::Result<String> {
    let bytes = read_bytes(path)?;
    let refused = |message: String| io::Error::new(io::ErrorKind::InvalidData, message);
    // In UTF-16, one of the two bytes of what is ASCII is zero. Windows PowerShell 5.1 writes it where > leads into a file:
    // <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>.
    if matches!(bytes.as_slice(), [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..]) {
        return Err(refused("it is not UTF-8, but UTF-16: save the file as UTF-8".to_owned()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let (before, rest) = error.as_bytes().split_at(at);
        let before = String::from_utf8_lossy(before);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let byte = rest.first().copied().unwrap_or_default();
        refused(format!(
            "it is not UTF-8: in line {line}, column {column} stands the byte 0x{byte:02X}: save the file as UTF-8"
        ))
    })?;
    Ok(without_mark(text))
}

fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

/// Adds the files below a folder whose names end in one of `ends`, in the order of their names.
pub(super) fn walk(folder: &Path, ends: &[&str], files: &mut Vec<PathBuf>) -> io::Result<()> {
    for input in files::in_folder(folder, ends) {
        match input {
            Input::File(file) => files.push(file),
            Input::Bad(_, reason) => return Err(io::Error::other(reason)),
            Input::Stdin | Input::Remote(_) | Input::Skipped(..) => {}
        }
    }
    Ok(())
}

/// Archives to read, and which part of them.
#[derive(Debug, clap::Args)]
pub(super) struct Archive {
    /// Files and folders to read, or `s3://BUCKET/PREFIX`; - is stdin
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    #[command(flatten)]
    part: ArchivePart,
    /// Skip the files up to this one: where an interrupted run told to go on
    #[arg(long, value_name = "FILE")]
    resume_after: Option<String>,
    /// Threads: each reads a file, and one that has none left reads ahead in a large one [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// Which of an archive's log files are read, by what their names say.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct ArchivePart {
    /// Skip log files delivered before this day (UTC), as their names say
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parsers::day)]
    since: Option<Date>,
    /// Skip log files delivered after this day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parsers::day)]
    until: Option<Date>,
    /// Only log files of this account; may be repeated
    #[arg(long, value_name = "ID", value_parser = parsers::account)]
    account: Vec<String>,
    /// Only log files of this region; may be repeated
    #[arg(long, value_name = "NAME", value_parser = parsers::region)]
    region: Vec<String>,
}

impl ArchivePart {
    pub(super) fn filter(&self) -> LogFilter {
        LogFilter { since: self.since, until: self.until, accounts: self.account.clone(), regions: self.region.clone() }
    }
}

/// How much has been read, for a command's closing line and its exit code.
#[derive(Debug, Default)]
pub(super) struct InputCounts {
    pub(super) files: usize,
    pub(super) records: usize,
    pub(super) ignored: usize,
    pub(super) unreadable: usize,
    /// Files that have not been opened, by the services whose logs they are.
    skipped: BTreeMap<String, usize>,
    /// Of each path: what has been found in it.
    paths: Vec<PathCounts>,
    /// The same of the input that is being read.
    of_input: PathCounts,
    /// The paths in which something was found, and nothing was a record.
    without_records: usize,
    /// Whether Ctrl-C ended it before its end.
    pub(super) interrupted: bool,
    /// The last file that was read to its end, before any that was not.
    last: Option<String>,
    /// The files of which only so many records were read, for Ctrl-C came, and those behind them that were read meanwhile.
    cut_short: Vec<(String, usize)>,
    /// Notes of what was ignored that have been printed.
    notes: usize,
    /// Of an archive that was read in parts: which of them are missing.
    pub(super) parts: Option<PartCounts>,
}

/// The parts in which an archive was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct PartCounts {
    /// The plan that made them.
    pub(super) plan: String,
    /// How many there are.
    pub(super) planned: u64,
    /// How many of them have not been read to their end. The figures are without them.
    pub(super) missing: u64,
    /// The first of these, by their ids.
    pub(super) named: Vec<String>,
}

/// What has been found in a path that the command was given.
#[derive(Debug, Clone, Copy, Default)]
struct PathCounts {
    records: usize,
    /// Things that are no records, and files that have not been opened.
    others: usize,
    unreadable: usize,
}

/// The most notes about what is ignored that are printed: a folder may hold thousands.
const NOTES: usize = 20;

impl InputCounts {
    /// `1,000 records from 10 files, 1 unreadable`
    pub(super) fn sentence(&self) -> String {
        format!(
            "{} from {}{}{}{}",
            counted(self.records, "record"),
            counted(self.files, "file"),
            if self.ignored > 0 { format!(", {} ignored", self.ignored) } else { String::new() },
            if self.skipped() > 0 { format!(", {} skipped", counted(self.skipped(), "file")) } else { String::new() },
            if self.unreadable > 0 { format!(", {} unreadable", self.unreadable) } else { String::new() },
        )
    }

    /// How many files have not been opened, for they are other services' logs.
    pub(super) fn skipped(&self) -> usize {
        self.skipped.values().sum()
    }

    /// Whether something could not be read, or a path held no record though it held something.
    pub(super) fn failed(&self) -> bool {
        let is_partial = self.parts.as_ref().is_some_and(|parts| parts.missing > 0);
        self.unreadable + self.without_records > 0 || is_partial
    }

    /// Adds what was read elsewhere: so many files, records, and things that are no records; and files that were not opened.
    #[cfg(feature = "aws")]
    pub(super) fn add(&mut self, files: usize, records: usize, ignored: usize, skipped: &BTreeMap<String, usize>) {
        self.files += files;
        self.records += records;
        self.ignored += ignored;
        for (service, files) in skipped {
            *self.skipped.entry(service.clone()).or_default() += files;
        }
    }

    /// Says of an archive that was read elsewhere what is said of one at its end.
    #[cfg(feature = "aws")]
    pub(super) fn finish_elsewhere(&mut self, address: &str) {
        let others = self.ignored + self.skipped();
        self.paths = vec![PathCounts { records: self.records, others, unreadable: self.unreadable }];
        self.finish(&[PathBuf::from(address)]);
        if let Some(PartCounts { plan, planned, missing, named }) = self.parts.as_ref().filter(|it| it.missing > 0) {
            let more = missing.saturating_sub(named.len() as u64);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            eprintln!(
                "error: {missing} of {} have not been read, and the figures are without them: {}{more}\nhelp: `offlimits history watch {plan}` says whether they are being read; `offlimits history start {plan}` reads what is missing",
                counted(*planned, "part"),
                named.join(", ")
            );
        }
    }

    /// As [`Self::finish`], of what was read here: also where nothing was chosen, and where nothing could be. `unnamed` were read although
    /// their names do not say whether they are meant; of what is resumed, an earlier run has read the first files.
    fn finish_chosen(&mut self, paths: &[PathBuf], part: &ArchivePart, unnamed: &AtomicUsize, is_resumed: bool) {
        self.finish(paths);
        let filter = part.filter();
        if self.interrupted || filter.is_everything() {
            return;
        }
        let unnamed = unnamed.load(Ordering::Relaxed);
        if unnamed > 0 {
            eprintln!(
                "note: read whole, for {} not named as CloudTrail names its log files: {}; --since, --until, --account and --region choose by these names",
                if unnamed == 1 { "it is" } else { "they are" },
                counted(unnamed, "file")
            );
        }
        if self.files + self.skipped() + self.unreadable == 0 && !is_resumed {
            let why = if filter.since.zip(filter.until).is_some_and(|(since, until)| since > until) {
                "--since is after --until"
            } else {
                "no file is of these days, accounts and regions, as far as their names say"
            };
            eprintln!("error: nothing was read: {why}");
            self.without_records += 1;
        }
    }

    /// Says which files have been skipped, and in which paths nothing was a record.
    fn finish(&mut self, paths: &[PathBuf]) {
        if !self.skipped.is_empty() {
            let services: Vec<String> = self
                .skipped
                .iter()
                .map(|(service, files)| format!("{} of {service}", counted(*files, "file")))
                .collect();
            eprintln!("note: not opened, for they are not CloudTrail's log files: {}", services.join(", "));
        }
        if self.interrupted {
            return;
        }
        for (path, counts) in paths.iter().zip(&self.paths) {
            // An empty list is an answer: there were no calls.
            if counts.records == 0 && counts.unreadable == 0 && counts.others > 0 {
                let name = if path == Path::new("-") { "stdin".into() } else { path.to_string_lossy() };
                eprintln!("error: nothing in {name} is a record of CloudTrail");
                self.without_records += 1;
            }
        }
    }

    /// How to go on, if Ctrl-C ended it.
    pub(super) fn remedy(&self) {
        if !self.interrupted {
            return;
        }
        let parts: Vec<String> = self
            .cut_short
            .iter()
            .map(|(file, records)| format!("the first {} of {file}", counted(*records, "record")))
            .collect();
        let parts = parts.join(" and ");
        match &self.last {
            Some(last) => {
                let parts = if parts.is_empty() { parts } else { format!(", and of {parts}, to be read anew") };
                eprintln!(
                    "interrupted: the figures are those of the files up to {last}{parts}\nhelp: to go on from there, run the same command with --resume-after {}",
                    quoted(last)
                );
            }
            None if parts.is_empty() => eprintln!("interrupted before the first file had been read"),
            None => eprintln!(
                "interrupted: the figures are those of {parts}\nhelp: no file has been read to its end: to have the whole of it, run the same command again"
            ),
        }
    }

    fn take<M>(
        &mut self,
        told: ScanEvent<M>,
        path_of: &Receiver<usize>,
        bar: &ProgressBar,
        take: &mut impl FnMut(&str, usize, M) -> io::Result<()>,
    ) -> io::Result<()> {
        match told {
            ScanEvent::Output { input, index, output } => take(&input, index, output)?,
            ScanEvent::Ignored { input, reason, count } => {
                self.ignored += count;
                self.of_input.others += count;
                self.notes += 1;
                let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
                if self.notes <= NOTES {
                    bar.suspend(|| eprintln!("note: {input}: ignored, not written by CloudTrail: {reason}{more}"));
                } else if self.notes == NOTES + 1 {
                    bar.suspend(|| {
                        eprintln!("note: further ones are ignored without a note; the last line says how many");
                    });
                }
            }
            ScanEvent::Unreadable { place, reason } => {
                self.unreadable += 1;
                self.of_input.unreadable += 1;
                bar.suspend(|| eprintln!("error: cannot read {place}: {reason}"));
            }
            ScanEvent::Damaged { input, reason } => {
                self.unreadable += 1;
                self.of_input.unreadable += 1;
                bar.suspend(|| eprintln!("warning: {input}: {reason}"));
            }
            ScanEvent::Skipped { service, .. } => {
                *self.skipped.entry(service).or_default() += 1;
                self.of_input.others += 1;
                self.close_input(path_of);
            }
            ScanEvent::Stopped { input, records } => {
                self.of_input.records += records;
                self.close_input(path_of);
                self.records += records;
                self.cut_short.push((input.to_string(), records));
            }
            ScanEvent::Done { input, records } => {
                self.of_input.records += records;
                self.close_input(path_of);
                self.files += 1;
                self.records += records;
                if self.cut_short.is_empty() {
                    self.last = Some(input.to_string());
                } else {
                    // Whoever goes on reads it anew as well.
                    self.cut_short.push((input.to_string(), records));
                }
            }
        }
        Ok(())
    }
}

impl InputCounts {
    /// Adds what an input held to what its path holds. Inputs end in the order in which they began.
    fn close_input(&mut self, path_of: &Receiver<usize>) {
        let PathCounts { records, others, unreadable } = std::mem::take(&mut self.of_input);
        let Ok(path) = path_of.try_recv() else { return };
        if self.paths.len() <= path {
            self.paths.resize(path + 1, PathCounts::default());
        }
        let counts = &mut self.paths[path];
        counts.records += records;
        counts.others += others;
        counts.unreadable += unreadable;
    }
}

/// Set by the first Ctrl-C: no further input is begun.
static STOP: AtomicBool = AtomicBool::new(false);

/// Reads every file, folders walked in the order of their names, and hands over what `work` makes of the records, in their
/// order. What cannot be read is named on stderr; the others go on.
pub(super) fn each<W: RecordVisitor>(
    paths: &[PathBuf],
    part: &ArchivePart,
    work: &W,
    mut take: impl FnMut(&str, usize, W::Output) -> io::Result<()>,
) -> io::Result<InputCounts> {
    let mut counts = InputCounts::default();
    let scan = Scan { threads: scan::all_cores(), stop: &AtomicBool::new(false), bytes: &AtomicU64::new(0) };
    let bar = ProgressBar::hidden();
    let (begun, path_of) = mpsc::channel();
    let unnamed = Arc::new(AtomicUsize::new(0));
    let inputs = inputs(paths, part.filter(), Arc::clone(&unnamed)).map(move |(path, input)| {
        let _ = begun.send(path);
        input
    });
    scan.run(inputs, work, |told| counts.take(told, &path_of, &bar, &mut take))?;
    counts.finish_chosen(paths, part, &unnamed, false);
    Ok(counts)
}

/// The inputs of every path, in their order, each with the number of its path: files, folders, stdin, and archives in S3. Those whose
/// names do not say whether they are meant are counted.
fn inputs(
    paths: &[PathBuf],
    filter: LogFilter,
    unnamed: Arc<AtomicUsize>,
) -> impl Iterator<Item = (usize, Input)> + Send {
    let of_names = filter.clone();
    let inputs = paths.iter().enumerate().map(move |(number, path)| {
        let inputs: Box<dyn Iterator<Item = Input> + Send> =
            match path.to_str().filter(|path| path.starts_with("s3://")) {
                Some(address) => s3(address, &filter),
                None => Box::new(files::inputs(std::slice::from_ref(path))),
            };
        inputs.map(move |input| (number, input))
    });
    // Taken one after the other: a second archive is not listed while the first one is read.
    inputs.flatten().filter(move |(_, input)| {
        of_names.chooses(&input.to_string()).unwrap_or_else(|| {
            let is_read = !matches!(input, Input::Bad(..) | Input::Skipped(..));
            unnamed.fetch_add(usize::from(is_read), Ordering::Relaxed);
            true
        })
    })
}

#[cfg(feature = "s3")]
fn s3(address: &str, filter: &LogFilter) -> Box<dyn Iterator<Item = Input> + Send> {
    let (address, filter) = (address.to_owned(), filter.clone());
    // Nothing is asked before the first input is.
    Box::new(std::iter::once_with(move || scan::s3::inputs(&address, filter)).flatten())
}

#[cfg(not(feature = "s3"))]
fn s3(address: &str, _: &LogFilter) -> Box<dyn Iterator<Item = Input> + Send> {
    let reason = "this build cannot read S3: install one that can with `cargo install --path . --features s3`";
    Box::new(std::iter::once(Input::Bad(address.to_owned(), reason.to_owned())))
}

impl Archive {
    /// As [`each`], with a progress bar on a terminal, and an orderly end at Ctrl-C.
    pub(super) fn each<W: RecordVisitor>(
        &self,
        work: &W,
        mut take: impl FnMut(&str, usize, W::Output) -> io::Result<()>,
    ) -> io::Result<InputCounts> {
        let mut counts = InputCounts::default();
        let (bar, bytes) = (self.bar(), AtomicU64::new(0));
        let shown = bar.clone();
        // Another handler, or none at all, is no reason not to read.
        let _ = ctrlc::set_handler(move || {
            if STOP.swap(true, Ordering::Relaxed) {
                std::process::exit(Exit::Interrupted as i32);
            }
            shown.suspend(|| eprintln!("finishing what is being read; press Ctrl-C again to stop at once"));
        });
        let scan = Scan { threads: self.threads.unwrap_or_else(scan::all_cores), stop: &STOP, bytes: &bytes };
        let (begun, path_of) = mpsc::channel();
        let unnamed = Arc::new(AtomicUsize::new(0));
        let inputs = self.inputs(Arc::clone(&unnamed)).map(move |(path, input)| {
            let _ = begun.send(path);
            input
        });
        scan.run(inputs, work, |told| {
            if matches!(told, ScanEvent::Done { .. }) {
                bar.set_position(bytes.load(Ordering::Relaxed));
                bar.set_message(format!("{} records", counts.records));
            }
            counts.take(told, &path_of, &bar, &mut take)
        })?;
        bar.finish_and_clear();
        counts.interrupted = STOP.load(Ordering::Relaxed);
        counts.finish_chosen(&self.paths, &self.part, &unnamed, self.resume_after.is_some());
        Ok(counts)
    }

    fn inputs(&self, unnamed: Arc<AtomicUsize>) -> impl Iterator<Item = (usize, Input)> + Send {
        let mut skipping = self.resume_after.clone();
        let inputs = inputs(&self.paths, self.part.filter(), unnamed);
        // `None` stands for the end: whoever still waits for a file's name then has waited in vain.
        inputs.map(Some).chain([None]).filter_map(move |input| match (input, &skipping) {
            (Some(input), None) => Some(input),
            (Some((_, input)), Some(name)) => {
                if input.to_string() == *name {
                    skipping = None;
                }
                None
            }
            (None, Some(name)) => {
                let reason = "--resume-after names a file that is not among the files to read: name one as the interrupted run printed it".to_owned();
                // Of whichever path: what cannot be read is told anyway.
                Some((0, Input::Bad(name.clone(), reason)))
            }
            (None, None) => None,
        })
    }

    fn bar(&self) -> ProgressBar {
        if !io::stderr().is_terminal() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::no_length();
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left, {msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let (paths, measured) = (self.paths.clone(), bar.clone());
        // The walk may take longer than the first files do. It ends with the process.
        thread::spawn(move || measured.set_length(files::measure(&paths)));
        bar
    }
}
