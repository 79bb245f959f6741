use serde::de::IgnoredAny;

use super::*;
use crate::json::line_and_column;

/// Each mistake by what is said of it and where, and the text put right, if all of it has an answer.
fn told(text: &str) -> (Vec<String>, Option<String>) {
    let found = mistakes(text);
    let said = found
        .iter()
        .map(|told| {
            let (line, column) = line_and_column(text, told.span.start);
            format!("{line}:{column} {}", told.message)
        })
        .collect();
    let edits: Vec<&Edit> = found.iter().flat_map(|told| &told.fix).flat_map(|fix| &fix.edits).collect();
    let fixed = found.iter().all(|told| told.fix.is_some()).then(|| applied(text, edits)).flatten();
    (said, fixed)
}

#[test]
fn each_mistake_has_its_name_its_place_and_its_remedy() {
    let cases: &[(&str, &[&str], Option<&str>)] = &[
        ("{\"a\": 1,}", &["1:8 a comma stands after the last member of an object"], Some("{\"a\": 1}")),
        ("[1,\n 2,\n]", &["2:3 a comma stands after the last item of a list"], Some("[1,\n 2\n]")),
        ("[1] // x", &["1:5 a comment stands here, and JSON has none"], Some("[1]")),
        ("[1, /* x */ 2]", &["1:5 a comment stands here, and JSON has none"], Some("[1, 2]")),
        ("[1,\n  # x\n  2]", &["2:3 a comment stands here, and JSON has none"], Some("[1,\n  2]")),
        ("[1] /* x", &["1:5 a comment begins here, and does not end"], None),
        ("{\"a\": 1 \"b\": 2}", &["1:8 a comma is missing here"], Some("{\"a\": 1, \"b\": 2}")),
        ("[1\n2]", &["1:3 a comma is missing here"], Some("[1,\n2]")),
        ("['it\\'s \"x\"']", &["1:2 a text stands in quotes that JSON does not have"], Some("[\"it's \\\"x\\\"\"]")),
        ("{a: 1}", &["1:2 the key a stands without quotes"], Some("{\"a\": 1}")),
        ("[low]", &["1:2 the text low stands without quotes"], Some("[\"low\"]")),
        (
            "[very low]",
            &[
                "1:2 the text very stands without quotes",
                "1:6 a comma is missing here",
                "1:7 the text low stands without quotes",
            ],
            None,
        ),
        ("{\"a\": [1, 2", &["1:7 a list that begins in line 1 is not closed"], Some("{\"a\": [1, 2 ] }")),
        (
            "{\n  \"a\": [\n    1",
            &["2:8 a list that begins in line 2 is not closed"],
            Some("{\n  \"a\": [\n    1\n  ]\n}"),
        ),
        ("{\"a\": [1}", &["1:9 a list that begins in line 1 is not closed"], Some("{\"a\": [1 ]}")),
        (
            "[{\"a\": 1, {\"b\": 2}]",
            &["1:11 an object that begins in line 1 is not closed"],
            Some("[{\"a\": 1 }, {\"b\": 2}]"),
        ),
        ("{\"a\": 1]", &["1:8 ] stands where an object ends that begins in line 1"], Some("{\"a\": 1}")),
        ("{}}", &["1:3 a } too many: nothing is open here"], Some("{}")),
        (
            "{“a”: “b”}",
            &["1:2 a text stands in typographic quotes", "1:7 a text stands in typographic quotes"],
            Some("{\"a\": \"b\"}"),
        ),
        ("[\"a\nb\"]", &["1:4 a line ends inside a text"], Some("[\"a\\nb\"]")),
        ("[\"a\r\nb\"]", &["1:4 a line ends inside a text"], Some("[\"a\\nb\"]")),
        ("[\"a\tb\"]", &["1:4 a tab stands inside a text"], Some("[\"a\\tb\"]")),
        ("{\"a\": \"x,\n\"b\": 1}", &["1:7 the text that begins here has no end on its line"], None),
        ("[\"\\d\\.\"]", &["1:3 JSON has no escape \\d", "1:5 JSON has no escape \\."], Some("[\"\\\\d\\\\.\"]")),
        ("[\"\\u12\"]", &["1:3 JSON has no escape \\u"], None),
        ("[True, None]", &["1:2 JSON has no word True", "1:8 JSON has no word None"], Some("[true, null]")),
        ("[NaN]", &["1:2 NaN is not a number that JSON has"], None),
        ("[007]", &["1:2 the number 007 begins with a zero"], None),
        (
            "[+5, .5, 5., 1_000]",
            &[
                "1:2 JSON does not write a number as +5",
                "1:6 JSON does not write a number as .5",
                "1:10 JSON does not write a number as 5.",
                "1:14 JSON does not write a number as 1_000",
            ],
            Some("[5, 0.5, 5, 1000]"),
        ),
        ("\u{feff}{}", &["1:1 the file begins with a byte order mark"], Some("{}")),
        ("{} {}", &["1:4 the document has ended, and something follows it"], None),
        ("", &["1:1 the file is empty"], None),
        ("  \n", &["1:1 the file is empty"], None),
        ("{\"a\" 1}", &["1:5 a colon is missing between a key and its value"], Some("{\"a\": 1}")),
        (
            "{\"a\" => 1; \"b\": 2}",
            &["1:6 \"=>\" stands between a key and its value", "1:10 a semicolon stands where a comma belongs"],
            Some("{\"a\" : 1, \"b\": 2}"),
        ),
        ("{\"a\": , \"b\": 1}", &["1:7 a value is missing here"], None),
        ("[1,,2]", &["1:4 nothing stands before this comma"], None),
        ("[\"a\": 1]", &["1:2 a key stands in a list, and lists have none"], None),
        ("[\"a \"b\" c\"]", &["1:6 the text ends before this, at a quotation mark that may belong to it"], None),
        ("[1,\u{a0}2]", &["1:4 a character that only looks like a space stands here"], Some("[1, 2]")),
        (
            "[\n<<<<<<< a\n1\n=======\n2\n>>>>>>> b\n]",
            &[
                "2:1 git has left the mark of a conflict here",
                "3:2 a comma is missing here",
                "4:1 git has left the mark of a conflict here",
                "6:1 git has left the mark of a conflict here",
            ],
            None,
        ),
        ("{\"a\": 1 & 2}", &["1:9 the text & stands without quotes"], None),
        (
            "{a: 'b', // c\n d: [1,],}",
            &[
                "1:2 the key a stands without quotes",
                "1:5 a text stands in quotes that JSON does not have",
                "1:10 a comment stands here, and JSON has none",
                "2:2 the key d stands without quotes",
                "2:7 a comma stands after the last item of a list",
                "2:9 a comma stands after the last member of an object",
            ],
            Some("{\"a\": \"b\",\n \"d\": [1]}"),
        ),
    ];
    for (text, expected, fixed) in cases {
        let (said, now) = told(text);
        if *text == "{\"a\": 1 & 2}" {
            // What is told of it besides is a guess.
            assert!(!said.is_empty() && now.is_none(), "{said:?}");
            continue;
        }
        assert_eq!(said, *expected, "{text:?}");
        assert_eq!(now.as_deref(), *fixed, "{text:?}");
        assert!(fixed.is_none_or(|fixed| serde_json::from_str::<IgnoredAny>(fixed).is_ok()), "{fixed:?}");
        assert!(mistakes(text).iter().all(|told| !told.help.is_empty()), "{text:?}");
    }
}

