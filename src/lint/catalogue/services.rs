//! The services and their calls, as `catalogue.txt` has them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use super::names::NameTable;
use crate::rules::pattern::AnchoredLiteral;

const TEXT: &str = include_str!("catalogue.txt");

/// All known services and their calls.
#[derive(Debug)]
pub(in crate::lint) struct Catalogue {
    /// By the value of `eventSource`.
    pub(in crate::lint) services: BTreeMap<&'static str, Service>,
    /// A name of a service that AWS's models have and no record → what records have instead, without `.amazonaws.com`.
    pub(in crate::lint) unrecorded: HashMap<&'static str, Vec<&'static str>>,
    /// The values of `awsRegion`.
    pub(in crate::lint) regions: Vec<&'static str>,
    /// Keys of requests whose value is always an array of objects.
    pub(in crate::lint) object_arrays: HashSet<&'static str>,
    /// Keys of requests whose value is always a number, or an array of numbers.
    pub(in crate::lint) numbers: HashSet<&'static str>,
}

/// A value of `eventSource`.
#[derive(Debug, Default)]
pub(in crate::lint) struct Service {
    pub(in crate::lint) name: &'static str,
    /// In the order of the file, then the names under which only some are recorded.
    pub(in crate::lint) calls: Vec<CatalogueCall>,
    /// A name of the API, or of a permission → what CloudTrail records instead or as well; empty: nothing.
    pub(in crate::lint) renamed: HashMap<&'static str, Vec<&'static str>>,
    by_name: HashMap<String, usize>,
    names: OnceLock<NameTable>,
}

/// A value of `eventName`.
#[derive(Debug)]
pub(in crate::lint) struct CatalogueCall {
    pub(in crate::lint) name: String,
    /// It changes nothing: `readOnly` is true.
    pub(in crate::lint) reads: bool,
    /// A trail records it only if a selector asks for it.
    pub(in crate::lint) data: bool,
}

