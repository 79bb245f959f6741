//! What an import tells on stderr: what could not be carried over, what was repaired, what is left to do.

use std::fmt::Write as _;

/// The notes of an import, in the order in which they arose.
#[derive(Debug, Default)]
pub(super) struct ImportReport {
    notes: Vec<Note>,
    /// The document of credentials, with every value empty.
    credentials: Option<String>,
}

#[derive(Debug)]
struct Note {
    kind: NoteKind,
    place: String,
    text: String,
}

/// What a note is about; the order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoteKind {
    /// Was wrong, and is right now.
    Repaired,
    /// Is carried over, and says not quite the same.
    Changed,
    /// Is not carried over.
    Lost,
    /// Must be done by hand.
    ToDo,
}

impl NoteKind {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Repaired, "repaired"),
        (Self::Changed, "carried over with a difference"),
        (Self::Lost, "not carried over"),
        (Self::ToDo, "left to do"),
    ];
}

impl ImportReport {
    /// Notes something. `place` says where: a file and line, a rule's id.
    pub(super) fn note(&mut self, kind: NoteKind, place: impl Into<String>, text: impl Into<String>) {
        self.notes.push(Note { kind, place: place.into(), text: text.into() });
    }

    /// Keeps the skeleton of the credentials for the end of the report.
    pub(super) fn credentials(&mut self, skeleton: String) {
        self.credentials = Some(skeleton);
    }

    /// The report, one note a line under a heading for each kind that has any.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        for (kind, heading) in NoteKind::ALL {
            let notes: Vec<&Note> = self.notes.iter().filter(|note| note.kind == kind).collect();
            if notes.is_empty() {
                continue;
            }
            // Writing to a string cannot fail.
            let _ = writeln!(out, "\n{heading}:");
            let mut said: Vec<(&str, &str)> = Vec::new();
            for Note { place, text, .. } in notes {
                if !said.contains(&(place, text)) {
                    said.push((place, text));
                    let _ = writeln!(out, "  {place}: {text}");
                }
            }
        }
        if let Some(skeleton) = &self.credentials {
            let _ = writeln!(
                out,
                "\nthe channels' credentials: fill them in and put them into the stack's secret (docs/channels/README.md#the-secret):\n{skeleton}"
            );
        }
        out
    }
}
