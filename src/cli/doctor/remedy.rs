//! Commands that set something right.

use crate::rules::quoted;
use crate::text::clean;

/// Commands for a POSIX shell, in their order. A name that AWS told may be anything: it is quoted.
#[derive(Debug, Default)]
pub(super) struct Remedy(Vec<String>);

impl Remedy {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// `aws SERVICE OPERATION … --region REGION`. The words are quoted where a shell needs it. What cannot be seen in a word becomes a
    /// space: a command with such a name does not work, and does nothing to a terminal.
    pub(super) fn aws<'w>(mut self, region: &str, words: impl IntoIterator<Item = &'w str>) -> Self {
        let words: Vec<String> = words.into_iter().map(|word| quoted(&clean(word))).collect();
        self.0.push(format!("aws {} --region {}", words.join(" "), quoted(region)));
        self
    }

    /// A command that is written by us, but for what has been [quoted].
    pub(super) fn shell(mut self, command: impl Into<String>) -> Self {
        self.0.push(command.into());
        self
    }

    /// `make TARGET REGIONS=… STACK=… MORE`, in a checkout of this repository.
    pub(super) fn make(self, target: &str, stack: &str, region: &str, more: &str) -> Self {
        let more = if more.is_empty() { String::new() } else { format!(" {}", quoted(more)) };
        self.shell(format!("make {target} REGIONS={} STACK={}{more}", quoted(region), quoted(stack)))
    }

    /// Deletes the stack and makes it anew: `CloudFormation` does not put back what has been deleted behind its back. Queues, ledger
    /// and secret outlive the stack (docs/upgrading.md).
    pub(super) fn anew(self, stack: &str, region: &str) -> Self {
        let deleted = self.aws(region, ["cloudformation", "delete-stack", "--stack-name", stack]);
        let waited = deleted.aws(region, ["cloudformation", "wait", "stack-delete-complete", "--stack-name", stack]);
        waited.make("deploy", stack, region, "")
    }

    pub(super) fn commands(self) -> Vec<String> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_word_whatever_is_in_it() {
        let remedy = Remedy::new().aws("eu-west-1", ["events", "enable-rule", "--name", "a'; rm -rf $(x) #"]).make(
            "deploy",
            "off limits",
            "eu-west-1",
            "PARAMETERS=RuleState=X",
        );
        let expected = [
            r"aws events enable-rule --name 'a'\''; rm -rf $(x) #' --region eu-west-1",
            "make deploy REGIONS=eu-west-1 STACK='off limits' PARAMETERS=RuleState=X",
        ];
        assert_eq!(remedy.commands(), expected);
    }
}
