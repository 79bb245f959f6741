//! Of which type and how many the machines of a call are, in every shape in which the calls say it. The judge is what was to be said
//! before it was written as some call's request and answer.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shapes::{capitals, list, number, own_words, put, record, said, whole};
use crate::support::choices::{Choices, seeds};

const ROUNDS: u64 = 4_000;

/// Machines of one type, or of several that may be chosen from.
#[derive(Debug, Clone)]
struct Group {
    types: Vec<&'static str>,
    number: u64,
}

/// How a call says it.
struct Call {
    service: &'static str,
    event: &'static str,
    /// Where the groups stand; nowhere, if the request is the only one.
    groups: &'static [&'static str],
    is_list: bool,
    /// Where a group, or the request, has its type.
    kind: &'static [&'static str],
    /// Where the number stands.
    number: Number,
}

enum Number {
    Unsaid,
    OfGroup(&'static [&'static str]),
    OfRequest(&'static [&'static str]),
    /// On demand and spot, of which one may be missing.
    OnDemandAndSpot,
    /// The names that the machines are to have.
    Names,
}

const fn one(service: &'static str, event: &'static str, kind: &'static [&'static str], number: Number) -> Call {
    Call { service, event, groups: &[], is_list: false, kind, number }
}

const fn many(
    service: &'static str,
    event: &'static str,
    groups: &'static [&'static str],
    kind: &'static [&'static str],
    number: Number,
) -> Call {
    Call { service, event, groups, is_list: true, kind, number }
}

const COUNT: Number = Number::OfGroup(&["instanceCount"]);