impl Catalogue {
    /// The catalogue, read at the first use.
    pub(in crate::lint) fn get() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| Self::parse(TEXT))
    }

    fn parse(text: &'static str) -> Self {
        let mut services: BTreeMap<&str, Service> = BTreeMap::new();
        let (mut regions, mut object_arrays, mut numbers) = (Vec::new(), HashSet::new(), HashSet::new());
        let mut unrecorded = HashMap::new();
        let mut section = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let Some(words) = line.strip_prefix(' ') else {
                section = line;
                // Of some services the name alone is known.
                if !section.starts_with('[') {
                    services.entry(section).or_insert_with(|| Service { name: section, ..Service::default() });
                }
                continue;
            };
            match section {
                "[*]" => object_arrays.extend(words.split(' ')),
                "[#]" => numbers.extend(words.split(' ')),
                "[unrecorded]" => unrecorded.extend(
                    words.split_once('=').map(|(name, recorded)| (name, recorded.split(',').collect::<Vec<_>>())),
                ),
                "[regions]" => regions.extend(words.split(' ')),
                _ => services
                    .entry(section)
                    .or_insert_with(|| Service { name: section, ..Service::default() })
                    .line(words),
            }
        }
        Self { services, unrecorded, regions, object_arrays, numbers }
    }

    /// The names of all calls, service by service.
    pub(in crate::lint) fn calls(&'static self) -> &'static NameTable {
        static NAMES: OnceLock<NameTable> = OnceLock::new();
        NAMES.get_or_init(|| {
            let calls = self.services.values().flat_map(|service| &service.calls);
            NameTable::new(calls.map(|call| call.name.as_str()))
        })
    }

    /// The names of all services.
    pub(in crate::lint) fn service_names(&'static self) -> &'static NameTable {
        static NAMES: OnceLock<NameTable> = OnceLock::new();
        NAMES.get_or_init(|| NameTable::new(self.services.keys().copied()))
    }

    /// The calls of all services that `accepts` accepts, in the order of the services. `literals` are those of which the name of
    /// each of them surely has one; of `None`, every name is asked about.
    pub(in crate::lint) fn calls_accepted(
        &'static self,
        literals: Option<&[AnchoredLiteral]>,
        accepts: impl Fn(&str) -> bool,
    ) -> Vec<(&'static Service, &'static CatalogueCall)> {
        let names = self.calls().accepted(literals, accepts);
        let each = names.into_iter().flat_map(|name| self.services_of(name).map(move |service| (service, name)));
        let mut places: Vec<(&'static Service, usize)> =
            each.filter_map(|(service, name)| Some((service, *service.by_name.get(name)?))).collect();
        places.sort_unstable_by_key(|(service, place)| (service.name, *place));
        places.into_iter().map(|(service, place)| (service, &service.calls[place])).collect()
    }

    /// The services that have a call of exactly this name.
    pub(in crate::lint) fn services_of(&'static self, name: &str) -> impl Iterator<Item = &'static Service> + use<> {
        static SERVICES: OnceLock<HashMap<&str, Vec<&Service>>> = OnceLock::new();
        let services = SERVICES.get_or_init(|| {
            let mut by_call: HashMap<&str, Vec<&Service>> = HashMap::new();
            for service in self.services.values() {
                service.calls.iter().for_each(|call| by_call.entry(&call.name).or_default().push(service));
            }
            by_call
        });
        services.get(name).into_iter().flatten().copied()
    }
}

impl Service {
    /// `Describe:r Addresses …`, or `> api=recorded …`
    fn line(&mut self, words: &'static str) {
        let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
        if first == ">" {
            return rest.split(' ').for_each(|pair| self.rename(pair));
        }
        let (verb, flags) = first.split_once(':').unwrap_or((first, ""));
        for rest in rest.split(' ') {
            let name = if rest == "-" { verb.to_owned() } else { format!("{verb}{rest}") };
            self.add(CatalogueCall { name, reads: flags.contains('r'), data: flags.contains('d') });
        }
    }

    fn add(&mut self, call: CatalogueCall) {
        self.by_name.insert(call.name.clone(), self.calls.len());
        self.calls.push(call);
    }

    /// `UpdateFunctionCode=UpdateFunctionCode20150331,UpdateFunctionCode20150331v2`
    fn rename(&mut self, pair: &'static str) {
        let (api, recorded) = pair.split_once('=').unwrap_or((pair, ""));
        let recorded: Vec<&str> = recorded.split(',').filter(|name| !name.is_empty()).collect();
        let (reads, data) = self.call(api).map_or((false, false), |call| (call.reads, call.data));
        for name in &recorded {
            if self.call(name).is_none() {
                self.add(CatalogueCall { name: (*name).to_owned(), reads, data });
            }
        }
        self.renamed.insert(api, recorded);
    }

    /// The call of exactly this name.
    pub(in crate::lint) fn call(&self, name: &str) -> Option<&CatalogueCall> {
        self.by_name.get(name).map(|index| &self.calls[*index])
    }

    /// The names of its calls.
    pub(in crate::lint) fn names(&'static self) -> &'static NameTable {
        self.names.get_or_init(|| NameTable::new(self.calls.iter().map(|call| call.name.as_str())))
    }

    /// As [`Catalogue::calls_accepted`], of this service alone.
    pub(in crate::lint) fn calls_accepted(
        &'static self,
        literals: Option<&[AnchoredLiteral]>,
        accepts: impl Fn(&str) -> bool,
    ) -> Vec<&'static CatalogueCall> {
        let names = self.names().accepted(literals, accepts);
        let mut places: Vec<usize> = names.into_iter().filter_map(|name| self.by_name.get(name).copied()).collect();
        places.sort_unstable();
        places.into_iter().map(|place| &self.calls[place]).collect()
    }

    /// Whether its name alone is known, and none of its calls.
    pub(in crate::lint) fn is_name_alone(&self) -> bool {
        self.calls.is_empty()
    }

    /// `ec2` of `ec2.amazonaws.com`.
    pub(in crate::lint) fn short(&self) -> &'static str {
        self.name.strip_suffix(".amazonaws.com").unwrap_or(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_knows_calls_their_kinds_and_their_other_names() {
        let catalogue = Catalogue::get();
        let call = |service: &str, name: &str| catalogue.services[service].call(name);
        assert!(call("ec2.amazonaws.com", "StartInstances").is_some_and(|call| !call.reads && !call.data));
        assert!(call("ec2.amazonaws.com", "DescribeInstances").is_some_and(|call| call.reads));
        assert!(call("s3.amazonaws.com", "GetObject").is_some_and(|call| call.reads && call.data));
        assert!(call("signin.amazonaws.com", "ConsoleLogin").is_some());
        assert!(call("lambda.amazonaws.com", "Invoke").is_some_and(|call| call.data));
        let lambda = &catalogue.services["lambda.amazonaws.com"];
        assert_eq!(
            lambda.renamed["UpdateFunctionCode"],
            ["UpdateFunctionCode20150331", "UpdateFunctionCode20150331v2"]
        );
        assert!(lambda.call("UpdateFunctionCode20150331v2").is_some());
        assert!(catalogue.services["iam.amazonaws.com"].renamed["PassRole"].is_empty());
        assert!(call("iam.amazonaws.com", "PassRole").is_none());
        assert!(catalogue.services.len() > 400 && catalogue.object_arrays.contains("ipPermissions"));
        assert!(catalogue.numbers.contains("fromPort") && !catalogue.numbers.contains("engineVersion"));
    }
}
