//! The text of an email: what a person reads at 3 a.m., on a telephone.

use super::Content;

/// The whole alert: the title, what happened and what changed come first. Lines are left to the reader's own program to break,
/// since what is broken twice cannot be read on a telephone.
pub(super) fn email(content: &Content) -> String {
    let mut head = vec![content.heading.clone(), format!("{}.", content.sentence)];
    let label = content.before_changes();
    let indent = " ".repeat(label.len());
    for (index, change) in content.changes.iter().enumerate() {
        head.push(format!("{}{change}", if index == 0 { &label } else { &indent }));
    }
    let mut steps = Vec::new();
    for (index, (text, command)) in content.steps.iter().enumerate() {
        steps.push(format!("{}. {text}", index + 1));
        steps.extend(command.iter().map(|command| format!("   {command}")));
    }
    if !steps.is_empty() {
        steps.insert(0, Content::STEPS_LABEL.to_owned());
    }
    let column = content.facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let facts = content.facts.iter().map(|(name, value)| format!("{name:<column$}  {value}")).collect();
    let description = content.description.iter().map(|text| format!("{}: {text}", Content::WHY_LABEL)).collect();
    let links = content.links.iter().map(|(name, link)| format!("{name}: {link}")).collect();
    let parts = [head, steps, facts, description, links, vec!["-- ".to_owned(), content.footer.clone()]];
    let parts: Vec<String> =
        parts.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    parts.join("\n\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::severity::Severity;

    #[test]
    fn an_email_has_the_change_above_the_fold_and_is_aligned() {
        let text = |text: &str| text.to_owned();
        let content = Content {
            severity: Severity::High,
            heading: text("HIGH: Security group opened"),
            rule: text("CIS-10"),
            sentence: text(
                "bob (IAM user) called AuthorizeSecurityGroupIngress on sg-0123456789abcdef0 in us-east-1: allowed",
            ),
            change_label: Some("Asked for"),
            changes: vec![text("inbound: tcp 22 from 0.0.0.0/0"), text("inbound: tcp 3389 from 0.0.0.0/0")],
            steps: vec![
                (
                    text("Close it again."),
                    Some(format!("aws ec2 revoke-security-group-ingress --group-id {}", "x".repeat(60))),
                ),
                (text("Ask bob."), None),
            ],
            facts: vec![
                (text("Account"), text("production (111122223333)")),
                (
                    text("User agent"),
                    text("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) x"),
                ),
            ],
            description: Some("word ".repeat(30).trim().to_owned()),
            links: vec![("Runbook", text("https://wiki.example.com/x"))],
            footer: text("rule CIS-10"),
        };
        let expected = format!(
            "HIGH: Security group opened\n\
             bob (IAM user) called AuthorizeSecurityGroupIngress on sg-0123456789abcdef0 in us-east-1: allowed.\n\
             Asked for: inbound: tcp 22 from 0.0.0.0/0\n\
             \x20          inbound: tcp 3389 from 0.0.0.0/0\n\
             \n\
             What to do first\n\
             1. Close it again.\n\
             \x20  aws ec2 revoke-security-group-ingress --group-id {}\n\
             2. Ask bob.\n\
             \n\
             Account     production (111122223333)\n\
             User agent  Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) x\n\
             \n\
             Why it matters: {}\n\
             \n\
             Runbook: https://wiki.example.com/x\n\
             \n\
             -- \n\
             rule CIS-10\n",
            "x".repeat(60),
            ["word"; 30].join(" "),
        );
        assert_eq!(email(&content), expected);
    }
}
