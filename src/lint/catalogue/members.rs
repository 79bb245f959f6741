//! What can stand in the requests and the answers of calls, and in the rest of a record: `members.bin`, which `members.py`
//! writes and describes. Of each service only what is asked for is unpacked, once.

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::Read;
use std::sync::OnceLock;

use flate2::read::ZlibDecoder;

const PACKED: &[u8] = include_bytes!("members.bin");

/// The name of what belongs to every service, and to every call.
const EVERY: &str = "*";

/// The members of all parts of records.
#[derive(Debug)]
pub(in crate::lint) struct Members {
    /// By `eventSource`, without `.amazonaws.com`.
    services: HashMap<&'static str, PackedBlock>,
}

/// What is known of one service, read at the first use.
#[derive(Debug)]
struct PackedBlock {
    packed: &'static [u8],
    block: OnceLock<MemberBlock>,
}

/// The calls of one service, and the shapes of their parts.
#[derive(Debug, Default)]
pub(in crate::lint) struct MemberBlock {
    calls: HashMap<&'static str, CallShapes>,
    shapes: Vec<Shape>,
}

/// The shapes of one call's parts, by number.
#[derive(Debug, Default)]
struct CallShapes {
    request: PartShapes,
    answer: PartShapes,
    beside: Vec<usize>,
}

/// The shapes of one part, any of which may be the right one.
#[derive(Debug, Default)]
struct PartShapes {
    numbers: Vec<usize>,
    /// Whether there may be members that they do not say.
    is_partial: bool,
}

/// An object: its members, in the order of their names, a name as often as it has kinds.
#[derive(Debug)]
struct Shape {
    line: &'static str,
    members: OnceLock<Vec<(&'static str, Kind)>>,
}

/// What stands at a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A value below which nothing can stand.
    Value,
    /// A text that may hold JSON.
    Text,
    /// An object with keys that callers choose.
    Free,
    /// Anything.
    Any,
    /// An object whose keys are names of the block.
    Named,
    /// An object, or a list of such, of this shape.
    Shape(usize),
}

/// The part of a call that a path leads into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::lint) enum CallPart {
    Request,
    Answer,
    /// Any other: the path begins at the top of the record.
    Beside,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) enum Walk {
    /// To something: never a text or a number where `is_object`.
    Leads { is_object: bool },
    /// Nowhere: no object has the key of this index; the keys that stand beside it.
    Unknown { index: usize, beside: Vec<&'static str> },
    /// Nowhere: what stands before the key of this index is a value.
    Below { index: usize },
}

/// What is known of a path in a part of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lint) struct Lookup {
    pub(in crate::lint) walk: Walk,
    /// Whether the part may have members that are not known.
    pub(in crate::lint) is_partial: bool,
}

impl Members {
    /// The index, read at the first use.
    pub(in crate::lint) fn get() -> &'static Self {
        static MEMBERS: OnceLock<Members> = OnceLock::new();
        MEMBERS.get_or_init(|| Self::parse(PACKED))
    }

    fn parse(packed: &'static [u8]) -> Self {
        let end = packed.windows(2).position(|two| two == b"\n\n").unwrap_or_default();
        let (index, blocks) = (&packed[..end], packed.get(end + 2..).unwrap_or_default());
        let line = |line: &'static str| {
            let mut words = line.split(' ');
            let (name, offset, length) =
                (words.next()?, words.next()?.parse().ok()?, words.next()?.parse::<usize>().ok()?);
            let packed = blocks.get(offset..)?.get(..length)?;
            Some((name, PackedBlock { packed, block: OnceLock::new() }))
        };
        Self { services: std::str::from_utf8(index).unwrap_or_default().lines().filter_map(line).collect() }
    }

    /// What is known of a service, by its `eventSource` without `.amazonaws.com`.
    pub(in crate::lint) fn service(&self, name: &str) -> Option<&MemberBlock> {
        let packed = self.services.get(name)?;
        Some(packed.block.get_or_init(|| MemberBlock::unpack(packed.packed).unwrap_or_default()))
    }

    /// Every service of which something is known.
    pub(in crate::lint) fn each(&self) -> impl Iterator<Item = &MemberBlock> {
        self.services.keys().filter(|name| **name != EVERY).filter_map(|name| self.service(name))
    }

    /// Where a path leads that begins at the top of a record, whatever the call.
    pub(in crate::lint) fn of_every_call(&self, path: &[&str]) -> Option<Walk> {
        self.service(EVERY)?.look(EVERY, CallPart::Beside, path).map(|lookup| lookup.walk)
    }
}

