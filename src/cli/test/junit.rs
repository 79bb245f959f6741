//! Results for CI systems: one XML document of the form that `JUnit` made usual, a `testsuite` for each rule.
//! Source: the XML file format of `JUnit`, <https://github.com/testmoapp/junitxml>, which gathers what the systems read.

use std::fmt::Write as _;
use std::io::{self, Write};

/// What became of one test.
#[derive(Debug)]
pub(super) enum CaseOutcome {
    Passed,
    /// It failed: a word for the kind of failure, and what there is to say of it.
    Failed {
        kind: &'static str,
        text: String,
    },
    /// It could not be run.
    Unreadable {
        text: String,
    },
}

/// The results so far, rule by rule: a suite says in its first line how many of its tests failed.
#[derive(Debug, Default)]
pub(super) struct JunitReport(Vec<Suite>);

#[derive(Debug)]
struct Suite {
    rule: String,
    cases: Vec<(String, CaseOutcome)>,
}

/// How many tests of each outcome there are.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
}

impl JunitReport {
    /// Adds a test. Those of one rule come one after the other.
    pub(super) fn add(&mut self, rule: &str, test: &str, outcome: CaseOutcome) {
        let case = (test.to_owned(), outcome);
        match self.0.last_mut().filter(|suite| suite.rule == rule) {
            Some(suite) => suite.cases.push(case),
            None => self.0.push(Suite { rule: rule.to_owned(), cases: vec![case] }),
        }
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let all = self.0.iter().flat_map(|suite| &suite.cases).fold(Counts::default(), Counts::with);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        writeln!(out, "<testsuites name=\"offlimits test\" {}>", all.attributes())?;
        for Suite { rule, cases } in &self.0 {
            let counts = cases.iter().fold(Counts::default(), Counts::with);
            let rule = escaped(rule);
            writeln!(out, "  <testsuite name=\"{rule}\" {}>", counts.attributes())?;
            for (test, outcome) in cases {
                let case = format!("<testcase classname=\"{rule}\" name=\"{}\"", escaped(test));
                match outcome {
                    CaseOutcome::Passed => writeln!(out, "    {case}/>")?,
                    CaseOutcome::Failed { kind, text } => {
                        writeln!(out, "    {case}>\n      {}\n    </testcase>", trouble("failure", kind, text))?;
                    }
                    CaseOutcome::Unreadable { text } => {
                        writeln!(out, "    {case}>\n      {}\n    </testcase>", trouble("error", "unreadable", text))?;
                    }
                }
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }
}

impl Counts {
    fn with(self, (_, outcome): &(String, CaseOutcome)) -> Self {
        Self {
            tests: self.tests + 1,
            failures: self.failures + usize::from(matches!(outcome, CaseOutcome::Failed { .. })),
            errors: self.errors + usize::from(matches!(outcome, CaseOutcome::Unreadable { .. })),
        }
    }

    fn attributes(self) -> String {
        let Self { tests, failures, errors } = self;
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\"")
    }
}

/// The element that says why a test did not pass: the first line as its message, all of it as its text.
fn trouble(element: &str, kind: &str, text: &str) -> String {
    let message = text.trim().lines().next().unwrap_or_default();
    format!(
        "<{element} message=\"{}\" type=\"{kind}\">{}</{element}>",
        escaped(message.trim_end_matches(':')),
        escaped(text.trim_end())
    )
}

/// A text as it may stand in an attribute or an element. What XML has no way to write, even escaped, becomes U+FFFD.
/// Source: W3C, "Extensible Markup Language (XML) 1.0 (Fifth Edition)", 2.2 Characters, 2.4 Character Data and Markup, 3.3.3
/// Attribute-Value Normalization.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // A reader would make a space of these in an attribute, and a newline of a carriage return.
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(letter));
            }
            // A control character is no character of XML; those above U+007F are, and deceive whoever reads them.
            _ if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_xml_cannot_hold_is_escaped_or_replaced() {
        assert_eq!(escaped("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&apos;");
        assert_eq!(escaped("]]>"), "]]&gt;");
        assert_eq!(escaped("a\tb\r\n"), "a&#9;b&#13;&#10;");
        assert_eq!(
            escaped("\0\u{1b}[31m\u{7f}\u{9b}\u{fffe}\u{ffff}"),
            "\u{fffd}\u{fffd}[31m\u{fffd}\u{fffd}\u{fffd}\u{fffd}"
        );
        assert_eq!(escaped("é 𝄞"), "é 𝄞");
    }

    #[test]
    fn each_rule_is_a_suite_with_its_sums() {
        let mut report = JunitReport::default();
        report.add("A", "one", CaseOutcome::Passed);
        report.add("A", "two", CaseOutcome::Failed { kind: "no-match", text: "  expected a match:\n    no\n".into() });
        report.add("B", "three", CaseOutcome::Unreadable { text: "gone".into() });
        let mut out = Vec::new();
        report.write(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="offlimits test" tests="3" failures="1" errors="1" skipped="0">
  <testsuite name="A" tests="2" failures="1" errors="0" skipped="0">
    <testcase classname="A" name="one"/>
    <testcase classname="A" name="two">
      <failure message="expected a match" type="no-match">  expected a match:&#10;    no</failure>
    </testcase>
  </testsuite>
  <testsuite name="B" tests="1" failures="0" errors="1" skipped="0">
    <testcase classname="B" name="three">
      <error message="gone" type="unreadable">gone</error>
    </testcase>
  </testsuite>
</testsuites>
"#
        );
    }
}
