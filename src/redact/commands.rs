//! Secrets that a command line gives by the place where they stand: `mysql -px`, `curl -u user:x`, `sshpass -p x`,
//! `echo user:x | chpasswd`.

use std::ops::Range;

use super::names;
use super::values::{BETWEEN, is_blank, value_at};

/// What of an option's value is secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// All of it.
    Whole,
    /// What follows the first of these bytes: `user:x`, `user%x`, `user/x`.
    After(u8),
}

/// An option of a program that is given a secret.
#[derive(Debug, Clone, Copy)]
struct SecretOption {
    programs: &'static [&'static str],
    /// As it is written, with its dash.
    option: &'static str,
    part: Part,
    /// Whether the value may be a word of its own: not that of `mysql -p db`, which asks for the password.
    is_apart: bool,
    /// A word of the command without which the option means something else: `docker login -p x`, and not `docker run -p 80:80`.
    needs: Option<&'static str>,
}

const fn option(programs: &'static [&'static str], option: &'static str) -> SecretOption {
    SecretOption { programs, option, part: Part::Whole, is_apart: true, needs: None }
}

const MYSQL: &[&str] = &[
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mysqlimport",
    "mysqlcheck",
    "mysqlshow",
    "mariadb",
    "mariadb-dump",
    "mariadb-admin",
];
const CURL: &[&str] = &["curl", "curl.exe"];
const MONGO: &[&str] = &["mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"];
const LDAP: &[&str] = &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami"];
const REGISTRY: &[&str] = &["docker", "podman", "nerdctl", "buildah", "skopeo", "crane", "helm", "az", "oc"];
const SAMBA: &[&str] = &["smbclient", "rpcclient", "smbmap", "winexe"];

const OPTIONS: [SecretOption; 20] = [
    SecretOption { is_apart: false, ..option(MYSQL, "-p") },
    SecretOption { part: Part::After(b':'), ..option(CURL, "-u") },
    SecretOption { part: Part::After(b':'), ..option(CURL, "--user") },
    SecretOption { part: Part::After(b':'), ..option(CURL, "-U") },
    SecretOption { part: Part::After(b':'), ..option(CURL, "--proxy-user") },
    option(&[RUNNER], "-p"),
    option(&["redis-cli"], "-a"),
    option(MONGO, "-p"),
    option(LDAP, "-w"),
    SecretOption { needs: Some("login"), ..option(REGISTRY, "-p") },
    option(&["sqlcmd", "bcp", "osql"], "-P"),
    option(&["zip", "unzip"], "-P"),
    SecretOption { is_apart: false, ..option(&["7z", "7za", "7zr"], "-p") },
    SecretOption { part: Part::After(b'%'), ..option(SAMBA, "-U") },
    SecretOption { part: Part::After(b','), ..option(&["lftp"], "-u") },
    option(&["plink", "pscp", "psftp"], "-pw"),
    option(&["evil-winrm", "crackmapexec", "netexec", "nxc", "psexec", "psexec.exe"], "-p"),
    option(&["useradd", "usermod"], "-p"),
    SecretOption { is_apart: false, ..option(&["xfreerdp", "mstsc"], "/p:") },
    option(&["openssl"], "-k"),
];

/// The program that runs another one with a password: the options after that one's name are its own.
const RUNNER: &str = "sshpass";

/// Programs whose argument is a secret where one follows these words: `mysqladmin password x`, `vault login x`.
const AFTER_WORD: [(&[&str], &str); 4] = [
    (&["mysqladmin", "mariadb-admin"], "password"),
    (&["vault"], "login"),
    (&["ConvertTo-SecureString"], "ConvertTo-SecureString"),
    (&["ConvertTo-SecureString"], "-String"),
];

/// Programs that are given secrets by a pipe, and what of them is.
const PIPED: [(&str, Part); 5] = [
    ("chpasswd", Part::After(b':')),
    ("passwd", Part::Whole),
    ("--password-stdin", Part::Whole),
    ("--stdin", Part::Whole),
    ("kinit", Part::Whole),
];

/// Where the secrets stand, in the order in which they are found.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut command = Command::default();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' | b'\n' | b'&' | b'(' => command = Command::default(),
            b'|' => command = Command { piped: std::mem::take(&mut command.printed), ..Command::default() },
            b'\\' if matches!(bytes.get(at + 1), Some(b'n' | b'r' | b't')) => {
                command = Command::default();
                at += 1;
            }
            b'"' | b'\'' | b'`' | b'\\' | BETWEEN => {}
            byte if is_blank(byte) => {}
            _ => {
                let word = word_at(bytes, at);
                at = command.read(text, word, found);
                continue;
            }
        }
        at += 1;
    }
}

/// A word of a command: to the next blank, quote, or what ends the command.
fn word_at(bytes: &[u8], at: usize) -> Range<usize> {
    let ends =
        |byte: &u8| is_blank(*byte) || matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b';' | b'|' | b'&' | b'(' | b')');
    let length = bytes[at..].iter().take_while(|byte| !ends(byte)).count();
    at..at + length.max(1)
}

/// What has been read of a command.
#[derive(Debug, Default)]
struct Command<'t> {
    program: &'t str,
    /// The word before this one, and the one before that.
    before: [&'t str; 2],
    /// Whether a word of [`SecretOption::needs`] has been read.
    has_login: bool,
    /// What `echo` prints.
    printed: Vec<Range<usize>>,
    /// What the command is given by a pipe.
    piped: Vec<Range<usize>>,
}

