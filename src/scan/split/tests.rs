use super::*;
use crate::choices::{Choices, seeds};

/// Every document of a text whose first bytes have been read, as pieces.
fn pieces(text: &[u8], beginning: usize) -> io::Result<Vec<(String, Option<usize>)>> {
    let (beginning, rest) = text.split_at(beginning.min(text.len()));
    let mut documents = Documents::new(UnpackedInput::Large(beginning, Box::new(rest)));
    let mut found = Vec::new();
    while let Some(document) = documents.next()? {
        if document.is_part() {
            let all = serde_json::from_slice::<IgnoredAny>(document.bytes);
            assert!(
                document.shape == InputShape::Lines || all.is_ok(),
                "{:?}",
                String::from_utf8_lossy(document.bytes)
            );
        }
        let pieces = document.pieces().into_iter();
        found.extend(pieces.map(|(piece, line)| (String::from_utf8_lossy(piece).trim().to_owned(), line)));
    }
    Ok(found)
}

/// An element, with all that may lead a scanner astray.
fn element(number: usize) -> String {
    format!(r#"{{"n":{number},"a":["],","}}{{","\\","\"]"],"s":"{}"}}"#, "x\\\\".repeat(number % 4000))
}

#[test]
fn the_elements_of_a_large_array_come_out_as_they_are() {
    let elements: Vec<String> = (0..3000).map(element).collect();
    for (head, tail) in [("{\"Records\":", "}\n"), (" { \"Events\" : ", ",\"NextToken\":\"]\"}"), ("", "")] {
        let text = format!("{head}[{}]{tail}", elements.join(" ,\n"));
        assert!(text.len() > 2 * PART);
        let found = pieces(text.as_bytes(), 100).unwrap();
        assert_eq!(found.len(), elements.len(), "{head}");
        let odd = found.iter().zip(&elements).find(|((piece, _), element)| piece != *element);
        assert_eq!(odd, None, "{head}");
    }
    assert_eq!(pieces(br#"{"Records":[]}"#, 100).unwrap(), [(String::new(), None)]);
}

#[test]
fn what_is_wrong_with_a_large_array_is_told() {
    let whole = format!("{{\"Records\":[{},{}]}}", element(1), element(2));
    // Cut off: what came before is handed over, and the rest too, for whoever reads it to complain.
    let cut = pieces(&whole.as_bytes()[..whole.len() - 9], 20).unwrap();
    assert_eq!(cut[0].0, element(1));
    assert!(cut[1].0.starts_with("[{") && serde_json::from_str::<IgnoredAny>(&cut[1].0).is_err(), "{cut:?}");
    for bad in [format!("{whole}x"), whole[..whole.len() - 1].to_owned(), format!("{whole}{}", " ".repeat(MAX_TAIL))] {
        assert!(pieces(bad.as_bytes(), 20).is_err());
    }
    let endless = [&b"{\"Records\":[\""[..], &vec![b'a'; MAX_PIECE + PART]].concat();
    assert_eq!(pieces(&endless, 50).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
}

#[test]
fn lines_keep_their_numbers() {
    let mut text = format!("{}\n\n{{oops\n", element(1));
    text.push_str(&"\n".repeat(2 * PART));
    let mut expected = vec![(element(1), Some(0)), ("{oops".to_owned(), Some(2))];
    for number in 0..2000 {
        expected.push((element(number), Some(3 + 2 * PART + number)));
        text.push_str(&element(number));
        text.push('\n');
    }
    text.pop();
    assert_eq!(pieces(text.as_bytes(), 1000).unwrap(), expected);
    // The first line is the damaged one.
    assert_eq!(pieces(format!("{{oops\n{}\n", element(1)).as_bytes(), 10_000).unwrap()[1], (element(1), Some(1)));
}

#[test]
fn what_cannot_be_cut_is_handed_over_whole() {
    let text = "{\n \"detail-type\": \"x\"\n}\n";
    assert_eq!(pieces(text.as_bytes(), 5).unwrap(), [(text.trim().to_owned(), None)]);
    assert_eq!(pieces(b"", 5).unwrap(), []);
    assert_eq!(pieces(b" \n ", 5).unwrap(), []);
    assert!(pieces(&vec![b' '; MAX_PIECE + 2 * PART], 5).is_err());
}

/// The same, of which some elements are passed where they stand.
fn pieces_passed(text: &[u8], choices: &mut Choices) -> (Vec<String>, usize) {
    let (beginning, rest) = text.split_at(100);
    let mut documents = Documents::new(UnpackedInput::Large(beginning, Box::new(rest)));
    let (mut found, mut passed) = (Vec::new(), 0);
    loop {
        if let Some(elements) = documents.elements().unwrap().filter(|_| !choices.one_in(3)) {
            assert!(b"[,".contains(&elements[0]));
            let (mut from, mut scanner) = (1, ElementScanner::after_bracket());
            for _ in 0..choices.of(&[0, 1, 200]) {
                let Some(end) = scanner.next_end(elements) else { break };
                found.push(String::from_utf8_lossy(&elements[from..end]).trim().to_owned());
                passed += 1;
                from = end + 1;
                if elements[end] == b']' {
                    break;
                }
            }
            if from > 1 {
                documents.pass(from - 1);
                continue;
            }
        }
        let Some(document) = documents.next().unwrap() else { break };
        assert!(document.is_part(), "{:?}", String::from_utf8_lossy(document.bytes));
        found.extend(document.pieces().iter().map(|(piece, _)| String::from_utf8_lossy(piece).trim().to_owned()));
    }
    (found, passed)
}

#[test]
fn elements_are_passed_where_they_stand() {
    let elements: Vec<String> = (0..800).map(element).collect();
    let mut all = 0;
    for seed in seeds(10) {
        let mut choices = Choices::new(seed);
        let [separator, head, tail] = choices.of(&[
            [",", "{\"Records\":", "}"],
            [" ,\n", " { \"Events\" : ", ",\"NextToken\":\"]\"}"],
            [",", "", ""],
        ]);
        let text = format!("{head}[{}]{tail}", elements.join(separator));
        let (found, passed) = pieces_passed(text.as_bytes(), &mut choices);
        let odd = found.iter().zip(&elements).find(|(piece, element)| piece != element);
        assert_eq!((odd, found.len()), (None, elements.len()), "{seed}");
        all += passed;
    }
    assert!(all > 100, "{all}");
}

#[test]
fn lists_may_follow_one_another() {
    let list = |from: usize, tail: &str| format!("{{\"Records\":[{},{}]{tail}}}", element(from), element(from + 1));
    let expected: Vec<String> = (0..6).map(element).collect();
    for (between, tail) in [("", ""), ("\n", ",\"NextToken\":\"]\""), (" \r\n\n", "")] {
        let text = [list(0, tail), list(2, ""), format!("[{},{}]\n", expected[4], expected[5])].join(between);
        let found: Vec<String> = pieces(text.as_bytes(), 100).unwrap().into_iter().map(|(piece, _)| piece).collect();
        assert_eq!(found, expected, "{between:?}");
        assert_eq!(pieces_passed(text.as_bytes(), &mut Choices::new(1)).0, expected, "{between:?}");
    }
    // What follows is no list.
    assert!(pieces(format!("{}{{\"Records\":1}}", list(0, "")).as_bytes(), 100).is_err());
}

/// Wherever the comma stands, the element that is missing behind it is missed.
#[test]
fn a_comma_at_the_end_of_a_list_is_told() {
    for list in [format!("[{},]", element(1)), format!("[{},\n {} , ]", element(1), element(2))] {
        let mut documents = Documents::new(UnpackedInput::Large(list.as_bytes(), Box::new(io::empty())));
        let comma = documents.elements().unwrap().map(|elements| memrchr(b',', elements).unwrap()).unwrap();
        documents.pass(comma);
        let left = documents.next().unwrap().unwrap();
        assert_eq!(left.pieces().len(), 1);
        assert!(is_blank(left.pieces()[0].0) && serde_json::from_slice::<IgnoredAny>(left.bytes).is_err());
    }
}