impl MemberBlock {
    fn unpack(packed: &[u8]) -> Option<Self> {
        let mut text = String::new();
        ZlibDecoder::new(packed).read_to_string(&mut text).ok()?;
        // The catalogue lives as long as the process.
        let text: &'static str = Box::leak(text.into_boxed_str());
        let (calls, shapes) = text.split_once("\n\n")?;
        let shapes = shapes.lines().map(|line| Shape { line, members: OnceLock::new() });
        Some(Self { calls: calls.lines().filter_map(CallShapes::parse).collect(), shapes: shapes.collect() })
    }

    /// Where a path leads that begins in a part of the call; `None` where nothing is known of the part.
    pub(in crate::lint) fn look(&self, call: &str, part: CallPart, path: &[&str]) -> Option<Lookup> {
        let (numbers, is_partial) = self.calls.get(call)?.part(part);
        if numbers.is_empty() {
            return None;
        }
        Some(Lookup { walk: self.walk(numbers, path), is_partial })
    }

    /// As [`Self::look`] of what stands beside request and answer in every call of the service.
    pub(in crate::lint) fn look_beside(&self, path: &[&str]) -> Option<Walk> {
        self.look(EVERY, CallPart::Beside, path).map(|lookup| lookup.walk)
    }

    /// The calls in whose part the path leads to something, as far as is known.
    pub(in crate::lint) fn calls_with(&self, part: CallPart, path: &[&str]) -> Vec<&'static str> {
        let leads = |call: &str| {
            matches!(self.look(call, part, path), Some(Lookup { walk: Walk::Leads { .. }, is_partial: false }))
        };
        let mut calls: Vec<&str> = self.calls.keys().copied().filter(|call| leads(call)).collect();
        calls.sort_unstable();
        calls
    }

    /// Whether the path leads to something in the part of some call.
    pub(in crate::lint) fn any_has(&self, part: CallPart, path: &[&str]) -> bool {
        let leads = |call: &&str| matches!(self.look(call, part, path), Some(Lookup { walk: Walk::Leads { .. }, .. }));
        self.calls.keys().any(leads)
    }

    /// Where in a part of the call, below the object to which the path `within` leads, a member stands that is meant, by the way that is
    /// shortest, if it stands somewhere.
    pub(in crate::lint) fn place_of(
        &self,
        call: &str,
        part: CallPart,
        within: &[&str],
        is_meant: impl Fn(&str) -> bool,
    ) -> Option<Vec<&'static str>> {
        const DEPTH: usize = 4;
        let mut starts = self.calls.get(call)?.part(part).0.to_vec();
        let mut written = Vec::new();
        for key in within {
            let name = starts.iter().flat_map(|number| self.shape(*number).names()).find(|name| name == key)?;
            written.push(name);
            let below = starts.iter().flat_map(|number| self.shape(*number).of(key));
            starts =
                below.filter_map(|kind| if let Kind::Shape(number) = kind { Some(number) } else { None }).collect();
        }
        let mut open: VecDeque<(usize, Vec<&'static str>)> =
            starts.into_iter().map(|number| (number, written.clone())).collect();
        let mut seen: HashSet<usize> = open.iter().map(|(number, _)| *number).collect();
        while let Some((number, path)) = open.pop_front() {
            let shape = self.shape(number);
            // EC2's lists are in `item` or in `items`, and mostly in this.
            let is_rare = |member: &str| member == "item" && !shape.of("items").is_empty();
            for (member, kind) in shape.members().iter().filter(|(member, _)| !is_rare(member)) {
                let below = || path.iter().copied().chain([*member]).collect::<Vec<_>>();
                if is_meant(member) {
                    return Some(below());
                }
                if let Kind::Shape(inner) = kind
                    && path.len() < within.len() + DEPTH
                    && seen.insert(*inner)
                {
                    open.push_back((*inner, below()));
                }
            }
        }
        None
    }

    /// The names at the top of a part, of all calls.
    pub(in crate::lint) fn names_of(&self, part: CallPart) -> impl Iterator<Item = &'static str> {
        let numbers = self.calls.values().flat_map(move |call| call.part(part).0);
        numbers.flat_map(|number| self.shape(*number).names())
    }

    fn walk(&self, numbers: &[usize], path: &[&str]) -> Walk {
        let mut at: Vec<Kind> = numbers.iter().map(|number| Kind::Shape(*number)).collect();
        for (index, key) in path.iter().enumerate() {
            let mut next = Vec::new();
            for kind in &at {
                match kind {
                    Kind::Value => {}
                    Kind::Text | Kind::Free | Kind::Any => return Walk::Leads { is_object: false },
                    Kind::Named => next.extend(self.knows(key).then_some(Kind::Named)),
                    Kind::Shape(number) => next.extend(self.shape(*number).of(key)),
                }
            }
            if next.is_empty() {
                let shapes =
                    at.iter().filter_map(|kind| if let Kind::Shape(number) = kind { Some(*number) } else { None });
                let mut beside: Vec<&str> = shapes.flat_map(|number| self.shape(number).names()).collect();
                if at.contains(&Kind::Named) {
                    let names = self.shapes.iter().flat_map(Shape::names);
                    beside.extend(
                        names.filter(|name| strsim::osa_distance(&name.to_lowercase(), &key.to_lowercase()) <= 2),
                    );
                }
                beside.sort_unstable();
                beside.dedup();
                let is_below = index > 0 && at.iter().all(|kind| *kind == Kind::Value);
                return if is_below { Walk::Below { index } } else { Walk::Unknown { index, beside } };
            }
            at = next;
        }
        Walk::Leads { is_object: at.iter().all(|kind| matches!(kind, Kind::Shape(_) | Kind::Free)) }
    }

    fn shape(&self, number: usize) -> &Shape {
        static NOTHING: Shape = Shape { line: ".", members: OnceLock::new() };
        number.checked_sub(1).and_then(|index| self.shapes.get(index)).unwrap_or(&NOTHING)
    }

    /// Whether some shape has a member of this name.
    fn knows(&self, name: &str) -> bool {
        self.shapes.iter().any(|shape| !shape.of(name).is_empty())
    }
}