impl<'t> Command<'t> {
    /// Reads the word, and its value where it is an option that is given a secret; gives the place after both.
    fn read(&mut self, text: &'t str, word: Range<usize>, found: &mut Vec<Range<usize>>) -> usize {
        let said = &text[word.clone()];
        if self.program == RUNNER && !said.starts_with('-') {
            self.program = "";
        }
        let is_printing = PRINTERS.contains(&self.program);
        let secret = self.secret(text, said, &word);
        let name = said.rsplit(['/', '\\']).next().unwrap_or(said);
        if is_program(name) {
            self.program = name;
            if PRINTERS.contains(&name) {
                self.printed.clear();
            }
        } else if is_printing && !said.starts_with('-') {
            self.printed.push(word.clone());
        }
        self.has_login |= said == "login";
        if let Some((_, part)) = PIPED.iter().find(|(reader, _)| *reader == name) {
            let piped = std::mem::take(&mut self.piped);
            found.extend(piped.into_iter().filter_map(|range| secret_part(text, range, *part)));
        }
        self.before = [said, self.before[0]];
        let Some((value, part)) = secret else { return word.end };
        let end = value.end.max(word.end);
        found.extend(secret_part(text, value, part));
        end
    }

    /// The value that this word gives, or announces.
    fn secret(&self, text: &str, said: &str, word: &Range<usize>) -> Option<(Range<usize>, Part)> {
        let bytes = text.as_bytes();
        let next = || {
            let blanks = bytes[word.end..].iter().take_while(|byte| is_blank(**byte) && **byte != b'\n').count();
            let at = word.end + blanks;
            (blanks > 0 && at < bytes.len()).then(|| value_at(text, at))
        };
        let options = if self.program.is_empty() { &[][..] } else { &OPTIONS };
        for one in options.iter().filter(|one| one.programs.contains(&self.program)) {
            if one.needs.is_some() && !self.has_login {
                continue;
            }
            let Some(rest) = said.strip_prefix(one.option) else { continue };
            let is_long = one.option.starts_with("--");
            let start = word.start + one.option.len();
            let is_quoted = rest.is_empty() && matches!(bytes.get(word.end), Some(b'"' | b'\'' | b'\\'));
            match rest.strip_prefix('=') {
                Some(_) => return Some((value_at(text, start + 1), one.part)),
                None if rest.is_empty() && !is_quoted => {
                    let value = if one.is_apart { next() } else { None };
                    return value.map(|value| (value, one.part));
                }
                None if !is_long => return Some((value_at(text, start), one.part)),
                None => {}
            }
        }
        let names_it = |word: &str| {
            AFTER_WORD.iter().any(|(programs, after)| {
                *after == word && (programs.contains(&self.program) || programs.contains(&word))
            })
        };
        if names_it(said) {
            return next().filter(|value| !text[value.clone()].starts_with('-')).map(|value| (value, Part::Whole));
        }
        // `aws configure set aws_secret_access_key x`, and `IDENTIFIED BY 'x'` of SQL.
        let is_set = self.before[0] == "set" && !said.contains('=') && names::is_secret(said);
        let is_sql = said.eq_ignore_ascii_case("by") && self.before[0].eq_ignore_ascii_case("identified");
        (is_set || is_sql).then(next).flatten().map(|value| (value, Part::Whole))
    }
}

/// Whether options are to be read as those of this program from here on.
fn is_program(name: &str) -> bool {
    // Every word of every text of an alert is asked about, and hardly one is any.
    let may_be = name.bytes().next().is_some_and(|first| {
        name.len() <= LONGEST_PROGRAM && PROGRAM_LENGTHS[usize::from(first)] & 1 << name.len() != 0
    });
    may_be
        && (OPTIONS.iter().any(|one| one.programs.contains(&name))
            || AFTER_WORD.iter().any(|(programs, _)| programs.contains(&name))
            || PRINTERS.contains(&name))
}

/// The programs that print what they are given.
const PRINTERS: [&str; 2] = ["echo", "printf"];
/// The length of the longest program's name, `ConvertTo-SecureString`.
const LONGEST_PROGRAM: usize = 22;

/// By its first byte, the lengths that a program's name may have: a bit for each.
static PROGRAM_LENGTHS: [u32; 256] = {
    const fn add(mut lengths: [u32; 256], programs: &[&str]) -> [u32; 256] {
        let mut number = 0;
        while number < programs.len() {
            let name = programs[number].as_bytes();
            assert!(name.len() <= LONGEST_PROGRAM);
            lengths[name[0] as usize] |= 1 << name.len();
            number += 1;
        }
        lengths
    }
    let mut lengths = add([0; 256], &PRINTERS);
    let mut number = 0;
    while number < OPTIONS.len() {
        lengths = add(lengths, OPTIONS[number].programs);
        number += 1;
    }
    number = 0;
    while number < AFTER_WORD.len() {
        lengths = add(lengths, AFTER_WORD[number].0);
        number += 1;
    }
    lengths
};

/// The secret part of a value; `None` where there is none, or where it only says where the secret is.
fn secret_part(text: &str, value: Range<usize>, part: Part) -> Option<Range<usize>> {
    let range = match part {
        Part::Whole => value,
        Part::After(mark) => {
            let at = text[value.clone()].bytes().position(|byte| byte == mark)?;
            value.start + at + 1..value.end
        }
    };
    (!range.is_empty() && !names::is_reference(&text[range.clone()])).then_some(range)
}
