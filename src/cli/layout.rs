//! JSON laid out as a person would.

use crate::json::{Node, Value, write_string};

/// Columns of one level.
pub(super) const STEP: usize = 2;

/// A value as it stands after `indent` columns: the two outermost levels of a document one member or element a line, what is
/// further in on one line where it fits.
pub(super) fn spread(node: &Node, indent: usize) -> String {
    let mut out = String::new();
    layout(node, indent, 0, &mut out);
    out
}

/// Columns of a line.
const WIDTH: usize = 110;

/// Appends a value: on one line where it fits, else one member or element a line. `used` is what the line already holds.
fn layout(node: &Node, indent: usize, used: usize, out: &mut String) {
    let line = spaced(node);
    // The list of rules and the rules themselves are always spread out.
    if indent > STEP && used + line.chars().count() <= WIDTH || scalar(node) {
        out.push_str(&line);
        return;
    }
    let step = indent + STEP;
    let (open, close) = if node.elements().is_some() { ('[', ']') } else { ('{', '}') };
    out.push(open);
    let count = node.elements().map_or_else(|| node.members().map_or(0, <[_]>::len), <[_]>::len);
    for index in 0..count {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', step));
        let mut begun = step;
        let child = if let Some(member) = node.members().and_then(|members| members.get(index)) {
            let start = out.len();
            write_string(out, &member.key);
            out.push_str(": ");
            begun += out.len() - start;
            Some(&member.node)
        } else {
            node.elements().and_then(|elements| elements.get(index))
        };
        if let Some(child) = child {
            layout(child, step, begun + 1, out);
        }
        if index + 1 < count {
            out.push(',');
        }
    }
    if count > 0 {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', indent));
    }
    out.push(close);
}

fn scalar(node: &Node) -> bool {
    node.members().is_none() && node.elements().is_none()
}

/// A value on one line, with spaces where people put them.
fn spaced(node: &Node) -> String {
    match &node.value {
        Value::Array(elements) => format!("[{}]", elements.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if members.is_empty() => "{}".to_owned(),
        Value::Object(members) => {
            let inner: Vec<String> = members
                .iter()
                .map(|member| {
                    let mut text = String::new();
                    write_string(&mut text, &member.key);
                    format!("{text}: {}", spaced(&member.node))
                })
                .collect();
            format!("{{ {} }}", inner.join(", "))
        }
        _ => node.compact(),
    }
}