/// Read from botocore's models, in the spelling of CloudTrail.
const CALLS: &[Call] = &[
    one("ec2", "RunInstances", &["instanceType"], Number::OfRequest(&["instancesSet", "items", "maxCount"])),
    one("ec2", "RequestSpotInstances", &["launchSpecification", "instanceType"], COUNT),
    one("ec2", "RunScheduledInstances", &["launchSpecification", "instanceType"], COUNT),
    many(
        "ec2",
        "RequestSpotFleet",
        &["spotFleetRequestConfig", "launchSpecifications"],
        &["instanceType"],
        Number::OfRequest(&["spotFleetRequestConfig", "targetCapacity"]),
    ),
    many(
        "ec2",
        "RequestSpotFleet",
        &["spotFleetRequestConfig", "launchTemplateConfigs"],
        &["overrides", "instanceType"],
        Number::OfRequest(&["spotFleetRequestConfig", "targetCapacity"]),
    ),
    many(
        "ec2",
        "CreateFleet",
        &["launchTemplateConfigs"],
        &["overrides", "instanceType"],
        Number::OfRequest(&["targetCapacitySpecification", "totalTargetCapacity"]),
    ),
    many(
        "ec2",
        "ModifyFleet",
        &["launchTemplateConfigs"],
        &["overrides", "instanceType"],
        Number::OfRequest(&["targetCapacitySpecification", "totalTargetCapacity"]),
    ),
    many(
        "ec2",
        "ModifySpotFleetRequest",
        &["launchTemplateConfigs"],
        &["overrides", "instanceType"],
        Number::OfRequest(&["targetCapacity"]),
    ),
    one("ec2", "CreateLaunchTemplate", &["launchTemplateData", "instanceType"], Number::Unsaid),
    one("ec2", "CreateLaunchTemplateVersion", &["launchTemplateData", "instanceType"], Number::Unsaid),
    one("ec2", "ModifyInstanceAttribute", &["instanceType", "value"], Number::Unsaid),
    one("ec2", "CreateCapacityReservation", &["instanceType"], COUNT),
    one("ec2", "AllocateHosts", &["instanceType"], Number::OfGroup(&["quantity"])),
    many("ec2", "ModifyReservedInstances", &["targetConfigurations"], &["instanceType"], Number::Unsaid),
    one("autoscaling", "CreateLaunchConfiguration", &["instanceType"], Number::Unsaid),
    many(
        "autoscaling",
        "CreateAutoScalingGroup",
        &["mixedInstancesPolicy", "launchTemplate", "overrides"],
        &["instanceType"],
        Number::OfRequest(&["desiredCapacity"]),
    ),
    many(
        "autoscaling",
        "UpdateAutoScalingGroup",
        &["mixedInstancesPolicy", "launchTemplate", "overrides"],
        &["instanceType"],
        Number::OfRequest(&["minSize"]),
    ),
    one("sagemaker", "CreateNotebookInstance", &["instanceType"], Number::Unsaid),
    one(
        "sagemaker",
        "CreateTrainingJob",
        &["resourceConfig", "instanceType"],
        Number::OfGroup(&["resourceConfig", "instanceCount"]),
    ),
    many("sagemaker", "CreateTrainingJob", &["resourceConfig", "instanceGroups"], &["instanceType"], COUNT),
    one(
        "sagemaker",
        "CreateProcessingJob",
        &["processingResources", "clusterConfig", "instanceType"],
        Number::OfGroup(&["processingResources", "clusterConfig", "instanceCount"]),
    ),
    one(
        "sagemaker",
        "CreateTransformJob",
        &["transformResources", "instanceType"],
        Number::OfGroup(&["transformResources", "instanceCount"]),
    ),
    many(
        "sagemaker",
        "CreateHyperParameterTuningJob",
        &["trainingJobDefinitions"],
        &["resourceConfig", "instanceType"],
        Number::OfGroup(&["resourceConfig", "instanceCount"]),
    ),
    many(
        "sagemaker",
        "CreateEndpointConfig",
        &["productionVariants"],
        &["instanceType"],
        Number::OfGroup(&["initialInstanceCount"]),
    ),
    many("sagemaker", "CreateCluster", &["instanceGroups"], &["instanceType"], COUNT),
    one("rds", "CreateDBInstance", &["dBInstanceClass"], Number::Unsaid),
    one("rds", "ModifyDBInstance", &["dBInstanceClass"], Number::Unsaid),
    one("rds", "CreateDBCluster", &["dBClusterInstanceClass"], Number::Unsaid),
    many("elasticmapreduce", "RunJobFlow", &["instances", "instanceGroups"], &["instanceType"], COUNT),
    one(
        "elasticmapreduce",
        "RunJobFlow",
        &["instances", "masterInstanceType"],
        Number::OfGroup(&["instances", "instanceCount"]),
    ),
    many(
        "elasticmapreduce",
        "RunJobFlow",
        &["instances", "instanceFleets"],
        &["instanceTypeConfigs", "instanceType"],
        Number::OnDemandAndSpot,
    ),
    one(
        "elasticmapreduce",
        "AddInstanceFleet",
        &["instanceFleet", "instanceTypeConfigs", "instanceType"],
        Number::OfGroup(&["instanceFleet", "targetOnDemandCapacity"]),
    ),
    one(
        "elasticmapreduce",
        "ModifyInstanceFleet",
        &["instanceFleet", "instanceTypeConfigs", "instanceType"],
        Number::OfGroup(&["instanceFleet", "targetSpotCapacity"]),
    ),
    many("elasticmapreduce", "AddInstanceGroups", &["instanceGroups"], &["instanceType"], COUNT),
    one("batch", "CreateComputeEnvironment", &["computeResources", "instanceTypes"], Number::Unsaid),
    one("eks", "CreateNodegroup", &["instanceTypes"], Number::OfRequest(&["scalingConfig", "desiredSize"])),
    one("lightsail", "CreateInstances", &["bundleId"], Number::Names),
    one("redshift", "CreateCluster", &["nodeType"], Number::Unsaid),
    one("redshift", "ResizeCluster", &["nodeType"], Number::Unsaid),
    one("elasticache", "CreateReplicationGroup", &["cacheNodeType"], Number::Unsaid),
    one("memorydb", "CreateCluster", &["nodeType"], Number::Unsaid),
    one("es", "CreateElasticsearchDomain", &["elasticsearchClusterConfig", "instanceType"], Number::Unsaid),
    one("es", "CreateDomain", &["clusterConfig", "warmType"], Number::Unsaid),
    one("dms", "CreateReplicationInstance", &["replicationInstanceClass"], Number::Unsaid),
    one("gamelift", "CreateFleet", &["eC2InstanceType"], Number::Unsaid),
    one("kafka", "CreateCluster", &["brokerNodeGroupInfo", "instanceType"], Number::Unsaid),
    one("appstream", "CreateFleet", &["instanceType"], Number::Unsaid),
    one("cloud9", "CreateEnvironmentEC2", &["instanceType"], Number::Unsaid),
    one("bedrock", "CreateMarketplaceModelEndpoint", &["endpointConfig", "sageMaker", "instanceType"], Number::Unsaid),
];