/// A small generator of random numbers (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).unwrap()
    }
}

/// A valid file with random edits: what `serde_json` reads has no mistake, what it refuses has one at least, each within the text,
/// and fixes never make JSON of less than all of it, nor loop.
#[test]
fn random_edits_of_a_file_are_told_as_serde_json_judges_them() {
    const FILE: &str = "{ \"lists\": { \"a\": [ \"^x\\\\d\", 1.5e3, -0, true, null ] },\r\n\t\"rules\": [ { \"id\": \"R-1\", \"title\": \"é “q” \\u00e9\",\n \"when\": [ { \"event\": { \"is\": \"Stop\" } }, { \"a.b\": [] } ], \"tests\": {} } ] }\n";
    const PIECES: [&str; 46] = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "'",
        "`",
        "“",
        "”",
        "‘",
        "/",
        "//",
        "/*",
        "*/",
        "#",
        "\n",
        "\r\n",
        "\t",
        " ",
        "\u{a0}",
        "\u{feff}",
        "0",
        "1",
        "-",
        "+",
        ".",
        "e5",
        "true",
        "True",
        "None",
        "NaN",
        "x",
        "é",
        "=",
        ";",
        "\u{1}",
        "\\u12",
        "\\d",
        "<<<<<<<",
        "\n=======",
        "\"a\": 1",
        "{}",
        ",\n",
    ];
    let mut random = Random(26);
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..5_000 {
        let mut text: Vec<char> = FILE.chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(text.len() + 1);
            let end = (at + random.below(4)).min(text.len());
            let piece = if random.below(4) == 0 { "" } else { PIECES[random.below(PIECES.len())] };
            text.splice(at..end, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let found = mistakes(&text);
        if serde_json::from_str::<IgnoredAny>(&text).is_ok() {
            right += 1;
            assert!(found.is_empty(), "{text:?}: {:?}", found.iter().map(|told| &told.message).collect::<Vec<_>>());
            continue;
        }
        wrong += 1;
        assert!(!found.is_empty(), "{text:?}: {:?}", serde_json::from_str::<IgnoredAny>(&text).err());
        for told in &found {
            assert!(
                text.get(told.span.clone()).is_some() && !told.message.is_empty() && !told.help.is_empty(),
                "{text:?}"
            );
            for edit in told.fix.iter().flat_map(|fix| &fix.edits) {
                assert!(text.get(edit.span.clone()).is_some(), "{text:?}: {edit:?}");
            }
        }
        if found.iter().all(|told| told.fix.is_some()) {
            let edits = found.iter().flat_map(|told| &told.fix).flat_map(|fix| &fix.edits).collect();
            if let Some(fixed) = applied(&text, edits) {
                let again = mistakes(&fixed);
                let is_json = serde_json::from_str::<IgnoredAny>(&fixed).is_ok();
                assert_eq!(again.is_empty(), is_json, "{text:?} → {fixed:?}");
            }
        }
    }
    assert!(right > 100 && wrong > 1000, "{right} {wrong}");
}
