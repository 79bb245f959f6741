//! Answers in XML, as AWS's query protocol has them, read into the JSON that its other protocols answer with.
//!
//! Sources: <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html> and
//! <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>.

use serde_json::{Map, Value};

/// Elements within each other that are entered. An answer has some eight.
const DEEPEST: usize = 64;

/// What is in the outermost element of a document, or `None` where the text is not such a document.
///
/// An element that holds text is a string, one whose elements are all called `member` or `item` is an array, and any other is an
/// object, in which of equal names the first counts. Attributes are left out: AWS's answers have none but the namespace.
pub(super) fn read(text: &str) -> Option<Value> {
    let mut open: Vec<Element> = vec![Element::default()];
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        open.last_mut()?.text.push_str(before);
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
            continue;
        }
        if let Some(raw) = after.strip_prefix("![CDATA[") {
            let (raw, behind) = raw.split_once("]]>")?;
            open.last_mut()?.raw.push_str(raw);
            rest = behind;
            continue;
        }
        let (tag, behind) = after.split_once('>')?;
        rest = behind;
        if tag.starts_with(['?', '!']) {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            let closed = open.pop()?;
            (closed.name == name.trim()).then_some(())?;
            open.last_mut()?.take(closed);
            continue;
        }
        let (tag, is_empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name = tag.split_whitespace().next()?.to_owned();
        let element = Element { name, ..Element::default() };
        if is_empty {
            open.last_mut()?.take(element);
        } else if open.len() < DEEPEST {
            open.push(element);
        } else {
            return None;
        }
    }
    let [document] = &mut open[..] else { return None };
    let mut outermost = std::mem::take(&mut document.children).into_iter();
    outermost.next().map(|(_, value)| value).filter(|_| outermost.next().is_none())
}

/// An element that is open.
#[derive(Default)]
struct Element {
    name: String,
    /// Its text, with entities in it.
    text: String,
    /// Text that has no entities.
    raw: String,
    children: Vec<(String, Value)>,
}

impl Element {
    /// Takes in an element that has ended.
    fn take(&mut self, child: Self) {
        let name = child.name.clone();
        self.children.push((name, child.value()));
    }

    fn value(self) -> Value {
        if self.children.is_empty() {
            return Value::String(unescaped(self.text.trim()) + &self.raw);
        }
        if self.children.iter().all(|(name, _)| name == "member" || name == "item") {
            return self.children.into_iter().map(|(_, value)| value).collect();
        }
        let mut object = Map::new();
        for (name, value) in self.children {
            object.entry(name).or_insert(value);
        }
        Value::Object(object)
    }
}

/// A text without XML's entities. One that is not known stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let entity = after.split_once(';').and_then(|(name, behind)| Some((entity_of(name)?, behind)));
        let (character, behind) = entity.unwrap_or(('&', after));
        out.push(character);
        rest = behind;
    }
    out + rest
}

fn entity_of(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn an_answer_is_read_into_strings_arrays_and_objects() {
        let answer = r#"<?xml version="1.0"?>
            <R xmlns="http://x/"><!-- <a> --><ListResult><Subscriptions>
              <member><Endpoint>a&amp;b@example.com</Endpoint><Protocol>email</Protocol></member>
              <member><Endpoint/><Protocol>sqs</Protocol></member>
            </Subscriptions><Empty/><Policy><![CDATA[{"a":"<&"}]]></Policy></ListResult></R>"#;
        let subscriptions =
            json!([{"Endpoint": "a&b@example.com", "Protocol": "email"}, {"Endpoint": "", "Protocol": "sqs"}]);
        let result = json!({"Subscriptions": subscriptions, "Empty": "", "Policy": "{\"a\":\"<&\"}"});
        assert_eq!(read(answer), Some(json!({"ListResult": result})));
        assert_eq!(read("<a>&#65;&#x42;&lt;&nbsp;&</a>"), Some(json!("AB<&nbsp;&")));
        assert_eq!(read("<a><item>1</item></a>"), Some(json!(["1"])));
    }

    #[test]
    fn what_is_not_a_document_is_none_and_nothing_runs_away() {
        for text in ["", "x", "{}", "<a>", "<a></b>", "</a>", "<a></a><b></b>", "<a><", "<a><![CDATA[x</a>", "< ></ >"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"<a>".repeat(100_000)), None);
        let deep = "<a>".repeat(40) + &"</a>".repeat(40);
        assert!(read(&deep).is_some());
    }
}