const TYPES: [&str; 6] = ["p5.48xlarge", "t3.micro", "ml.p4d.24xlarge", "db.r6g.large", "g5.xlarge", "2xlarge_3_0"];

/// What means nothing, though its key does elsewhere.
const WORDS: [(&str, &str); 4] =
    [("instanceType", "x9.words"), ("nodeType", "x9.words"), ("instanceCount", "77"), ("maxCount", "77")];

fn groups(choices: &mut Choices, call: &Call) -> Vec<Group> {
    let number = if call.is_list { 1 + choices.below(3) } else { 1 };
    // Some members are lists of types, some are lists of objects with one.
    let takes_many = call.kind.iter().any(|key| ["overrides", "instanceTypeConfigs", "instanceTypes"].contains(key));
    (0..number)
        .map(|_| {
            let types = if takes_many { 1 + choices.below(3) } else { 1 };
            Group {
                types: (0..types).map(|_| choices.of(&TYPES)).collect(),
                number: choices.of(&[1, 1, 2, 3, 10, 48, 1000]),
            }
        })
        .collect()
}

/// Writes the types of a group where they belong.
fn put_types(choices: &mut Choices, object: &mut Value, path: &[&str], types: &[&str]) {
    let listed = path.iter().position(|key| ["overrides", "instanceTypeConfigs"].contains(key));
    if let Some(at) = listed {
        let elements = types.iter().map(|kind| {
            let mut element = json!({ "weightedCapacity": 7 });
            put(&mut element, &path[at + 1..], json!(kind));
            element
        });
        let elements = elements.collect();
        put(object, &path[..=at], list(choices, elements));
    } else if path.last() == Some(&"instanceTypes") {
        let texts = types.iter().map(|kind| json!(kind)).collect();
        put(object, path, list(choices, texts));
    } else {
        put(object, path, json!(types[0]));
    }
}

/// A request that asks for these, and how many that are.
fn request(choices: &mut Choices, call: &Call, groups: &[Group]) -> (Value, Option<u64>) {
    let sum: u64 = groups.iter().map(|group| group.number).sum();
    let mut request =
        json!({ "clientToken": "77", "dryRun": null, "maxSize": 77, "excludedInstanceTypes": ["x9.never"] });
    let mut count = None;
    let mut written = Vec::new();
    for group in groups {
        let mut object =
            if call.is_list { json!({ "name": "n", "minCount": 77, "count": null }) } else { request.clone() };
        put_types(choices, &mut object, call.kind, &group.types);
        match call.number {
            Number::OfGroup(path) => {
                put(&mut object, path, number(choices, group.number));
                count = Some(sum);
            }
            Number::OnDemandAndSpot => {
                let on_demand = u64::try_from(choices.below(usize::try_from(group.number + 1).unwrap())).unwrap();
                let spot = group.number - on_demand;
                for (key, part) in [("targetOnDemandCapacity", on_demand), ("targetSpotCapacity", spot)] {
                    if part > 0 || choices.one_in(2) {
                        put(&mut object, &[key], number(choices, part));
                    }
                }
                count = Some(sum);
            }
            _ => {}
        }
        if call.is_list { written.push(object) } else { request = object }
    }
    if call.is_list {
        put(&mut request, call.groups, list(choices, written));
    }
    match call.number {
        Number::OfRequest([set, "items", key]) => {
            let mut item = json!({ "imageId": "ami-1", "minCount": 1 });
            put(&mut item, &[key], number(choices, sum));
            request[*set] = list(choices, vec![item]);
            count = Some(sum);
        }
        Number::OfRequest(path) => {
            put(&mut request, path, number(choices, sum));
            count = Some(sum);
        }
        Number::Names => {
            let names = (0..sum.min(9)).map(|index| json!(format!("machine-{index}"))).collect();
            // A single name stands for itself nowhere: what is one name is one machine.
            request["instanceNames"] = list(choices, names);
            count = Some(sum.min(9));
        }
        Number::OfGroup(_) | Number::OnDemandAndSpot | Number::Unsaid => {}
    }
    if ["RequestSpotInstances", "RunScheduledInstances"].contains(&call.event) && choices.one_in(4) {
        request.as_object_mut().unwrap().remove("instanceCount");
        count = Some(1);
    }
    (request, count)
}