impl CallShapes {
    /// `CreateUser 3 7,9 12`
    fn parse(line: &'static str) -> Option<(&'static str, Self)> {
        let mut words = line.split(' ');
        let call = words.next()?;
        let mut part = || words.next().map(PartShapes::parse).unwrap_or_default();
        Some((call, Self { request: part(), answer: part(), beside: part().numbers }))
    }

    /// The shapes of a part, and whether it may have members that none of them has.
    fn part(&self, part: CallPart) -> (&[usize], bool) {
        match part {
            CallPart::Request => (&self.request.numbers, self.request.is_partial),
            CallPart::Answer => (&self.answer.numbers, self.answer.is_partial),
            CallPart::Beside => (&self.beside, true),
        }
    }
}

impl PartShapes {
    /// `7,9`, `~4`, or `-`
    fn parse(word: &str) -> Self {
        let (numbers, is_partial) = word.strip_prefix('~').map_or((word, false), |numbers| (numbers, true));
        Self { numbers: numbers.split(',').filter_map(|number| number.parse().ok()).collect(), is_partial }
    }
}

impl Shape {
    fn members(&self) -> &[(&'static str, Kind)] {
        self.members.get_or_init(|| {
            let words = self.line.split(' ').filter(|word| *word != ".");
            let mut members: Vec<(&str, Kind)> = words.map(Kind::parse).collect();
            members.sort_by_key(|(name, _)| *name);
            members
        })
    }

    /// The kinds of the member of this name.
    fn of(&self, name: &str) -> Vec<Kind> {
        let members = self.members();
        let first = members.partition_point(|(other, _)| *other < name);
        members[first..].iter().take_while(|(other, _)| *other == name).map(|(_, kind)| *kind).collect()
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        self.members().iter().map(|(name, _)| *name)
    }
}

impl Kind {
    /// `groupName`, `policyDocument~`, `tags=4`
    fn parse(word: &'static str) -> (&'static str, Self) {
        for (mark, kind) in [('~', Self::Text), ('@', Self::Free), ('?', Self::Any), ('%', Self::Named)] {
            if let Some(name) = word.strip_suffix(mark) {
                return (name, kind);
            }
        }
        match word.split_once('=').map(|(name, number)| (name, number.parse())) {
            Some((name, Ok(number))) => (name, Self::Shape(number)),
            _ => (word, Self::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(service: &str, call: &str, part: CallPart, path: &str) -> Walk {
        let path: Vec<&str> = path.split('.').collect();
        Members::get().service(service).unwrap().look(call, part, &path).unwrap().walk
    }

    #[test]
    fn requests_and_answers_are_known_as_cloudtrail_spells_them() {
        let value = Walk::Leads { is_object: false };
        let object = Walk::Leads { is_object: true };
        for (service, call, path) in [
            ("iam", "CreateUser", "userName"),
            ("rds", "DeleteDBCluster", "dBClusterIdentifier"),
            ("s3", "PutBucketPolicy", "bucketPolicy.Statement.Effect"),
            ("s3", "PutBucketAcl", "AccessControlPolicy.AccessControlList.Grant.Grantee.URI"),
            ("iam", "PutRolePolicy", "policyDocument.Statement.Action"),
            ("ec2", "AuthorizeSecurityGroupIngress", "ipPermissions.items.ipRanges.items.cidrIp"),
            ("ec2", "RunInstances", "instancesSet.items.imageId"),
            ("ec2", "CreateLaunchTemplate", "CreateLaunchTemplateRequest.LaunchTemplateName"),
            ("ec2", "TerminateInstances", "instancesSet.items.instanceId"),
            ("securityhub", "BatchDisableStandards", "StandardsSubscriptionArns"),
        ] {
            assert_eq!(look(service, call, CallPart::Request, path), value, "{call} {path}");
        }
        assert_eq!(look("ec2", "AuthorizeSecurityGroupIngress", CallPart::Request, "ipPermissions"), object);
        assert_eq!(look("rds", "CreateDBInstance", CallPart::Answer, "dBInstanceArn"), value);
        assert_eq!(look("iam", "CreateAccessKey", CallPart::Answer, "accessKey.accessKeyId"), value);
        assert_eq!(look("iam", "CreateUser", CallPart::Request, "userName.x"), Walk::Below { index: 1 });
        let Walk::Unknown { index: 0, beside } = look("iam", "CreateUser", CallPart::Request, "usrName") else {
            panic!()
        };
        assert!(beside.contains(&"userName"), "{beside:?}");
    }

    #[test]
    fn the_rest_of_the_record_is_known() {
        let walk = |path: &str| Members::get().of_every_call(&path.split('.').collect::<Vec<_>>()).unwrap();
        assert_eq!(walk("userIdentity.sessionContext.sessionIssuer.userName"), Walk::Leads { is_object: false });
        assert_eq!(walk("userIdentity"), Walk::Leads { is_object: true });
        assert_eq!(walk("sourceIPAddress.ip"), Walk::Below { index: 1 });
        assert!(matches!(walk("resources.arn"), Walk::Unknown { index: 1, .. }));
    }

    #[test]
    fn every_block_can_be_unpacked() {
        let members = Members::get();
        assert!(members.services.len() > 400);
        let calls: usize = members.each().map(|block| block.calls.len()).sum();
        assert!(calls > 20_000 && members.each().all(|block| !block.calls.is_empty()), "{calls}");
        for shape in members.each().flat_map(|block| &block.shapes) {
            shape.members();
        }
    }
}
