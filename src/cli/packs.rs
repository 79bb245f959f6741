//! The packs that this program was shipped with: an installed tool has them where no `packs/` lies beside `rules.json`.

/// Each pack by the name that `include` gives it where the repository's folder is at hand.
static SHIPPED: [(&str, &str); 8] = [
    ("packs/cis-monitoring.json", include_str!("../../packs/cis-monitoring.json")),
    ("packs/conformity-rtm-country.json", include_str!("../../packs/conformity-rtm-country.json")),
    ("packs/conformity-rtm.json", include_str!("../../packs/conformity-rtm.json")),
    ("packs/credential-access.json", include_str!("../../packs/credential-access.json")),
    ("packs/defense-evasion.json", include_str!("../../packs/defense-evasion.json")),
    ("packs/exfiltration-impact.json", include_str!("../../packs/exfiltration-impact.json")),
    ("packs/persistence-privilege-escalation.json", include_str!("../../packs/persistence-privilege-escalation.json")),
    ("packs/self-defense.json", include_str!("../../packs/self-defense.json")),
];

/// The packs, each with its name and text.
pub(super) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    SHIPPED.iter().copied()
}

/// The text of a shipped pack, by the name that `include` gives it: `packs/cis-monitoring.json`.
pub(super) fn shipped(name: &str) -> Option<&'static str> {
    SHIPPED.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_pack_of_the_repository_is_shipped() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
        let files: BTreeSet<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
            .map(|path| format!("packs/{}", path.file_name().unwrap().to_string_lossy()))
            .collect();
        assert_eq!(files, SHIPPED.iter().map(|(name, _)| (*name).to_owned()).collect());
        assert!(shipped("packs/nope.json").is_none());
    }
}