/// What the call answers: of what it starts, the machines; of what it changes, how it has been.
fn answer(choices: &mut Choices, call: &Call, types: &BTreeSet<&'static str>, sum: u64) -> Value {
    let changes = ["Modify", "Update", "Resize"].iter().any(|verb| call.event.starts_with(verb));
    let name = call.kind.last().copied().filter(|key| *key != "value").unwrap_or("instanceType");
    match (choices.below(3), changes) {
        (0, _) => Value::Null,
        (_, true) => json!({ "before": { name: "x9.before" } }),
        (_, false) if call.event == "RunInstances" => {
            let kinds: Vec<&str> = types.iter().copied().collect();
            let machines = (0..sum.min(6))
                .map(|index| json!({ "instanceId": format!("i-{index}"), "instanceType": kinds[0], "tagSet": {} }))
                .collect();
            json!({ "requestId": "r", "instancesSet": list(choices, machines) })
        }
        _ => {
            let made = types.iter().map(|kind| json!({ "state": "creating", name: kind })).collect();
            json!({ "made": list(choices, made) })
        }
    }
}

#[test]
fn machines_are_of_their_type_and_number_in_every_shape() {
    let (mut calls, mut counted) = (0_u64, 0_u64);
    for seed in seeds(ROUNDS) {
        let mut choices = Choices::new(seed);
        let call = &CALLS[choices.below(CALLS.len())];
        let groups = groups(&mut choices, call);
        let (mut request, count) = request(&mut choices, call, &groups);
        let types: BTreeSet<&'static str> = groups.iter().flat_map(|group| group.types.iter().copied()).collect();
        let sum = groups.iter().map(|group| group.number).sum();
        let mut response = answer(&mut choices, call, &types, sum);
        let expected: BTreeSet<String> = types.iter().map(|kind| (*kind).to_owned()).collect();
        if call.event == "RunInstances" && response.is_object() {
            // The launch template alone knows the type.
            if choices.one_in(2) {
                request.as_object_mut().unwrap().remove("instanceType");
                request["launchTemplate"] = json!({ "launchTemplateId": "lt-1" });
            }
        }
        if call.event == "ModifyInstanceAttribute" {
            let kind = groups[0].types[0];
            match choices.below(3) {
                0 => request["instanceType"] = json!(kind),
                1 => {
                    request.as_object_mut().unwrap().remove("instanceType");
                    request["attribute"] = json!("instanceType");
                    request["value"] = json!(kind);
                }
                _ => {}
            }
        }
        own_words(&mut choices, &mut request, &WORDS);
        own_words(&mut choices, &mut response, &WORDS);
        // EC2's newer calls are recorded within an object of their own, in capitals.
        if call.service == "ec2" && choices.one_in(3) {
            request = json!({ format!("{}Request", call.event): capitals(&request) });
            response =
                if response.is_object() { json!({ format!("{}Response", call.event): response }) } else { response };
        }
        let wrapped_answer = response.get(format!("{}Response", call.event)).is_some();
        // Without a request, the answer of a start tells both.
        let is_left_out = call.event == "RunInstances" && !wrapped_answer && response.is_object() && choices.one_in(4);
        let number: BTreeSet<String> = if is_left_out {
            request = Value::Null;
            [sum.min(6).to_string()].into()
        } else {
            count.iter().map(u64::to_string).collect()
        };
        let (request, response) = (whole(&mut choices, request), whole(&mut choices, response));
        let json = record(call.service, call.event, &request, &response);
        assert_eq!(said("instance_type", &json), expected, "seed {seed}: {json:#}");
        assert_eq!(said("instance_count", &json), number, "seed {seed}: {json:#}");
        calls += 1;
        counted += u64::from(!number.is_empty());
    }
    eprintln!(
        "instance_type: {calls} calls, 0 disagreements; instance_count: {counted} with a number, 0 disagreements"
    );
    assert!(counted > 0);
}
